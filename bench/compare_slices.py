"""Five metrics on twenty slices of 1,000,000 rows: `assay compare` as a whole command.

Start-up, reading and joining two Parquet files and every interval included, in turns with a
process that only reads the files' columns with the same engine. Prints both times and the share of
reading; exits 1 where the least time is 2 seconds or more.

    python bench/compare_slices.py [--rows N] [--runs N]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from prediction_files import SLICES, write_sides
from side_by_side import alternate, command

ROOT = Path(__file__).resolve().parents[1]
METRICS = ("accuracy", "precision", "recall", "f1", "log_loss")
WANTED = 2.0
READ = """
import duckdb, sys
with duckdb.connect() as connection:
    for path in sys.argv[1:]:
        columns = [row[0] for row in connection.sql(f"DESCRIBE FROM '{path}'").fetchall()]
        listed = ", ".join(f"count(hash({column}))" for column in columns)
        connection.sql(f"SELECT {listed} FROM '{path}'").fetchall()
"""


def main() -> int:
    """Run both in turn and print the times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    variables = {"PYTHONPATH": str(ROOT / "toolkit"), "PATH": os.defpath}
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as scratch:
        files = [
            path.as_posix() for path in write_sides(Path(scratch), arguments.rows, slices=True)
        ]
        asked = [text for name in METRICS for text in ("--metric", name)]
        asked += [text for name in SLICES for text in ("--slice", name)]
        ours = [sys.executable, "-m", "assay", "compare", *files, *asked, "--exit-zero", "--json"]
        compared, read = alternate(
            {
                "assay compare": command([*ours, "--worst-slice", "off"], env=variables),
                "reading the files": command([sys.executable, "-c", READ, *files], env=variables),
            },
            runs=arguments.runs,
        )
    print(compared)
    print(read)
    least = min(compared.seconds)
    print(f"reading is {read.median / compared.median:.0%} of it")
    print(f"least {least:.2f} s (wanted: below {WANTED:.0f} s): ", end="")
    print("met" if least < WANTED else "not met")
    return 0 if least < WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
