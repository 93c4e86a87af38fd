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
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, stdtrit

from assay.stats.estimate import (
    FEWEST_ROWS,
    RELATIVE_TO_NOTHING,
    Contrast,
    Estimate,
    from_standard_error,
    undefined,
)
from assay.stats.moments import JointMoments
from assay.stats.studentised import Part

BINS = 10
Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class _Side:
    """One side's bins: arrays of shape (n,) and (BINS,)."""

    bins: NDArray[np.int64]
    errors: Vector
    """p − y of every row."""
    gaps: Vector
    """Σ (p − y) / n of every bin."""

    @classmethod
    def of(cls, confidence: Vector, right: Vector) -> _Side:
        bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
        errors = confidence - right
        gaps = np.bincount(bins, weights=errors, minlength=BINS) / errors.size
        return cls(bins=bins, errors=errors, gaps=gaps)

    @property
    def value(self) -> float:
        """The calibration error."""
        return float(np.abs(self.gaps).sum())

    @property
    def rows(self) -> Vector:
        """What each row adds to it."""
        return np.sign(self.gaps)[self.bins] * self.errors

    def excess(self) -> Vector:
        """How much too large each |gap| may be on average."""
        squares = np.bincount(self.bins, weights=self.errors**2, minlength=BINS)
        n = self.errors.size
        spread = np.sqrt(np.maximum(squares / n - self.gaps**2, 0.0) / n)
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
    sides = [
        _Side.of(*(np.asarray(array, dtype=np.float64) for array in side)) for side in (base, head)
    ]
    on_base, on_head = sides
    n = on_base.errors.size
    if n == 0:
        return undefined(0, "no rows", base_weight=base_weight)
    contrast = Contrast(
        n=n,
        base=on_base.value,
        head=on_head.value,
        base_weight=base_weight,
        greater_is_better=False,
        lowest=0.0,
        highest=1.0,
    )
    if identical:
        return contrast.identical(confidence)
    if contrast.relative_to_nothing():
        return contrast.refused(RELATIVE_TO_NOTHING)
    if n < FEWEST_ROWS:
        return contrast.refused("too few rows", rows_to_judge=FEWEST_ROWS)
    moments = JointMoments.from_sides(on_base.rows, on_head.rows)
    part = Part(moments=moments, coefficients=(-(1 - base_weight), -1.0))
    return from_standard_error(
        contrast,
        lambda z: float(np.sqrt(part.variance(z))),
        confidence,
        ends=_ends(contrast, part, *_excess(on_base, on_head, base_weight)),
    )


def _excess(base: _Side, head: _Side, weight: float) -> tuple[float, float]:
    """How much too large the base's weighed value, and the head's, may be beyond the other's."""
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
    most = np.abs(head.gaps - weight * base.gaps) + np.sqrt(squares) / n
    of_base, of_head = weight * base.excess(), head.excess()
    return float(np.minimum(of_base, most).sum()), float(np.minimum(of_head, most).sum())


def _ends(
    contrast: Contrast, part: Part, of_base: float, of_head: float
) -> Callable[[float], tuple[float, float]]:
    freedom = part.moments.n - 1

    def ends(z: float) -> tuple[float, float]:
        reach = -float(stdtrit(freedom, ndtr(-z))) * float(np.sqrt(part.variance(z)))
        # Less is better: a base that is measured too large makes the head look too good. At z = 0
        # both ends are the difference itself, so that p-values can be found.
        share = min(1.0, z)
        return (
            contrast.difference - reach - share * of_base,
            contrast.difference + reach + share * of_head,
        )

    return ends
