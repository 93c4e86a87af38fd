"""Expected calibration error: how far confidence and frequency are apart, over bins of equal width.

With the gap gₖ = Σ (p − y) / n over the rows of bin k, the error is Σ |gₖ| (Naeini, Cooper and
Hauskrecht 2015, AAAI; Guo et al. 2017, ICML). A row adds sign(gₖ)·(p − y), so where every gap's
sign is clear it is a mean of per-row values, and the delta method applies.

Where a gap is near 0 its sign is chance and |gₖ| is too large: its mean is that of |N(gₖ, σₖ)|,
which exceeds |gₖ| by 2σ·(φ(u) − u·(1 − Φ(u))), u = |gₖ| / σ. On the same rows part of that cancels
between the sides, and a model that is better calibrated than the other loses more of it. So the
interval is widened, on either side, by what a side's value may be too large by: the sum over bins
of that excess at u = |gₖ| / σ − 1 (one standard error nearer to 0 than what was measured), but in
no bin by more than the two sides' gaps differ, plus the standard error of that difference.

Where rows are clustered, stratified or weighted, every sum is a weighted one, and the standard
errors, those of the gaps as well, are those of the clusters' sums (stats.design).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, stdtrit

from assay.stats.design import Design, Units, parts_of, too_little
from assay.stats.estimate import (
    FEWEST_ROWS,
    RELATIVE_TO_NOTHING,
    Contrast,
    Estimate,
    from_standard_error,
    quantile,
    undefined,
)
from assay.stats.influence import of_mean
from assay.stats.moments import JointMoments
from assay.stats.studentised import Part, degrees_of_freedom

BINS = 10
Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class _Side:
    """One side's bins: arrays of shape (n,) and (BINS,)."""

    bins: NDArray[np.int64]
    errors: Vector
    """p − y of every row."""
    gaps: Vector
    """Σ w·(p − y) / Σ w of every bin."""

    @classmethod
    def of(cls, side: tuple[ArrayLike, ArrayLike], weights: Vector | None = None) -> _Side:
        confidence, right = (np.asarray(array, dtype=np.float64) for array in side)
        bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
        errors = confidence - right
        shares = errors if weights is None else weights * errors
        total = errors.size if weights is None else weights.sum()
        gaps = np.bincount(bins, weights=shares, minlength=BINS) / total
        return cls(bins=bins, errors=errors, gaps=gaps)

    @property
    def value(self) -> float:
        """The calibration error."""
        return float(np.abs(self.gaps).sum())

    @property
    def rows(self) -> Vector:
        """What each row adds to it."""
        return np.sign(self.gaps)[self.bins] * self.errors

    def spread(self) -> Vector:
        """The gaps' standard errors, of independent rows of equal weight."""
        squares = np.bincount(self.bins, weights=self.errors**2, minlength=BINS)
        n = self.errors.size
        spread: Vector = np.sqrt(np.maximum(squares / n - self.gaps**2, 0.0) / n)
        return spread

    def excess(self, spread: Vector) -> Vector:
        """How much too large each |gap| may be on average, from the gaps' standard errors."""
        u = np.maximum(np.abs(self.gaps) / np.where(spread > 0, spread, 1.0) - 1, 0.0)
        density = np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi)
        result: Vector = 2 * spread * (density - u * ndtr(-u))
        return result


def calibration_error_difference(
    base: tuple[ArrayLike, ArrayLike],
    head: tuple[ArrayLike, ArrayLike],
    *,
    confidence: float = 0.95,
    base_weight: float = 1.0,
    identical: bool = False,
) -> Estimate:
    """Compare expected calibration errors over 10 bins of equal width.

    Each side is (confidence, right), two arrays of shape (n,): the probability of the positive
    class and whether the row is positive, or that of the likeliest class and whether it is true.
    """
    on_base, on_head = _Side.of(base), _Side.of(head)
    n = on_base.errors.size
    if n == 0:
        return undefined(0, "no rows", base_weight=base_weight)
    contrast = _contrast(on_base, on_head, base_weight, n=n)
    if identical:
        return contrast.identical(confidence)
    if contrast.relative_to_nothing():
        return contrast.refused(RELATIVE_TO_NOTHING)
    if n < FEWEST_ROWS:
        return contrast.refused("too few rows", rows_to_judge=FEWEST_ROWS)
    moments = JointMoments.from_sides(on_base.rows, on_head.rows)
    part = Part(moments=moments, coefficients=(-(1 - base_weight), -1.0))
    if part.variance(quantile(confidence)) == 0:
        return contrast.refused("no row tells the models apart")
    most = _differences(on_base, on_head, base_weight)
    excesses = [
        float(np.minimum(weight * side.excess(side.spread()), most).sum())
        for side, weight in ((on_base, base_weight), (on_head, 1.0))
    ]
    return _widened(contrast, [part], n - 1, excesses, confidence)


