"""One look at a day's log in thousands of small files, beside the same rows in one.

The delivery target closes a file every ten seconds, which makes 8,640 a day. Both sides are one
`take_look` (what `assay monitor` calls) at the same rows, by turns, each with a state folder of its
own; the ratio is what the small files cost.

    python bench/monitor_parts.py [--parts N] [--rows N] [--runs N]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import duckdb
from monitor_speed import look, make_file, reference_of
from side_by_side import alternate, pair_ratios


def split(log: Path, folder: Path, parts: int) -> None:
    """Write the rows of `log` as so many files, in the order of their times."""
    folder.mkdir()
    with duckdb.connect() as connection:
        connection.execute(
            f'CREATE TABLE log AS SELECT *, ntile({parts}) OVER (ORDER BY "at") AS part '  # noqa: S608
            f"FROM '{log.as_posix()}'"
        )
        for part in range(1, parts + 1):
            connection.execute(
                f"COPY (SELECT * EXCLUDE (part) FROM log WHERE part = {part}) "  # noqa: S608
                f"TO '{folder.as_posix()}/{part:05}.parquet' (FORMAT parquet)"
            )


def main() -> int:
    """Time both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", type=int, default=8_640)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        one, many = (Path(scratch) / name for name in ("one", "many"))
        for folder in (one, many):
            folder.mkdir()
            make_file(folder / "before.parquet", 0, 20_000, moved=False)
        labels = one / "labels.parquet"
        make_file(one / "log.parquet", 20_000, given.rows, moved=True, labels=labels)
        (many / "labels.parquet").write_bytes(labels.read_bytes())
        split(one / "log.parquet", many / "log.parquet", given.parts)
        reference = reference_of(one / "before.parquet")
        seen = {name: look(reference, Path(scratch) / name) for name in ("one", "many")}
        if seen["one"].windows != seen["many"].windows:
            print("the two looks count differently", file=sys.stderr)
            return 1
        sides = {
            f"{given.parts:,} files": lambda: look(reference, many),
            "one file": lambda: look(reference, one),
        }
        slow, fast = alternate(sides, runs=given.runs, warm_up=0)
    low, ratio, high = pair_ratios(slow, fast)
    each = 1_000 * (slow.median - fast.median) / given.parts
    print(slow, fast, sep="\n")
    print(f"ratio {ratio:.1f} (pairs {low:.1f} to {high:.1f}): {each:.1f} ms a file")
    return 0


if __name__ == "__main__":
    sys.exit(main())
