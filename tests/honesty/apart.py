"""Simulated windows and earlier weeks, compared as a look compares all features together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.config.monitoring import Multivariate
from assay.monitoring.drift import LEVEL
from assay.monitoring.multivariate import raised
from assay.monitoring.told_apart import Comparison, tell_apart
from assay.tables.feature_rows import FeatureRows
from support.classifiers import ready_classifier

FEATURES, CATEGORIES = 8, 2
WEEKS = 4
ROWS = 1_000
"""Of the window, and of each earlier week."""
WORLDS = {"nothing moves": 0.0, "days move by 0.1": 0.1}
"""By how many deviations each feature of a day moves by itself."""
CHANGES = {
    "two features go together by 0.2 less": 0.2,
    "by 0.4 less": 0.4,
    "by 0.6 less": 0.6,
    "and now against each other": 1.6,
}
"""By how much less the first two features, which are alike by 0.8, are correlated."""
_ALIKE = 0.8


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What one look says."""

    auc: float
    p: float
    interval: tuple[float, float]
    threshold: float

    @property
    def moved(self) -> bool:
        """Whether it is a finding, as `monitoring.multivariate` decides it."""
        return self.p < LEVEL and self.auc > self.threshold


def day(rng: np.random.Generator, *, moves: float, less: float = 0.0) -> NDArray[np.float64]:
    """Rows of one day, of shape (ROWS, FEATURES + CATEGORIES): each feature stays a normal."""
    numbers = rng.normal(size=(ROWS, FEATURES))
    alike = _ALIKE - less
    numbers[:, 1] = alike * numbers[:, 0] + np.sqrt(1 - alike**2) * numbers[:, 1]
    codes = rng.integers(0, 6, (ROWS, CATEGORIES)).astype(float)
    return np.hstack([numbers + rng.normal(0, moves, FEATURES), codes])


def compared(folder: Path, seeds: Sequence[int], *, moves: float, less: float) -> list[Compared]:
    """One look for each seed: its window against the same hours of earlier weeks."""
    drawn = [_drawn(seed, moves=moves, less=less) for seed in seeds]
    categories = np.arange(FEATURES + CATEGORIES) >= FEATURES
    tool = ready_classifier(folder)
    asked = [each for looks in drawn for each in looks]
    told = iter(tell_apart(tool, asked, categories))
    found = []
    for looks in drawn:
        answer, *usual = [next(told) for _ in looks]
        found.append(
            Compared(
                auc=answer.found.auc,
                p=answer.found.p,
                interval=answer.found.interval,
                threshold=raised(Multivariate().auc, usual),
            )
        )
    return found


def _drawn(seed: int, *, moves: float, less: float) -> list[Comparison]:
    rng = np.random.default_rng([seed, round(100 * moves), round(100 * less)])
    days = [
        FeatureRows(
            values=day(rng, moves=moves, less=gone), keys=rng.integers(0, 2**63, ROWS, np.uint64)
        )
        for gone in (*[0.0] * WEEKS, less)
    ]
    *weeks, now = days
    usual = [(one, [each for each in weeks if each is not one]) for one in weeks]
    # A look asks what is usual only where it would else speak up.
    usual = usual if moves or less else []
    return [
        Comparison(
            before=FeatureRows(
                values=np.concatenate([each.values for each in others]),
                keys=np.concatenate([each.keys for each in others]),
            ),
            now=one,
        )
        for one, others in [(now, weeks), *usual]
    ]
