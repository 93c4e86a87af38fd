"""Worlds to draw test sets from, with the true difference known, and what counts as a miss."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from assay.stats.cells import PairedCells
from assay.stats.estimate import Estimate

LEAST_COVERAGE = 0.935
MOST_MISSED = 0.05
"""Of either one-sided claim."""


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Two classifiers of accuracy `accuracy` on K classes, by joint probability.

    `discordant` of the rows of every label are right on one side only, `won` of them on the
    head's. Wrong predictions spread over the other classes alike.
    """

    n: int
    shares: tuple[float, ...]
    discordant: float
    won: float
    accuracy: float = 0.85

    def probabilities(self) -> np.ndarray:
        """Probability of each (label, base, head), shape (K, K, K)."""
        classes = len(self.shares)
        cells = np.zeros((classes,) * 3)
        won, lost = self.won * self.discordant, (1 - self.won) * self.discordant
        for label, share in enumerate(self.shares):
            cells[label, label, label] = share * (self.accuracy - lost)
            for wrong in set(range(classes)) - {label}:
                part = share / (classes - 1)
                cells[label, label, wrong] = part * lost
                cells[label, wrong, label] = part * won
                cells[label, wrong, wrong] = part * (1 - self.accuracy - won)
        return cells

    def draw(self, rng: np.random.Generator, repeats: int) -> Iterable[PairedCells]:
        """Test sets of n rows."""
        cells = self.probabilities()
        for counts in rng.multinomial(self.n, cells.ravel(), size=repeats):
            yield PairedCells.from_dense(counts.reshape(cells.shape))

    def truth(self, estimate: Callable[[PairedCells], Estimate]) -> float:
        """The difference on a test set so large that its rounding does not matter."""
        counts = np.round(self.probabilities() * 1e13).astype(np.int64)
        found = estimate(PairedCells.from_dense(counts)).difference
        assert found is not None
        return found


@dataclass
class Tally:
    """How often intervals missed the truth, and on which side."""

    name: str
    repeats: int = 0
    judged: int = 0
    above: int = 0
    """Intervals that lie above the truth: the head looks better than it is."""
    below: int = 0

    def add(self, found: Estimate, truth: float) -> None:
        """Count one interval."""
        self.repeats += 1
        if found.interval is None:
            return
        self.judged += 1
        self.above += truth < found.interval.low - 1e-9
        self.below += truth > found.interval.high + 1e-9

    def faults(self, cells: int) -> list[str]:
        """What is beyond the promise, for certain: Monte Carlo bounds at 1 in 1,000 runs.

        The bounds are Clopper and Pearson's, at a level divided by the number of `cells`.
        """
        if self.judged == 0:
            return []
        level = 0.001 / cells
        covered = self.judged - self.above - self.below
        found = []
        if upper_bound(covered, self.judged, level) < LEAST_COVERAGE:
            found.append(f"{self.name}: covers {covered} of {self.judged}")
        for side, missed in (("above", self.above), ("below", self.below)):
            if lower_bound(missed, self.judged, level) > MOST_MISSED:
                found.append(f"{self.name}: {missed} of {self.judged} lie {side} the truth")
        return found


def upper_bound(successes: int, trials: int, level: float) -> float:
    """Clopper and Pearson's upper bound of a share, one-sided at `level`."""
    if successes == trials:
        return 1.0
    return float(betaincinv(successes + 1, trials - successes, 1 - level))


def lower_bound(successes: int, trials: int, level: float) -> float:
    """Clopper and Pearson's lower bound of a share, one-sided at `level`."""
    return 1 - upper_bound(trials - successes, trials, level)
