"""One look at ten million predictions of 30 features, and drift beside Evidently.

Part A takes one `take_look` (what `assay monitor` calls) at 10,000,000 predictions of one day in
Parquet, 30 features, score and answer, with labels for one in ten: marginal drift, live quality
with intervals, and the estimates from the scores, in a process that does nothing else; it prints
seconds, seconds of processor and peak memory. Part B times the same look on 200,000 + 200,000 rows
of the same columns, from Parquet files to the numbers: ours with the making of the reference,
against Evidently's DataDriftPreset with its defaults, and against NannyML's Jensen-Shannon distance
of every column and its CBPE of accuracy. Exits 1 where part A takes 10 s, 1 GiB or more, or
one of the others is faster. Their environments are installed first.

    python bench/monitor_speed.py [--rows N] [--few N] [--runs N]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "toolkit"))

from drift_speed import evidently, imported  # noqa: E402 -- the path comes first
from side_by_side import alternate, pair_ratios  # noqa: E402

from assay.config import Columns, parse_config  # noqa: E402
from assay.evidence import Look  # noqa: E402
from assay.evidence.monitoring import Reference  # noqa: E402
from assay.monitoring.look import Task, take_look  # noqa: E402
from assay.monitoring.profile import make_reference  # noqa: E402

SECONDS, MIB = 10.0, 1024.0
NUMBERS, TEXTS = 22, 8
MOVED = 2
EACH = 10
"""One in so many predictions has its label."""
DAY = datetime(2026, 9, 1, tzinfo=UTC)
CONFIG = """\
version: 1
models:
  bench:
    predictions: before.parquet
    gates: {accuracy: {margin: 0.01}}
    columns: {positive: 1}
    monitoring:
      logs: {source: log.parquet, id: id, time: at, version: null, score: score}
      labels: {source: labels.parquet, id: id, delay: 0}
      quality: {accuracy: {margin: 0.01}}
"""
NANNYML = """\
import sys
import nannyml
import pandas as pd

print("ready", flush=True)
for line in sys.stdin:
    before, now = (pd.read_parquet(f"{line.strip()}/{n}.parquet") for n in ("train", "test"))
    known = ("id", "score", "prediction", "label")
    names = [column for column in before if column not in known]
    texts = [column for column in names if column.startswith("text")]
    drift = nannyml.UnivariateDriftCalculator(
        column_names=[*names, "score", "prediction"],
        treat_as_categorical=[*texts, "prediction"],
        continuous_methods=["jensen_shannon"],
        categorical_methods=["jensen_shannon"],
        chunk_number=1,
    ).fit(before)
    found = drift.calculate(now).to_df()
    performance = nannyml.CBPE(
        problem_type="classification_binary",
        y_pred_proba="score",
        y_pred="prediction",
        y_true="label",
        metrics=["accuracy"],
        chunk_number=1,
    ).fit(before)
    print(len(found) + len(performance.estimate(now).to_df()), flush=True)
