"""Median absolute error of two models on the same rows, by order statistics.

The median's influence is (1(e > m) − 1/2) / f(m). The error density f at the median is read from
how far apart the ends of an order-statistic confidence interval lie (McKean and Schrader 1984,
Comm. Stat. Simul. Comput. 13), so no bandwidth has to be chosen, and the two sides' correlation
from how often both errors exceed their medians.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.estimate import (
    RELATIVE_TO_NOTHING,
    Contrast,
    Estimate,
    from_standard_error,
    quantile,
    undefined,
)

Vector = NDArray[np.float64]

FEWEST_ROWS = 50
"""Rows below which the spacing of order statistics is too rough."""
LARGEST_TIE = 0.05
"""Share of rows with exactly the median error beyond which the median moves in jumps."""


def median_absolute_error_difference(
    label: ArrayLike,
    base: ArrayLike,
    head: ArrayLike,
    *,
    confidence: float = 0.95,
    base_weight: float = 1.0,
    identical: bool = False,
) -> Estimate:
    """Compare median absolute errors from arrays of shape (n,): true and predicted values."""
    y, b, h = (np.asarray(values, dtype=np.float64) for values in (label, base, head))
    n = y.size
    if n == 0:
        return undefined(0, "no rows", base_weight=base_weight)
    if not all(np.isfinite(values).all() for values in (y, b, h)):
        return undefined(n, "a value is missing or infinite", base_weight=base_weight)
    errors = (np.abs(b - y), np.abs(h - y))
    medians = [float(np.median(side)) for side in errors]
    contrast = Contrast(
        n=n,
        base=medians[0],
        head=medians[1],
        base_weight=base_weight,
        greater_is_better=False,
        lowest=0.0,
    )
    if identical:
        return contrast.identical(confidence)
    if contrast.relative_to_nothing():
        return contrast.refused(RELATIVE_TO_NOTHING)
    tied = max(float(np.mean(e == m)) for e, m in zip(errors, medians, strict=True))
    if n < FEWEST_ROWS or tied > LARGEST_TIE:
        few = n < FEWEST_ROWS
        reason = "too few rows" if few else "many rows have exactly the median error"
        return contrast.refused(reason, rows_to_judge=FEWEST_ROWS if few else None)
    return from_standard_error(
        contrast, _standard_error(errors, medians, contrast, confidence), confidence
    )


def _standard_error(
    errors: Sequence[Vector], medians: Sequence[float], contrast: Contrast, confidence: float
) -> Callable[[float], float]:
    n, weight = contrast.n, contrast.base_weight
    scales = [_median_scale(side, quantile(confidence)) for side in errors]
    above_base, above_head = (e > m for e, m in zip(errors, medians, strict=True))
    right = (above_head - 0.5) * scales[1]
    left = (above_base - 0.5) * scales[0] * weight
    raw = float(np.mean((right - left) ** 2)) / n
    discordant = int(np.count_nonzero(above_base != above_head))
    scale = max(scales[1], weight * scales[0])

    def standard_error(z: float) -> float:
        extra = z**2 * (1 - discordant / n) * scale**2
        return math.sqrt(raw + extra / n**2)

    return standard_error


def _median_scale(errors: Vector, z: float) -> float:
    """1 / f(median): the interval between two order statistics over the share it should hold."""
    n = errors.size
    reach = math.ceil(z * math.sqrt(n) / 2)
    low, high = max(0, (n - 1) // 2 - reach), min(n - 1, n // 2 + reach)
    ends = np.partition(errors, (low, high))[[low, high]]
    return float(ends[1] - ends[0]) * n / (high - low)
