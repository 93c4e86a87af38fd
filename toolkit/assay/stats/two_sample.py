"""The classifier two-sample test: whether a classifier can tell two sets of rows apart.

Lopez-Paz and Oquab (2017), "Revisiting classifier two-sample tests". The classifier has learned
from other rows than those that are scored here: then, where both sets have one distribution, a
score of either is as often the larger one, whatever was learned, and the area under the ROC curve
is that of chance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtr, ndtri
from scipy.stats import mannwhitneyu, rankdata

Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ToldApart:
    """How well the scores tell two sets apart."""

    auc: float
    """The share of pairs in which the row of the second set scores higher, ties counted half."""
    interval: tuple[float, float]
    p: float
    """One-sided: of an area at least as large, where both sets have one distribution."""


def told_apart(first: ArrayLike, second: ArrayLike, *, confidence: float = 0.95) -> ToldApart:
    """Area, interval and p-value from the scores of two sets of rows, of shapes (m,) and (n,).

    The interval is DeLong's (1988, Biometrics 44) on the logit, where it stays between 0 and 1
    (Pepe 2003, "The Statistical Evaluation of Medical Tests", 5.2.4); where every pair is right,
    or wrong, Clopper and Pearson's of the pairs that share no row. The p-value is Mann and
    Whitney's with the correction for ties. All take rows as independent. Raises ValueError with
    less than two rows on a side or a score that is not finite.
    """
    scores = [np.asarray(side, dtype=np.float64) for side in (first, second)]
    if any(side.ndim != 1 or side.size < 2 for side in scores):
        raise ValueError("both sides need at least two scores")
    if not all(np.isfinite(side).all() for side in scores):
        raise ValueError("scores must be finite")
    below, above = scores
    ranks = rankdata(np.concatenate([below, above]))
    placed = (ranks[below.size :] - rankdata(above)) / below.size
    beaten = 1 - (ranks[: below.size] - rankdata(below)) / above.size
    auc = float(placed.mean())
    deviation = math.sqrt(placed.var(ddof=1) / above.size + beaten.var(ddof=1) / below.size)
    p = mannwhitneyu(above, below, alternative="greater", method="asymptotic").pvalue
    return ToldApart(
        auc=auc,
        interval=_interval(auc, deviation, min(above.size, below.size), confidence),
        p=1.0 if math.isnan(p) else float(p),
    )


def shift_of(auc: float) -> float:
    """The deviations by which two normals are apart that have this area, √2·Φ⁻¹.

    Shifts add up and areas do not. Infinite for an area of 0 or 1. Green and Swets (1966),
    "Signal Detection Theory and Psychophysics".
    """
    return math.sqrt(2) * float(ndtri(auc))


def auc_of(shift: float) -> float:
    """The area of two normals that are this many deviations apart."""
    return float(ndtr(shift / math.sqrt(2)))


def _interval(auc: float, deviation: float, pairs: int, confidence: float) -> tuple[float, float]:
    if not 0 < auc < 1:
        least = ((1 - confidence) / 2) ** (1 / pairs)
        return (least, 1.0) if auc else (0.0, 1 - least)
    reach = float(ndtri((1 + confidence) / 2)) * deviation / (auc * (1 - auc))
    middle = float(logit(auc))
    return float(expit(middle - reach)), float(expit(middle + reach))
