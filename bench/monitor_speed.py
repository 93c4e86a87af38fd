"""Drift of a window of production against its reference: ten million at once, and beside Evidently.

Part A counts 10,000,000 predictions of 30 features, their score and their answer from Parquet, in
one scan, compares them with a reference and estimates accuracy and F1 from the scores, in a
process that does nothing else; it prints seconds and peak memory. Part B times both sides on
200,000 + 200,000 rows of the same columns, from Parquet files to the numbers: ours with the making
of the reference, against Evidently's DataDriftPreset with its defaults. Exits 1 where part A takes
10 s, 1 GiB or more, or Evidently is faster. Evidently's environment is installed first.

    python bench/monitor_speed.py [--rows N] [--few N] [--runs N]
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "toolkit"))

from drift_speed import evidently  # noqa: E402 -- the path comes first
from side_by_side import alternate, pair_ratios  # noqa: E402

from assay.config import Columns  # noqa: E402
from assay.config.monitoring import DriftRule  # noqa: E402
from assay.evidence.monitoring import Reference  # noqa: E402
from assay.monitoring.drift import drifted  # noqa: E402
from assay.monitoring.estimate import estimated  # noqa: E402
from assay.monitoring.profile import layouts, make_reference  # noqa: E402
from assay.tables.column_counts import count_columns  # noqa: E402
from assay.tables.scored_counts import count_scored  # noqa: E402
from assay.tables.source import open_tables  # noqa: E402

SECONDS, MIB = 10.0, 1024.0
NUMBERS, TEXTS = 22, 8
MOVED = 2


def make_file(path: Path, first: int, rows: int, *, moved: bool) -> None:
    """Write rows of 30 features, a score, a prediction and a label."""
    columns = ["range AS id"]
    for n in range(NUMBERS):
        shift = 30 * (n + 1) if moved and n < MOVED else 0
        columns.append(f"{_noise(10 + n)} / 1e6 * {n + 1} + {shift} AS real{n}")
    columns += [f"'t' || {_noise(70 + n)} % {5 * n + 5} AS text{n}" for n in range(TEXTS)]
    columns += [
        f"{_noise(0)} / 1e8 AS score",
        f"CAST({_noise(0)} / 1e8 > 0.5 AS INTEGER) AS prediction",
        f"CAST({_noise(1)} < {_noise(0)} AS INTEGER) AS label",
    ]
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT {', '.join(columns)} FROM range({first}, {first + rows})) "  # noqa: S608
            f"TO '{path.as_posix()}' (FORMAT parquet)"
        )


def _noise(stream: int) -> str:
    """SQL for a whole number from 0 up to 1e8 that depends on the row and the stream only."""
    return f"CAST(hash(range * 128 + {stream}) % 100000000 AS BIGINT)"


def reference_of(path: Path) -> Reference:
    """Profile one file that holds features and predictions."""
    return make_reference(model="bench", predictions=path, data=None, columns=Columns())


def look(reference: Reference, path: Path) -> tuple[int, list[float | None]]:
    """Count, compare and estimate; return how many columns moved, and the estimates."""
    laid = layouts(reference)
    score = next(each for each in laid if each.name == "score")
    with open_tables({"log": path}) as engine:
        counted = count_columns(engine, "log", laid)
        scored = count_scored(engine, "log", score=score, prediction="prediction", positive="1")
    drifts = drifted(reference, counted, rule=DriftRule())
    found = estimated(reference, scored)
    return sum(drift.moved for drift in drifts), [quality.value for quality in found]


def many(folder: Path, rows: int) -> bool:
    """Part A, in a process of its own so that its memory is its own."""
    make_file(folder / "before.parquet", 0, 100_000, moved=False)
    make_file(folder / "log.parquet", 100_000, rows, moved=True)
    reference_of(folder / "before.parquet").write(folder)
    asked = [sys.executable, __file__, "--look", str(folder)]
    answer = subprocess.run(asked, check=True, capture_output=True, text=True)
    moved, accuracy, seconds, mib = (float(word) for word in answer.stdout.split())
    print(
        f"A: {rows:,} rows x {NUMBERS + TEXTS} features: {moved:.0f} moved, accuracy estimated at "
        f"{accuracy:.4f} (true: 0.75); {seconds:.1f} s and {mib:.0f} MiB "
        f"(targets: less than {SECONDS:.0f} s and {MIB:.0f} MiB)",
        flush=True,
    )
    return moved == MOVED and seconds < SECONDS and mib < MIB


def one_look(folder: Path) -> None:
    """What part A's process does."""
    started = time.perf_counter()
    moved, (accuracy, _) = look(Reference.read(folder), folder / "log.parquet")
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(moved, accuracy, seconds, peak)


def beside(folder: Path, rows: int, runs: int) -> bool:
    """Part B; whether ours was faster."""
    make_file(folder / "train.parquet", 0, rows, moved=False)
    make_file(folder / "test.parquet", rows, rows, moved=True)

    def ours() -> None:
        look(reference_of(folder / "train.parquet"), folder / "test.parquet")

    with evidently(folder) as preset:
        sides = {"Evidently's DataDriftPreset": preset, "assay's reference and look": ours}
        slow, fast = alternate(sides, runs=runs)
    print(f"B: {rows:,} + {rows:,} rows", slow, fast, sep="\n")
    low, ratio, high = pair_ratios(slow, fast)
    print(f"ratio {ratio:.1f} (pairs {low:.1f} to {high:.1f})")
    return ratio > 1


def main() -> None:
    """Measure both parts and print their numbers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--few", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--look", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.look is not None:
        one_look(arguments.look)
        return
    met = []
    for part in (
        lambda folder: many(folder, arguments.rows),
        lambda folder: beside(folder, arguments.few, arguments.runs),
    ):
        with tempfile.TemporaryDirectory(prefix="assay-bench-") as scratch:
            met.append(part(Path(scratch)))
    sys.exit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
