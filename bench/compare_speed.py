"""Paired intervals for six metrics: `assay compare` on two files against scipy's bootstrap.

Both sides give an interval for the difference in accuracy, precision, recall, F1, log loss and
ROC AUC on the same 100,000 rows. Ours is the whole command in a process of its own: start-up,
reading two Parquet files, joining them by id. scipy's side gets the arrays for nothing and runs
its paired percentile bootstrap with 999 resamples and a vectorised statistic. Prints both times
and the ratio; exits 1 below 10.

    python bench/compare_speed.py [--rows N]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.stats import bootstrap
from side_by_side import alternate, pair_ratios

ROOT = Path(__file__).resolve().parents[1]
RESAMPLES = 999
WANTED = 10


Array = np.ndarray


def predictions(rows: int, folder: Path) -> tuple[Array, Array, Array]:
    """Write base.parquet and head.parquet; return labels and the two sides' probabilities."""
    random = np.random.default_rng(0)
    label = (random.random(rows) < 0.3).astype(int)
    sides = []
    for name, noise in (("base", 1.2), ("head", 1.1)):
        score = 1 / (1 + np.exp(-(2 * label - 1 + noise * random.normal(size=rows))))
        columns = {
            "id": np.arange(rows),
            "y_true": label,
            "y_pred": (score >= 0.5).astype(int),
            "y_score": score,
        }
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")
        sides.append(score)
    return label, sides[0], sides[1]


def ours(folder: Path) -> None:
    """The six usual metrics of a binary task, as the command line gives them."""
    command = [sys.executable, "-m", "assay", "compare", "base.parquet", "head.parquet"]
    subprocess.run(
        [*command, "--json", "--exit-zero"],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        env={"PYTHONPATH": str(ROOT / "toolkit"), "PATH": os.defpath},
    )


def metrics(label: Array, score: Array) -> Array:
    """The six metrics of each resample: (resamples, rows) in, (6, resamples) out."""
    answer = score >= 0.5
    positives, predicted = label.sum(axis=-1), answer.sum(axis=-1)
    hits = (label & answer).sum(axis=-1)
    loss = -np.log(np.where(label == 1, score, 1 - score)).mean(axis=-1)
    ranks = np.argsort(np.argsort(score, axis=-1), axis=-1) + 1
    rows = label.shape[-1]
    area = ((ranks * label).sum(axis=-1) - positives * (positives + 1) / 2) / (
        positives * (rows - positives)
    )
    return np.stack(
        [
            (label == answer).mean(axis=-1),
            hits / predicted,
            hits / positives,
            2 * hits / (positives + predicted),
            loss,
            area,
        ]
    )


def theirs(label: Array, base: Array, head: Array) -> None:
    """The six metrics by scipy's paired bootstrap."""

    def difference(y: Array, left: Array, right: Array, axis: int) -> Array:  # noqa: ARG001 -- always the last
        return metrics(y, right) - metrics(y, left)

    bootstrap(
        (label, base, head),
        difference,
        paired=True,
        n_resamples=RESAMPLES,
        batch=20,
        method="percentile",
        rng=np.random.default_rng(1),
    )


def main() -> int:
    """Run both sides in turn and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        arrays = predictions(rows, folder)
        timings = alternate(
            {
                "assay compare": lambda: ours(folder),
                "scipy.stats.bootstrap": lambda: theirs(*arrays),
            },
            runs=2,
            warm_up=0,
        )
    for timing in timings:
        print(timing)
    low, median, high = (1 / ratio for ratio in reversed(pair_ratios(*timings)))
    print(f"ratio: {median:.1f} (pairs: {low:.1f} to {high:.1f}; wanted: {WANTED})")
    return 0 if median >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