def designed_calibration_error_difference(
    base: tuple[ArrayLike, ArrayLike],
    head: tuple[ArrayLike, ArrayLike],
    design: Design,
    *,
    n: int,
    confidence: float = 0.95,
    base_weight: float = 1.0,
    identical: bool = False,
) -> Estimate:
    """The same of rows that were drawn as `design` says; regimes are those of stats.design.

    `n` counts the rows of the comparison, those of weight 0 as well.
    """
    weights = design.weight
    on_base, on_head = _Side.of(base, weights), _Side.of(head, weights)
    contrast = _contrast(on_base, on_head, base_weight, n=n)
    if identical:
        return contrast.identical(confidence)
    influences = of_mean(on_base.rows, weights), of_mean(on_head.rows, weights)
    refused = too_little(*influences, design, contrast)
    if refused is not None:
        return refused
    parts = parts_of(*influences, design, contrast)
    spread_base, spread_head, spread = _designed_spreads(on_base, on_head, design, base_weight)
    most = np.abs(on_head.gaps - base_weight * on_base.gaps) + spread
    excesses = [
        float(np.minimum(base_weight * on_base.excess(spread_base), most).sum()),
        float(np.minimum(on_head.excess(spread_head), most).sum()),
    ]
    z = quantile(confidence)
    if not any(part.variance(z) for part in parts):
        return contrast.refused("no row tells the models apart")
    freedom = degrees_of_freedom(parts, z)
    return _widened(contrast, parts, freedom, excesses, confidence)


def _contrast(base: _Side, head: _Side, base_weight: float, *, n: int) -> Contrast:
    return Contrast(
        n=n,
        base=base.value,
        head=head.value,
        base_weight=base_weight,
        greater_is_better=False,
        lowest=0.0,
        highest=1.0,
    )


def _designed_spreads(
    base: _Side, head: _Side, design: Design, weight: float
) -> tuple[Vector, Vector, Vector]:
    """Standard errors of the base's gaps, the head's, and of head's − `weight`·base's."""
    units, weights = Units.of(design), design.weight / design.weight.sum()
    variances = np.zeros((3, BINS))
    for place in range(BINS):
        on_base, on_head = (
            weights * (np.where(side.bins == place, side.errors, 0.0) - side.gaps[place])
            for side in (base, head)
        )
        rows = (on_base, on_head, on_head - weight * on_base)
        variances[:, place] = [units.variance(each) for each in rows]
    of_base, of_head, of_difference = np.sqrt(variances)
    return of_base, of_head, of_difference


def _differences(base: _Side, head: _Side, weight: float) -> Vector:
    """How far apart the gaps may be, of independent rows: differences plus standard errors."""
    n = base.errors.size
    apart = head.bins != base.bins
    squares = np.bincount(
        head.bins,
        weights=np.where(apart, head.errors, head.errors - weight * base.errors) ** 2,
        minlength=BINS,
    )
    squares += np.bincount(
        base.bins, weights=np.where(apart, weight * base.errors, 0.0) ** 2, minlength=BINS
    )
    most: Vector = np.abs(head.gaps - weight * base.gaps) + np.sqrt(squares) / n
    return most


def _widened(
    contrast: Contrast,
    parts: Sequence[Part],
    freedom: float,
    excesses: Sequence[float],
    confidence: float,
) -> Estimate:
    """The delta method's interval, moved out by what the base's and the head's value may lose."""
    of_base, of_head = excesses

    def error(z: float) -> float:
        return float(np.sqrt(sum(part.variance(z) for part in parts)))

    def ends(z: float) -> tuple[float, float]:
        reach = -float(stdtrit(freedom, ndtr(-z))) * error(z)
        # Less is better: a base that is measured too large makes the head look too good. At z = 0
        # both ends are the difference itself, so that p-values can be found.
        share = min(1.0, z)
        return (
            contrast.difference - reach - share * of_base,
            contrast.difference + reach + share * of_head,
        )

    return from_standard_error(contrast, error, confidence, ends=ends)
