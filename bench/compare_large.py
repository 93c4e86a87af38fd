"""100,000,000 rows a side, two Parquet files: one `assay compare` with its usual metrics.

Accuracy, precision, recall, F1, log loss and ROC AUC (exact, with its curves), the digests of both
files included. Prints the seconds and the peak resident memory of one run on 1 % of the rows and
of one on all, and how time grew; exits 1 at 60 s, 2 GiB, or where time grew faster than the rows.
Files in different orders are compared as well, on a tenth of the rows, and reported apart. Makes
about 2.5 GB of files in TMPDIR and needs as much again for what is ranked; takes some 3 minutes on
two idle cores.

    python bench/compare_large.py [--rows N]
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from prediction_files import write_sides

ROOT = Path(__file__).resolve().parents[1]
SECONDS, MEMORY = 60.0, 2.0


def timed(folder: Path) -> tuple[float, float]:
    """Seconds and peak resident memory, in GiB, of one comparison in a process of its own."""
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
    return seconds, _gibibytes(used)


def _gibibytes(used: resource.struct_rusage) -> float:
    return used.ru_maxrss / (1 << 30 if sys.platform == "darwin" else 1 << 20)


def run(rows: int, *, shuffled: bool = False) -> tuple[float, float]:
    """Make files of so many rows, compare them, and print what it took."""
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as scratch:
        write_sides(Path(scratch), rows, shuffled=shuffled)
        seconds, memory = timed(Path(scratch))
    order = "different orders" if shuffled else "one order"
    print(f"{rows:>11,} rows, {order}: {seconds:7.2f} s, peak {memory:.2f} GiB", flush=True)
    return seconds, memory


def main() -> int:
    """Measure all three and say whether the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000_000)
    rows = parser.parse_args().rows
    small, _ = run(rows // 100)
    seconds, memory = run(rows)
    run(rows // 10, shuffled=True)
    print(f"time grew by {seconds / small:.0f} for 100 times the rows")
    met = seconds < SECONDS and memory < MEMORY and seconds / small <= 100
    print(f"wanted: below {SECONDS:.0f} s and {MEMORY:.0f} GiB: {'met' if met else 'not met'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
