"""Simulates the grid and writes docs/honesty: a page for people and every cell as CSV.

`--draws` test sets a cell; what an earlier run finished is kept in `--state` and not drawn again
(delete it when a formula has changed).
Run with `make honesty-long`, or alone:
.venv/bin/python tests/honesty/table.py --draws 10000 --processes 2
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "toolkit"), str(ROOT / "tests")]
    # One thread each: the processes share the work.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from honesty.coverage import Coverage  # noqa: E402 -- the path above comes first
from honesty.metrics import METRICS  # noqa: E402
from honesty.report import page, table  # noqa: E402
from honesty.simulation import Batch, Draws, append, collected, planned, read  # noqa: E402

STATE = ROOT / ".venv/honesty.jsonl"
OUT = ROOT / "docs/honesty"


def _run(batch: Batch) -> tuple[Batch, dict[str, Coverage]]:
    return batch, batch.run()


def simulate(state: Path, metrics: list[str], draws: Draws, processes: int) -> None:
    """Run what is left, and say how far it is."""
    done = frozenset(key for key, _ in read(state))
    batches = list(planned(metrics, draws, done))
    state.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for count, (batch, found) in enumerate(pool.imap_unordered(_run, batches), 1):
            append(state, batch, found)
            if count % 100 == 0 or count == len(batches):
                spent = time.monotonic() - start
                print(f"{count} of {len(batches)} batches, {spent:.0f} s", flush=True)


def write(state: Path, metrics: list[str], draws: Draws) -> None:
    """The page and the CSV."""
    results = collected(state, metrics, draws)
    OUT.mkdir(exist_ok=True)
    command = f"tests/honesty/table.py --draws {draws.counts} --row-draws {draws.rows}"
    (OUT / "coverage.md").write_text(page(results, command), encoding="utf-8")
    (OUT / "cells.csv").write_text(table(results), encoding="utf-8")


def main() -> None:
    """Simulate, then write the tables."""
    parser = argparse.ArgumentParser(description="Simulate the grid and write docs/honesty.")
    parser.add_argument("--draws", type=int, default=10_000, help="test sets a cell")
    parser.add_argument("--row-draws", type=int, help="where each row is drawn (default: the same)")
    parser.add_argument("--metrics", nargs="+", default=list(METRICS), choices=list(METRICS))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--state", type=Path, default=STATE, help="batches that are finished")
    parser.add_argument("--only", choices=("simulate", "write"), help="half of the work")
    asked = parser.parse_args()
    draws = Draws(counts=asked.draws, rows=asked.row_draws or asked.draws)
    if asked.only != "write":
        simulate(asked.state, asked.metrics, draws, asked.processes)
    if asked.only != "simulate":
        write(asked.state, asked.metrics, draws)


if __name__ == "__main__":
    main()