"""


def make_file(
    path: Path,
    first: int,
    rows: int,
    *,
    moved: bool,
    labels: Path | None = None,
    dated: bool = True,
) -> None:
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
        f"make_timestamp(1788220800000000 + (range - {first}) * 86400000000 // {rows}) AS at",
    ]
    label = "" if labels is None else "EXCLUDE (label)"
    label = label if dated else 'EXCLUDE ("at")'
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT * {label} FROM (SELECT {', '.join(columns)} "  # noqa: S608
            f"FROM range({first}, {first + rows}))) TO '{path.as_posix()}' (FORMAT parquet)"
        )
        if labels is not None:
            connection.execute(
                f"COPY (SELECT id, label FROM (SELECT {', '.join(columns)} "  # noqa: S608
                f"FROM range({first}, {first + rows}) WHERE range % {EACH} = 0)) "
                f"TO '{labels.as_posix()}' (FORMAT parquet)"
            )


def _noise(stream: int) -> str:
    """SQL for a whole number from 0 up to 1e8 that depends on the row and the stream only."""
    return f"CAST(hash(range * 128 + {stream}) % 100000000 AS BIGINT)"


def reference_of(path: Path) -> Reference:
    """Profile one file that holds features and predictions."""
    return make_reference(
        model="bench", predictions=path, data=None, columns=Columns(positive=1), ignore=["at"]
    )


def look(reference: Reference, folder: Path) -> Look:
    """Look once at the end of the day; a state folder of its own each time."""
    model = parse_config(CONFIG, file="assay.yaml").models["bench"]
    assert model.monitoring is not None
    with tempfile.TemporaryDirectory(prefix="assay-bench-", dir=folder) as state:
        task = Task(
            name="bench",
            model=model,
            monitoring=model.monitoring,
            root=folder,
            state=Path(state),
            at=DAY.replace(day=2),
            promised={"accuracy": 0.75},
            replayed=True,
            reference=reference,
        )
        return take_look(task, Path(state))


def many(folder: Path, rows: int) -> bool:
    """Part A, in a process of its own so that its memory is its own."""
    make_file(folder / "before.parquet", 0, 100_000, moved=False)
    labels = folder / "labels.parquet"
    make_file(folder / "log.parquet", 100_000, rows, moved=True, labels=labels)
    reference_of(folder / "before.parquet").write(folder)
    asked = [sys.executable, __file__, "--look", str(folder)]
    answer = subprocess.run(asked, check=True, capture_output=True, text=True)
    moved, estimated, measured, seconds, spent, mib = map(float, answer.stdout.split())
    print(
        f"A: {rows:,} predictions x {NUMBERS + TEXTS} features, {rows // EACH:,} labels: "
        f"{moved:.0f} moved, accuracy estimated at {estimated:.4f} and measured at {measured:.4f} "
        f"(true: 0.75); "
        f"{seconds:.1f} s ({spent:.1f} s of processor) and {mib:.0f} MiB, at a load of "
        f"{os.getloadavg()[0]:.0f} "
        f"(targets: less than {SECONDS:.0f} s and {MIB:.0f} MiB)",
        flush=True,
    )
    return moved == MOVED and seconds < SECONDS and mib < MIB


def one_look(folder: Path) -> None:
    """What part A's process does."""
    started = time.perf_counter()
    found = look(Reference.read(folder), folder)
    seconds, spent = time.perf_counter() - started, time.process_time()
    # Not ru_maxrss: a process inherits that of the one which started it.
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
    quality = found.windows[0].quality
    values = {one.estimated: one.value for one in quality if one.metric == "accuracy"}
    moved = sum(drift.moved for drift in found.drift)
    print(moved, values[True], values[False], seconds, spent, peak)


def beside(folder: Path, rows: int, runs: int) -> bool:
    """Part B; whether ours was faster than each."""
    make_file(folder / "train.parquet", 0, rows, moved=False, dated=False)
    make_file(folder / "test.parquet", rows, rows, moved=True, dated=False)
    labels = folder / "labels.parquet"
    make_file(folder / "log.parquet", rows, rows, moved=True, labels=labels)

    def ours() -> None:
        look(reference_of(folder / "train.parquet"), folder)

    others = {
        "Evidently's DataDriftPreset": evidently(folder),
        "NannyML's drift and CBPE": imported("nannyml", NANNYML, folder),
    }
    faster = []
    for name, other in others.items():
        with other as call:
            slow, fast = alternate({name: call, "assay's reference and look": ours}, runs=runs)
        print(f"B: {rows:,} + {rows:,} rows", slow, fast, sep="\n")
        low, ratio, high = pair_ratios(slow, fast)
        print(f"ratio {ratio:.1f} (pairs {low:.1f} to {high:.1f})", flush=True)
        faster.append(ratio > 1)
    return all(faster)


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
