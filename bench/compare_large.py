"""100,000,000 rows a side, two Parquet files: one `assay compare` with its usual metrics.

Accuracy, precision, recall, F1, log loss and ROC AUC (exact, with its curves), the digests of both
files included. Prints the seconds, the processor's seconds and the peak resident memory on 1 % of
the rows and on all, and how time grew; exits 1 at 60 s, 2 GiB, or where time grew faster than the
rows. Files in different orders are compared as well, on a fifth of the rows, and reported apart.
Of several runs the quickest counts. Makes about 2.5 GB of files in TMPDIR and needs as much again
for what is ranked; takes some 2 minutes on two idle cores, most of them for making the files.

    python bench/compare_large.py [--rows N] [--runs N]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from prediction_files import write_sides

ROOT = Path(__file__).resolve().parents[1]
SECONDS, MEMORY = 60.0, 2.0


@dataclass(frozen=True, kw_only=True)
class Used:
    """What one comparison, in a process of its own, took of the machine."""

    seconds: float
    processor: float
    """Seconds of all cores together."""
    memory: float
    """The most that was resident, in GiB."""


def timed(folder: Path) -> Used:
    """Compare the two files in ``folder`` once."""
    arguments = ["-m", "assay", "compare", "base.parquet", "head.parquet", "--json", "--exit-zero"]
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "toolkit")}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=folder, env=variables, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        sys.exit("assay compare failed")
    return Used(
        seconds=seconds,
        processor=used.ru_utime + used.ru_stime,
        memory=used.ru_maxrss / (1 << 30 if sys.platform == "darwin" else 1 << 20),
    )


def run(rows: int, runs: int, *, shuffled: bool = False) -> Used:
    """Make files of so many rows, compare them, print what it took, and return the quickest."""
    order = "different orders" if shuffled else "one order"
    print(f"{rows:,} rows a side, {order}:")
    found = []
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as scratch:
        write_sides(Path(scratch), rows, shuffled=shuffled)
        for _ in range(runs):
            load = os.getloadavg()[0]
            used = timed(Path(scratch))
            found.append(used)
            print(
                f"    {used.seconds:.1f} s, {used.processor:.1f} s of processor, "
                f"peak {used.memory:.2f} GiB (load average before: {load:.1f})",
                flush=True,
            )
    return min(found, key=lambda used: used.seconds)


def main() -> int:
    """Measure all three and say whether the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--runs", type=int, default=1)
    asked = parser.parse_args()
    small = run(asked.rows // 100, asked.runs)
    large = run(asked.rows, asked.runs)
    run(asked.rows // 5, asked.runs, shuffled=True)
    growth = large.seconds / small.seconds
    print(f"time grew by {growth:.0f} for 100 times the rows")
    met = large.seconds < SECONDS and large.memory < MEMORY and growth <= 100
    print(f"wanted: below {SECONDS:.0f} s and {MEMORY:.0f} GiB: {'met' if met else 'not met'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
