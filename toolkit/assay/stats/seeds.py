"""Base and head trained several times: the difference that another training would show too.

A side's value is the mean over its seeds. Its error has two sources, which add up: the test rows,
which all models share, and the training, which differs between seeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from assay.stats.estimate import (
    POWER,
    Contrast,
    Estimate,
    from_standard_error,
    quantile,
)

FEWEST_SEEDS = 3
"""With two seeds Student's quantile is 12.7, and the interval three times as wide as with three."""


@dataclass(frozen=True, kw_only=True)
class PairVariance:
    """The squared standard error of the difference of two models on the same rows.

    `smoothing` is what pseudo-rows add to it; both are variances of the mean, not of one row.
    """

    plain: float
    smoothing: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Trained:
    """One side: the metric of each seed, and the error of differences between its seeds."""

    values: Sequence[float]
    within: Sequence[PairVariance] = ()
    """Of pairs of this side's seeds; empty with one seed."""

    @property
    def seeds(self) -> int:
        """How often the side was trained."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """The mean over seeds."""
        return float(np.mean(self.values))

    @property
    def between(self) -> float:
        """Squared standard error of the mean over seeds, from how the seeds differ."""
        return float(np.var(self.values, ddof=1)) / self.seeds if self.seeds > 1 else 0.0

    @property
    def half_within(self) -> float:
        """What one seed's value varies by the test rows alone, beyond what all seeds share."""
        return float(np.mean([pair.plain for pair in self.within])) / 2 if self.within else 0.0


@dataclass(frozen=True, kw_only=True)
class OverSeeds:
    """The estimate, and the two standard errors that it is made of."""

    estimate: Estimate
    test_error: float
    training_error: float | None
    """None where a side has one seed: training noise is not measured then."""


def seeds_difference(
    contrast: Contrast,
    base: Trained,
    head: Trained,
    cross: Sequence[PairVariance],
    *,
    confidence: float,
    clusters: int | None = None,
) -> OverSeeds:
    """Compare the means over seeds; `cross` are pairs of a head's seed with a base's.

    With three or more seeds on both sides the claim is about the expected model: the error of
    the test rows that all seeds share, V(cross) − V(within base)/2 − V(within head)/2, and that
    between seeds, s²/k a side, which holds what the rows add to each seed alone. Each source has
    its own quantile, Student's with k − 1 degrees of freedom for a side's seeds, normal for the
    rows, and the half-width is the root of the sum of their squares (Howe 1974, J. Am. Stat.
    Assoc. 69). Two seeds on a side say too little and are not judged. With one seed on a side
    the claim is about these very models, and training noise is not measured. Where the rows come
    in `clusters` their quantile is Student's too, with one degree of freedom less than those.
    """
    weight = contrast.base_weight
    measured = base.seeds > 1 and head.seeds > 1
    plain = float(np.mean([pair.plain for pair in cross]))
    smoothing = float(np.mean([pair.smoothing for pair in cross]))
    shared = plain - weight**2 * base.half_within - head.half_within
    if not measured:
        shared += weight**2 * base.half_within / base.seeds + head.half_within / head.seeds
    rows = max(0.0, shared)
    sides = ((weight**2 * base.between, base.seeds), (head.between, head.seeds))

    def ends(z: float) -> tuple[float, float]:
        reach = z if clusters is None else -float(stdtrit(clusters - 1, ndtr(-z)))
        square = reach**2 * (rows + (smoothing if z else 0.0))
        if measured:
            square += sum(float(stdtrit(k - 1, ndtr(-z))) ** 2 * part for part, k in sides)
        half = math.sqrt(square)
        return contrast.difference - half, contrast.difference + half

    def error(z: float) -> float:
        """The half-width in units of z, so that detectable differences use the same quantiles."""
        return (ends(z)[1] - contrast.difference) / z if z else math.sqrt(rows)

    found = from_standard_error(contrast, error, confidence, ends=ends)
    training = math.sqrt(sum(part for part, _ in sides)) if measured else None
    test_error = math.sqrt(rows + smoothing)
    if measured and min(base.seeds, head.seeds) < FEWEST_SEEDS:
        few = contrast.refused(f"too few seeds: {FEWEST_SEEDS} on each side are the least")
        return OverSeeds(estimate=few, test_error=test_error, training_error=training)
    z = quantile(confidence)
    total = rows + smoothing + (training or 0.0) ** 2
    reach = (found.interval.high - found.interval.low) / 2 if found.interval else z
    return OverSeeds(
        estimate=_without_rows(found, reach + float(ndtri(POWER)) * math.sqrt(total)),
        test_error=test_error,
        training_error=training,
    )


def _without_rows(found: Estimate, detectable: float) -> Estimate:
    """The estimate without a variance of one row: more rows alone do not settle it."""
    return Estimate(
        n=found.n,
        base=found.base,
        head=found.head,
        difference=found.difference,
        interval=found.interval,
        p_worse=found.p_worse,
        detectable=detectable,
        base_weight=found.base_weight,
    )
