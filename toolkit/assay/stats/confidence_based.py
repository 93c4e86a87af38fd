"""Performance without labels, from calibrated scores: confidence-based estimation (CBPE).

If a score's calibrated probability is p, the expected confusion matrix of predictions is known
before any label is: a predicted positive is right with probability p, a predicted negative with
1 − p (NannyML documents the method under this name; the expectation is elementary). It holds
while the probability of the label given the score stays what it was: a concept drift is invisible.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression
from scipy.stats import norm

Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Rates of positives by bin of the score, each array of shape (bins,); bins have rows."""

    scores: Vector
    rates: Vector
    rows: Vector

    @classmethod
    def fitted(cls, scores: ArrayLike, rates: ArrayLike, rows: ArrayLike) -> Calibration:
        """Make the rates rise with the score (pooled adjacent violators), with half a row added.

        Half a positive and half a negative (Jeffreys) keep a bin without either from certainty.
        Raises ValueError where no bin has rows.
        """
        at, observed, n = (np.asarray(side, dtype=np.float64) for side in (scores, rates, rows))
        there = n > 0
        if not there.any():
            raise ValueError("no bin of the score has rows")
        order = np.argsort(at[there], kind="stable")
        at, observed, n = (side[there][order] for side in (at, observed, n))
        drawn = (observed * n + 0.5) / (n + 1)
        rising = isotonic_regression(drawn, weights=n + 1).x
        return cls(scores=at, rates=np.asarray(rising), rows=n)

    def weights(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Which bins' rates a score is interpolated from: shape (scores, bins), rows sum to 1."""
        asked = np.asarray(scores, dtype=np.float64)
        units = np.eye(self.scores.size)
        return np.stack([np.interp(asked, self.scores, unit) for unit in units], axis=1)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A metric as it will likely be once the labels are there, with an interval for that value."""

    value: float
    low: float
    high: float


def estimate(
    metric: str,
    calibration: Calibration,
    *,
    scores: ArrayLike,
    positives: ArrayLike,
    negatives: ArrayLike,
    confidence: float,
) -> Estimate | None:
    """Estimate accuracy, precision, recall or f1 of predictions from counts by bin of the score.

    `scores` is the mean score of each bin of the window, `positives` and `negatives` the rows of
    it that were predicted so; all of shape (k,). The interval is for what the labels will show:
    it adds up the chance in the labels and in the calibration's rates, by the delta method. None
    where the metric has no value (nothing is predicted or expected to be positive).
    """
    n1, n0 = (np.asarray(side, dtype=np.float64) for side in (positives, negatives))
    spread = calibration.weights(scores)
    p = spread @ calibration.rates
    found = _METRICS[metric](n1, n0, p)
    if found is None:
        return None
    value, g1, g0 = found
    labels = float((p * (1 - p)) @ (n1 * g1**2 + n0 * g0**2))
    slope = (n1 * g1 + n0 * g0) @ spread
    rates = calibration.rates
    known = float((slope**2 * rates * (1 - rates) / calibration.rows).sum())
    half = float(norm.ppf((1 + confidence) / 2)) * math.sqrt(labels + known)
    return Estimate(value=value, low=max(0.0, value - half), high=min(1.0, value + half))


Found = tuple[float, Vector, Vector] | None
"""A value and its gradient by true positives and by missed positives of each bin."""


def _accuracy(n1: Vector, n0: Vector, p: Vector) -> Found:
    n = n1.sum() + n0.sum()
    if not n:
        return None
    same = np.full_like(p, 1 / n)
    return float((n1 @ p + n0 @ (1 - p)) / n), same, -same


def _precision(n1: Vector, n0: Vector, p: Vector) -> Found:
    guessed = n1.sum()
    if not guessed:
        return None
    return float(n1 @ p / guessed), np.full_like(p, 1 / guessed), np.zeros_like(n0)


def _recall(n1: Vector, n0: Vector, p: Vector) -> Found:
    hits, missed = float(n1 @ p), float(n0 @ p)
    labels = hits + missed
    if not labels:
        return None
    return hits / labels, np.full_like(p, missed / labels**2), np.full_like(p, -hits / labels**2)


def _f1(n1: Vector, n0: Vector, p: Vector) -> Found:
    hits, missed = float(n1 @ p), float(n0 @ p)
    total = float(n1.sum()) + hits + missed
    if not total:
        return None
    at_miss = -2 * hits / total**2
    return (
        2 * hits / total,
        np.full_like(p, 2 / total + at_miss),
        np.full_like(p, at_miss),
    )


_METRICS: dict[str, Callable[[Vector, Vector, Vector], Found]] = {
    "accuracy": _accuracy,
    "precision": _precision,
    "recall": _recall,
    "f1": _f1,
}
ESTIMATED = tuple(_METRICS)
"""The metrics that can be estimated without labels."""
