"""What intervals on clustered rows are held to, with the cluster declared and without."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from assay.stats.estimate import Estimate

Array = NDArray[np.float64]


class Tally:
    """Counts what an interval does over runs."""

    def __init__(self) -> None:
        self.low = self.high = self.refused = 0
        self.widths: list[float] = []

    def add(self, found: Estimate, truth: float) -> None:
        if found.interval is None:
            self.refused += 1
            return
        self.low += found.interval.low > truth
        self.high += found.interval.high < truth
        self.widths.append(found.interval.high - found.interval.low)

    def shown(self) -> str:
        judged = len(self.widths)
        if not judged:
            return f"none judged, {self.refused} refused"
        ends = binomtest(judged - self.low - self.high, judged).proportion_ci(0.95, "exact")
        covered = 1 - (self.low + self.high) / judged
        return (
            f"{covered:.3f} [{ends.low:.3f}, {ends.high:.3f}] of {judged}, {self.refused} refused"
        )

    def holds(self, level: float, cells: int) -> bool:
        """Whether coverage may be `level`, Bonferroni over the cells."""
        judged = len(self.widths)
        covered = judged - self.low - self.high
        ends = binomtest(covered, judged).proportion_ci(1 - 0.05 / cells, "exact")
        return bool(ends.high >= level)


def together(rng: np.random.Generator, clusters: int, rows: int, shared: float, k: int) -> Array:
    """Standard normal values of shape (clusters·rows, k), correlated by `shared` in a cluster."""
    common = np.repeat(rng.normal(size=(clusters, k)), rows, axis=0)
    own = rng.normal(size=(clusters * rows, k))
    values: Array = np.sqrt(shared) * common + np.sqrt(1 - shared) * own
    return values
