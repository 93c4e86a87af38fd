"""Average precision of two scores on the same rows, by its influence function.

AP = E[A(S) / B(S) | Y = 1] with A(s) = P(Y = 1, score ≥ s) and B(s) = P(score ≥ s): the mean over
positives of the precision at their own score. Differentiating at a point mass on (y, s) gives

    IF(y, s) = (y·A(s)/B(s) + y·u(s) − v(s) − N) / π − N·(y − π) / π²

with π = P(Y = 1), N = π·AP, u(s) = E[Y·1(S ≤ s)/B(S)] and v(s) = E[Y·A(S)·1(S ≤ s)/B(S)²]. Its
mean square over n is the variance of the estimate (Hampel 1974, JASA 69, for influence
functions), and the difference of the two sides' influences keeps their correlation.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.estimate import RELATIVE_TO_NOTHING, Contrast, Estimate, undefined
from assay.stats.moments import JointMoments
from assay.stats.studentised import Part, studentised

FEWEST_POSITIVES = 20
"""Positives below which the influence function says too little about the error."""


def average_precision_difference(
    label: ArrayLike,
    base: ArrayLike,
    head: ArrayLike,
    *,
    confidence: float = 0.95,
    base_weight: float = 1.0,
    identical: bool = False,
) -> Estimate:
    """Compare average precision from arrays of shape (n,): true labels and each side's scores.

    Tied scores share one threshold, as in scikit-learn's `average_precision_score`.
    """
    positive = np.asarray(label, dtype=bool)
    scores = [np.asarray(side, dtype=np.float64) for side in (base, head)]
    n, positives = positive.size, int(positive.sum())
    if not all(np.isfinite(side).all() for side in scores):
        return undefined(n, "a score is missing or infinite", base_weight=base_weight)
    if positives == 0:
        return undefined(n, "no row has the positive label", base_weight=base_weight)
    if positives == n:
        # Then every precision is 1, whatever the scores are.
        return undefined(n, "only one class among the labels", base_weight=base_weight)
    (ap_base, ap_head), influences = zip(
        *(average_precision_influence(positive, side) for side in scores), strict=True
    )
    contrast = Contrast(
        n=n, base=ap_base, head=ap_head, base_weight=base_weight, lowest=0.0, highest=1.0
    )
    if identical:
        return contrast.identical(confidence)
    if contrast.relative_to_nothing():
        return contrast.refused(RELATIVE_TO_NOTHING)
    if positives < FEWEST_POSITIVES:
        rows = math.ceil(n * FEWEST_POSITIVES / positives)
        return contrast.refused("too few positives", rows_to_judge=rows)
    # Positives carry the metric: their changes are counted, and a change is as large as theirs.
    changed = int(np.count_nonzero((scores[0] != scores[1])[positive]))
    moments = replace(JointMoments.from_sides(*influences), changed=changed)
    part = Part(
        moments=moments,
        coefficients=(1 - base_weight, 1.0),
        floor=2 * max(float(np.mean(side[positive] ** 2)) for side in influences),
    )
    return studentised(contrast, [part], confidence, bounded=True)


def average_precision_influence(
    positive: NDArray[np.bool_],
    score: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
) -> tuple[float, NDArray[np.float64]]:
    """Average precision, and every row's influence on it: a float and an array of shape (n,).

    `weights` of shape (n,), none of them negative, weigh the rows; None: all alike.
    """
    weights = np.ones(positive.size) if weights is None else weights
    n = weights.sum()
    thresholds, group = np.unique(score, return_inverse=True)
    rows = np.bincount(group, weights=weights, minlength=thresholds.size)
    hits = np.bincount(group, weights=weights * positive, minlength=thresholds.size)
    at_least = np.cumsum(rows[::-1])[::-1] / n
    hits_at_least = np.cumsum(hits[::-1])[::-1] / n
    precision = hits_at_least / at_least
    share = float(weights @ positive) / n
    numerator = float(hits @ precision) / n
    u = np.cumsum(hits / n / at_least)
    v = np.cumsum(hits / n * precision / at_least)
    by_numerator = positive * (precision + u)[group] - v[group] - numerator
    influence = by_numerator / share - numerator * (positive - share) / share**2
    return float(numerator / share), influence
