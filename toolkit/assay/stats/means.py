"""Paired metrics made of means of per-row values: plain means, RMSE and R²."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from assay.stats.cells import Outcomes
from assay.stats.estimate import RELATIVE_TO_NOTHING, Contrast, Estimate, undefined
from assay.stats.moments import JointMoments
from assay.stats.shares import share_difference
from assay.stats.studentised import Part, studentised

_NOT_FINITE = "a value is missing or infinite"


def mean_difference(
    moments: JointMoments,
    *,
    greater_is_better: bool,
    confidence: float = 0.95,
    base_weight: float = 1.0,
    identical: bool = False,
    lowest: float = -math.inf,
    highest: float = math.inf,
) -> Estimate:
    """Compare the mean of a per-row value: log loss, Brier score, MAE, MAPE, any score column.

    `moments` are those of (base, head − base). `lowest` and `highest` bound the values. A score
    of zeros and ones is a share, and is judged as accuracy is.
    """
    if (reason := _unusable(moments)) is not None:
        return undefined(moments.n, reason, base_weight=base_weight)
    if (outcomes := _zeros_and_ones(moments)) is not None:
        return share_difference(
            outcomes,
            n=moments.n,
            confidence=confidence,
            base_weight=base_weight,
            identical=identical,
            greater_is_better=greater_is_better,
        )
    base = moments.mean(0)
    contrast = Contrast(
        n=moments.n,
        base=base,
        head=base + moments.mean(1),
        base_weight=base_weight,
        greater_is_better=greater_is_better,
        lowest=lowest,
        highest=highest,
    )
    # head − w·base is (1 − w)·base + (head − base).
    coefficients = (contrast.sign * (1 - base_weight), contrast.sign)
    return _judged(contrast, moments, coefficients, confidence, identical=identical)


def rmse_difference(
    squared_errors: JointMoments,
    *,
    confidence: float = 0.95,
    base_weight: float = 1.0,
    identical: bool = False,
) -> Estimate:
    """Compare root mean squared errors by the delta method.

    `squared_errors` are the moments of (base's squared error, head's − base's).
    """
    moments = squared_errors
    if (reason := _unusable(moments)) is not None:
        return undefined(moments.n, reason, base_weight=base_weight)
    mean_base = moments.mean(0)
    base, head = (math.sqrt(max(0.0, m)) for m in (mean_base, mean_base + moments.mean(1)))
    contrast = Contrast(
        n=moments.n,
        base=base,
        head=head,
        base_weight=base_weight,
        greater_is_better=False,
        lowest=0.0,
    )
    if not identical and (base == 0 or head == 0):
        return contrast.refused("a side without any error")
    # d√q = dq / (2√q) on either side, written in (base, head − base).
    by_head = -1 / (2 * head) if head else 0.0
    by_base = base_weight / (2 * base) if base else 0.0
    coefficients = (by_head + by_base, by_head)
    return _judged(contrast, moments, coefficients, confidence, identical=identical)


def r2_difference(
    moments: JointMoments,
    *,
    confidence: float = 0.95,
    base_weight: float = 1.0,
    identical: bool = False,
) -> Estimate:
    """Compare coefficients of determination by the delta method.

    `moments` are those of three variables: the base's squared error, head's − base's, and
    (label − mean label)². Undefined where all labels are equal.
    """
    if (reason := _unusable(moments)) is not None:
        return undefined(moments.n, reason, base_weight=base_weight)
    spread = moments.mean(2)
    if spread <= 0:
        return undefined(moments.n, "all labels are equal", base_weight=base_weight)
    base = 1 - moments.mean(0) / spread
    head = base - moments.mean(1) / spread
    contrast = Contrast(n=moments.n, base=base, head=head, base_weight=base_weight, highest=1.0)
    # θ = 1 − w − (Q_head − w·Q_base) / V; its derivative by V is (1 − w − θ) / V.
    by_spread = (1 - base_weight - contrast.difference) / spread
    coefficients = (-(1 - base_weight) / spread, -1 / spread, by_spread)
    return _judged(contrast, moments, coefficients, confidence, identical=identical)


def regression_moments(label: ArrayLike, base: ArrayLike, head: ArrayLike) -> JointMoments:
    """What RMSE (its first two variables) and R² need, from arrays of shape (n,)."""
    y, b, h = (np.asarray(values, dtype=np.float64) for values in (label, base, head))
    squared = (b - y) ** 2
    # (h − y)² − (b − y)² without cancellation.
    change = (h - b) * (h + b - 2 * y)
    return JointMoments.from_columns(squared, change, (y - y.mean()) ** 2)


def _unusable(moments: JointMoments) -> str | None:
    if moments.n == 0:
        return "no rows"
    return None if moments.finite else _NOT_FINITE


def _zeros_and_ones(moments: JointMoments) -> Outcomes | None:
    """How often each side is 1, where the first three moments of both sides are one number."""
    n = moments.n
    if max(moments.mean(0), moments.mean(0) + moments.mean(1)) * n < 0.5:
        # Without a single 1 nothing shows that 1 is the unit: errors of 0 have any.
        return None
    for coefficients in ((1.0, 0.0), (1.0, 1.0)):
        line = moments.linear(coefficients)
        square = line.variance + line.mean**2
        cube = line.third + 3 * line.mean * line.variance + line.mean**3
        if not (
            math.isclose(square, line.mean, rel_tol=1e-9, abs_tol=1e-12)
            and math.isclose(cube, line.mean, rel_tol=1e-9, abs_tol=1e-12)
        ):
            return None
    change = moments.linear((0.0, 1.0))
    won = round((moments.changed + change.mean * n) / 2)
    lost = moments.changed - won
    both = round(moments.mean(0) * n) - lost
    return Outcomes(both=both, base_only=lost, head_only=won, neither=n - both - lost - won)


def _judged(
    contrast: Contrast,
    moments: JointMoments,
    coefficients: tuple[float, ...],
    confidence: float,
    *,
    identical: bool,
) -> Estimate:
    if identical:
        return contrast.identical(confidence)
    if contrast.relative_to_nothing():
        return contrast.refused(RELATIVE_TO_NOTHING)
    bounded = math.isfinite(contrast.lowest) and math.isfinite(contrast.highest)
    part = Part(moments=moments, coefficients=coefficients)
    return studentised(contrast, [part], confidence, bounded=bounded)
