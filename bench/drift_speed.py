"""Drift and data checks of many rows: ten million at once, and beside Evidently on fewer.

Part A times `assay check-data`, start-up included, on a train and a test file of 10,000,000 rows
in all and 30 columns. Part B times drift alone on 200,000 + 200,000 rows of the same columns, from
the Parquet files to the numbers: ours on all rows, against Evidently's DataDriftPreset with its
defaults. Both sides run in turn, in processes that have done their imports. Exits 1 where part A
takes 15 s or more, or the ratio of part B is below 20. Evidently's environment is installed first
and not counted.

    python bench/drift_speed.py [--rows N] [--few N] [--runs N]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "toolkit"))

from side_by_side import alternate, command, pair_ratios  # noqa: E402 -- the path comes first

from assay.checks.drift import drifted  # noqa: E402
from assay.checks.side import Side  # noqa: E402
from assay.tables.profile import profile  # noqa: E402
from assay.tables.rows import numbered  # noqa: E402
from assay.tables.source import open_tables  # noqa: E402

SECONDS = 15.0
RATIO = 20.0
REALS, WHOLES, TEXTS = 14, 7, 7
MOVED = 2
CONFIG = """\
version: 1
models:
  bench:
    predictions: predictions.parquet
    gates: {accuracy: {margin: 0.01}}
    data: {train: train.parquet, test: test.parquet, id: id, label: label}
"""
EVIDENTLY = """\
import sys
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

print("ready", flush=True)
for line in sys.stdin:
    datasets = []
    for name in ("test", "train"):
        frame = pd.read_parquet(f"{line.strip()}/{name}.parquet").drop(columns="id")
        texts = [column for column in frame if column.startswith("text")]
        definition = DataDefinition(
            categorical_columns=texts,
            numerical_columns=[column for column in frame if column not in texts],
        )
        datasets.append(Dataset.from_pandas(frame, data_definition=definition))
    found = Report([DataDriftPreset()]).run(*datasets).dict()
    print(len(found["metrics"]), flush=True)
"""


def make_files(folder: Path, rows: int) -> int:
    """Write train.parquet and test.parquet of ``rows`` rows each; return the number of columns."""
    half = f"CASE WHEN range >= {rows} THEN 30 ELSE 0 END"
    columns = ["range AS id", f"{_noise(0)} % 2 AS label"]
    for n in range(REALS):
        moved = f"{half} * {n + 1}" if n < MOVED else "0"
        columns.append(f"{_noise(10 + n)} / 1e6 * {n + 1} + {moved} AS real{n}")
    columns += [f"{_noise(40 + n)} % {10 ** (n + 1)} AS n{n}" for n in range(WHOLES)]
    columns += [f"'t' || {_noise(70 + n)} % {5 * n + 5} AS text{n}" for n in range(TEXTS)]
    listed = ", ".join(columns)
    with duckdb.connect() as connection:
        for name, first in (("train", 0), ("test", rows)):
            connection.execute(
                f"COPY (SELECT {listed} FROM range({first}, {first + rows})) "  # noqa: S608
                f"TO '{(folder / name).as_posix()}.parquet' (FORMAT parquet)"
            )
    (folder / "assay.yaml").write_text(CONFIG)
    return len(columns)


def _noise(stream: int) -> str:
    """SQL for a whole number from 0 up to 1e8 that depends on the row and the stream only."""
    return f"CAST(hash(range * 128 + {stream}) % 100000000 AS BIGINT)"


def drift(folder: Path) -> int:
    """Look for drift between train and test; return the number of columns that moved."""
    with open_tables({name: folder / f"{name}.parquet" for name in ("train", "test")}) as engine:
        train, test = (
            Side(name=name, rows=rows, profiles=profile(rows))
            for name in engine.tables
            for rows in (numbered(engine, name, id_column="id"),)
        )
        return len(
            drifted(train, test, check="drift", dataset="both", max_psi=0.1, leave_out={"id"})
        )


def evidently(folder: Path) -> AbstractContextManager[Callable[[], None]]:
    """Start a process that has imported Evidently; the call runs its preset once."""
    return imported("evidently", EVIDENTLY, folder)


@contextmanager
def imported(package: str, source: str, folder: Path) -> Iterator[Callable[[], None]]:
    """Start a process that has imported a package; the call gives it the folder once.

    It runs in the package's own locked environment, and tells its makers nothing.
    """
    script = folder / f"{package}_side.py"
    script.write_text(source)
    lock = ROOT / f"requirements/{package}.txt"
    install = ["run", "--no-project", "--quiet", "--python", sys.executable, "--with-requirements"]
    process = subprocess.Popen(
        [str(ROOT / "toolkit/bin/uv"), *install, str(lock), "python", "-W", "ignore", str(script)],
        env=os.environ | {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    asked, answers = process.stdin, process.stdout

    def answer() -> None:
        if not answers.readline():
            sys.exit(f"{package} ended early; its errors stand above.")

    def call() -> None:
        print(folder, file=asked, flush=True)
        answer()

    answer()
    yield call
    asked.close()
    process.wait()


def many(folder: Path, rows: int) -> bool:
    """Part A; whether it took less than 15 s."""
    columns = make_files(folder, rows // 2)
    check = command(
        [sys.executable, "-m", "assay", "check-data", "--config", str(folder / "assay.yaml")],
        env={"PYTHONPATH": str(ROOT / "toolkit"), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
    )
    (timing,) = alternate({"assay check-data": check}, runs=1, warm_up=0)
    (seconds,) = timing.seconds
    print(f"A: {rows:,} rows x {columns} columns: assay check-data {seconds:.1f} s", end=" ")
    print(f"(target: less than {SECONDS:.0f} s)", flush=True)
    return seconds < SECONDS


def beside(folder: Path, rows: int, runs: int) -> bool:
    """Part B; whether drift was at least 20 times faster than Evidently's."""
    columns = make_files(folder, rows)
    print(f"B: {rows:,} + {rows:,} rows x {columns} columns, {drift(folder)} moved")
    with evidently(folder) as preset:
        sides = {"Evidently's DataDriftPreset": preset, "assay's drift": lambda: drift(folder)}
        slow, fast = alternate(sides, runs=runs)
    print(slow, fast, sep="\n")
    low, ratio, high = pair_ratios(slow, fast)
    print(f"ratio {ratio:.1f} (pairs {low:.1f} to {high:.1f}; target: at least {RATIO:.0f})")
    return ratio >= RATIO


def main() -> None:
    """Measure both parts and print their numbers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--few", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    met = []
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as scratch:
        met.append(many(Path(scratch), arguments.rows))
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as scratch:
        met.append(beside(Path(scratch), arguments.few, arguments.runs))
    sys.exit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
