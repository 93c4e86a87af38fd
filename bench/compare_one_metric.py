"""One metric on 100,000 rows, from two Parquet files to the interval: ours against scipy.

Both sides run in this process with their imports done, in turns. Theirs reads the files with
pandas and calls scipy.stats.bootstrap(paired=True) with 999 resamples, first as it comes (the BCa
method, its default), then with method="percentile", which is quicker. Prints the times, the
ratios and how far the ends lie apart as a share of the interval's width; exits 1 where the ratio
to the call as it comes is below 300, or an end is off by more than 2 % of the width. Takes some
minutes, all of them scipy's.

    python bench/compare_one_metric.py [--rows N]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from prediction_files import write_sides
from scipy.stats import bootstrap
from side_by_side import alternate, pair_ratios

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "toolkit"))

from assay.comparison import Asked, compare  # noqa: E402 -- the path comes first

RESAMPLES = 999
WANTED = 300
NEAR = 0.02

Ends = tuple[float, float]


def ours(files: tuple[Path, Path]) -> Ends:
    """The interval of the difference in accuracy."""
    found = compare(*files, Asked(report=("accuracy",)))
    (accuracy,) = (m for m in found.measurements if m.metric == "accuracy")
    if accuracy.interval is None:
        raise SystemExit(f"no interval: {accuracy.regime or accuracy.undefined}")
    return accuracy.interval


def theirs(files: tuple[Path, Path], method: str, resamples: int = RESAMPLES) -> Ends:
    """The same by the paired bootstrap."""
    base, head = (pd.read_parquet(path, columns=["id", "y_true", "y_pred"]) for path in files)
    joined = base.merge(head, on="id", suffixes=("_base", "_head"))
    right = [
        (joined["y_true_head"] == joined[f"y_pred_{side}"]).to_numpy(dtype=float)
        for side in ("base", "head")
    ]

    def difference(left: np.ndarray, other: np.ndarray, axis: int) -> np.ndarray:
        return other.mean(axis=axis) - left.mean(axis=axis)

    found = bootstrap(
        right,
        difference,
        paired=True,
        vectorized=True,
        n_resamples=resamples,
        batch=20,
        method=method,
        rng=np.random.default_rng(1),
    ).confidence_interval
    return float(found.low), float(found.high)


def main() -> int:
    """Run both sides in turn and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as scratch:
        files = write_sides(Path(scratch), rows)
        quick = alternate(
            {
                "scipy, percentile": lambda: theirs(files, "percentile"),
                "assay": lambda: ours(files),
            },
            runs=5,
        )
        slow = alternate(
            {
                "scipy, as it comes (BCa)": lambda: theirs(files, "BCa"),
                "assay": lambda: ours(files),
            },
            runs=1,
            warm_up=0,
        )
        # Ten times the resamples: the comparison of ends is of methods, not of the seed's noise.
        low, high = theirs(files, "percentile", 20 * RESAMPLES)
        mine = ours(files)
    for timing in (*quick, *slow):
        print(timing)
    print(f"ratio to the percentile bootstrap: {pair_ratios(*quick)[1]:.0f}")
    fast = min(*quick[1].seconds, *slow[1].seconds)
    ratio = slow[0].median / quick[1].median
    print(f"ratio to the call as it comes: {ratio:.0f} (wanted: {WANTED}; least time {fast:.3f} s)")
    apart = max(abs(mine[0] - low), abs(mine[1] - high)) / (high - low)
    print(
        f"ends: ({mine[0]:.6f}, {mine[1]:.6f}) and ({low:.6f}, {high:.6f}), "
        f"apart by {apart:.1%} of the width (wanted: at most {NEAR:.0%})"
    )
    met = ratio >= WANTED and apart <= NEAR
    print("met" if met else "not met")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
