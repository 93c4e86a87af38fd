"""ROC AUC of two correlated scores by placement values.

DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44. A positive's placement is the share of
negatives that its score exceeds, ties counted half; a negative's the share of positives that
exceed it. The AUC is the mean placement of either class, and its variance the sum of the two
classes' variances of the mean.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.estimate import RELATIVE_TO_NOTHING, Contrast, Estimate, undefined
from assay.stats.moments import JointMoments
from assay.stats.studentised import Part, studentised

FEWEST_OF_A_CLASS = 10
"""Positives, and negatives, below which DeLong's variance is not trusted."""


def roc_auc_difference(
    positives: JointMoments,
    negatives: JointMoments,
    *,
    confidence: float = 0.95,
    base_weight: float = 1.0,
    identical: bool = False,
) -> Estimate:
    """Compare areas under the ROC curve, from the placements of each class's rows.

    Each argument holds the moments of (base's placement, head's − base's), over the positive and
    over the negative rows.
    """
    n = positives.n + negatives.n
    if n == 0:
        return undefined(0, "no rows", base_weight=base_weight)
    if positives.n == 0 or negatives.n == 0:
        return undefined(n, "only one class among the labels", base_weight=base_weight)
    base = positives.mean(0)
    contrast = Contrast(
        n=n,
        base=base,
        head=base + positives.mean(1),
        base_weight=base_weight,
        lowest=0.0,
        highest=1.0,
    )
    if identical:
        return contrast.identical(confidence)
    if contrast.relative_to_nothing():
        return contrast.refused(RELATIVE_TO_NOTHING)
    for name, rows in (("positives", positives.n), ("negatives", negatives.n)):
        if rows < FEWEST_OF_A_CLASS:
            wanted = -(-n * FEWEST_OF_A_CLASS // rows)
            return contrast.refused(f"too few {name}", rows_to_judge=wanted)
    coefficients = (1 - base_weight, 1.0)
    parts = [Part(moments=each, coefficients=coefficients) for each in (positives, negatives)]
    return studentised(contrast, parts, confidence, bounded=True)


def placements(
    label: ArrayLike, score: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Placement values of the positive and of the negative rows, each in row order.

    `label` is true for positives and `score` rises with the belief in them; both have shape (n,).
    """
    positive = np.asarray(label, dtype=bool)
    values = np.asarray(score, dtype=np.float64)
    ups, downs = values[positive], values[~positive]
    return _share_below(ups, downs), 1 - _share_below(downs, ups)


def _share_below(values: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    ordered = np.sort(others)
    # Searching in order keeps to the cache: several times faster from some thousand rows on.
    order = np.argsort(values)
    asked = values[order]
    left = np.searchsorted(ordered, asked, side="left")
    right = np.searchsorted(ordered, asked, side="right")
    share = np.empty_like(values)
    share[order] = (left + right) / (2 * max(1, others.size))
    return share


def roc_auc_from_scores(
    label: ArrayLike,
    base: ArrayLike,
    head: ArrayLike,
    *,
    confidence: float = 0.95,
    base_weight: float = 1.0,
    identical: bool = False,
) -> Estimate:
    """`roc_auc_difference` from arrays of shape (n,): true labels and each side's scores."""
    positive = np.asarray(label, dtype=bool)
    differ = np.asarray(base) != np.asarray(head)
    sides = zip(placements(label, base), placements(label, head), strict=True)
    positives, negatives = (
        replace(JointMoments.from_sides(*pair), changed=int(np.count_nonzero(differ[rows])))
        for pair, rows in zip(sides, (positive, ~positive), strict=True)
    )
    return roc_auc_difference(
        positives,
        negatives,
        confidence=confidence,
        base_weight=base_weight,
        identical=identical,
    )
