"""What came of the intervals of one cell, and whether it keeps the promise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assay.stats.cells import PairedCells
from assay.stats.estimate import Estimate, quantile
from honesty.counted import distinct
from honesty.grid import Cell, Metric
from honesty.regimes import LEAST_COVERAGE, MOST_MISSED, lower_bound, upper_bound
from honesty.vectorised import Intervals

MOST_COVERAGE = 0.965
"""Asked only where FEWEST_DISCORDANT rows change in every label that the metric uses."""
FEWEST_DISCORDANT = 50
ALARM = 0.001
"""How often a suite of honest intervals fails by chance, at most."""


@dataclass(kw_only=True)
class Coverage:
    """How often one metric's intervals missed the truth in one cell, and how wide they were."""

    drawn: int = 0
    judged: int = 0
    above: int = 0
    """Intervals that lie above the truth: the head looks better than it is."""
    below: int = 0
    width: float = 0.0
    """Sum of the widths of the judged."""
    raw: float = 0.0
    """Sum of the widths of the raw normal intervals beside them."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why the others were not judged: regimes, and what left the metric undefined."""

    def add(self, found: Estimate, truth: float, times: int) -> None:
        """Count one interval, as often as its test set was drawn."""
        self.drawn += times
        if found.interval is None:
            self.reasons[found.regime or f"not measured: {found.undefined}"] += times
            return
        low, high = found.interval.low, found.interval.high
        self.judged += times
        self.above += times * int(truth < low - 1e-9)
        self.below += times * int(truth > high + 1e-9)
        self.width += times * (high - low)
        assert found.row_variance is not None
        error = (found.row_variance / found.n) ** 0.5
        self.raw += times * 2 * quantile(found.interval.confidence) * error

    def add_tables(
        self,
        found: Intervals,
        tables: NDArray[np.int64],
        estimate: Callable[[PairedCells], Estimate],
        truth: float,
    ) -> None:
        """Count the intervals of many tables, and hold some of them to the engine.

        What is not judged is asked of the engine, for its reason.
        """
        for place in {0, 1, 2, len(tables) - 1}:
            engine = estimate(PairedCells.from_dense(tables[place])).interval
            theirs = (engine.low, engine.high) if engine else (np.nan, np.nan)
            ours = (found.low[place], found.high[place])
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
        judged = ~np.isnan(found.low)
        low, high, raw = found.low[judged], found.high[judged], found.raw[judged]
        self.drawn += int(judged.sum())
        self.judged += int(judged.sum())
        self.above += int((truth < low - 1e-9).sum())
        self.below += int((truth > high + 1e-9).sum())
        self.width += float((high - low).sum())
        self.raw += float(raw.sum())
        for table, times in distinct(tables[~judged]):
            refused = estimate(PairedCells.from_dense(table))
            assert refused.interval is None
            self.add(refused, truth, times)

    def merge(self, other: Coverage) -> None:
        """Count what another run of the same cell counted."""
        for name in ("drawn", "judged", "above", "below", "width", "raw"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.reasons.update(other.reasons)

    @property
    def gated(self) -> bool:
        """Whether most test sets are not judged, so that those that are were selected."""
        return 2 * self.judged < self.drawn

    @property
    def asked(self) -> int:
        """The test sets that misses are held against: the judged, or all where most are not.

        What is not judged claims nothing, so it cannot miss.
        """
        return self.drawn if self.gated else self.judged

    @property
    def share(self) -> float:
        """How often the truth is not missed, among those asked."""
        return 1 - (self.above + self.below) / self.asked

    def faults(self, metric: Metric, cell: Cell, cells: int) -> list[str]:
        """What is beyond the promise, for certain, when `cells` of them are asked at once.

        Clopper and Pearson's bounds at ALARM, divided by the number of cells (Bonferroni).
        """
        if metric.outside(cell) is not None:
            return []
        level = ALARM / cells
        covered = self.asked - self.above - self.below
        found = []
        if upper_bound(covered, self.asked, level) < LEAST_COVERAGE:
            found.append(f"covers {covered} of {self.asked}")
        for side, missed in (("above", self.above), ("below", self.below)):
            if lower_bound(missed, self.asked, level) > MOST_MISSED:
                found.append(f"{missed} of {self.asked} lie {side} the truth")
        # Regimes refuse the test sets whose intervals would miss most, so among the judged alone
        # even the narrowest honest interval covers more than it promises.
        wide = lower_bound(covered, self.drawn, level) > MOST_COVERAGE
        if wide and not self.gated and asked_to_be_narrow(metric, cell):
            found.append(f"covers as many as {covered} of {self.drawn}")
        return found


def asked_to_be_narrow(metric: Metric, cell: Cell) -> bool:
    """Whether coverage may not exceed MOST_COVERAGE here."""
    return metric.world.discordant(cell, labels=metric.labels) >= FEWEST_DISCORDANT
