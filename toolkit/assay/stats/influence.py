"""How much each row moves a metric: values and influences of both sides, with example weights.

The influence of a row is ∂θ/∂wᵢ at the rows' weights, so that Σ wᵢ·influenceᵢ = 0 and, to first
order, the error of θ is Σ wᵢ·influenceᵢ over what might have been drawn instead (Binder 1983, Int.
Stat. Rev. 51; Demnati and Rao 2004, Survey Methodology 30). Values are scikit-learn's with
`sample_weight`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.stats.average_precision import average_precision_influence
from assay.stats.confusion import Confusion, averaged, matthews

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Influence:
    """A metric on one side, and ∂value/∂wᵢ of every row, shape (n,); None where it is 0/0."""

    value: float | None
    rows: Vector
    few: str | None = None
    """What the value stands on, where that may be too few: "positives", for example."""
    stands_on: float = math.inf
    """How many of them there are, by their weight (Kish)."""


def effective_n(weights: Vector) -> float:
    """Kish's (1965) effective number of rows, (Σw)² / Σw²; 0 where nothing weighs."""
    squares = float(weights @ weights)
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def of_mean(values: Vector, weights: Vector) -> Influence:
    """The weighted mean of a per-row value."""
    total = float(weights.sum())
    mean = float(weights @ values) / total
    return Influence(value=mean, rows=(values - mean) / total)


def of_classes(
    label: Codes,
    prediction: Codes,
    weights: Vector,
    *,
    classes: int,
    metric: str,
    average: str,
) -> Influence:
    """A classification metric of one side (stats.classification names them).

    "binary" averages are those of class 1 of two.
    """
    if metric == "accuracy" or (metric != "mcc" and average == "micro"):
        return of_mean((label == prediction).astype(np.float64), weights)
    right = label == prediction
    side = Confusion(
        hits=_totals(label[right], weights[right], classes),
        labels=_totals(label, weights, classes),
        predicted=_totals(prediction, weights, classes),
    )
    if metric == "mcc":
        value, gradient = matthews(side)
        return Influence(value=value, rows=gradient.at(label, prediction))
    if average == "binary" and metric != "balanced_accuracy":
        value, gradient = averaged(metric, side, np.array([0.0, 1.0]))
        below = {
            "recall": side.labels[1],
            "precision": side.predicted[1],
            "f1": side.labels[1] + side.predicted[1],
        }[metric]
        stands_on = prediction == 1 if metric == "precision" else label == 1
        return Influence(
            value=value if below > 0 else None,
            rows=gradient.at(label, prediction),
            few="positives",
            stands_on=effective_n(weights[stands_on]),
        )
    present = (side.labels > 0).astype(np.float64)
    name = "recall" if metric == "balanced_accuracy" else metric
    shares = None if average == "weighted" and metric != "balanced_accuracy" else present
    value, gradient = averaged(name, side, None if shares is None else shares / shares.sum())
    return Influence(value=value, rows=gradient.at(label, prediction))


def _totals(codes: Codes, weights: Vector, classes: int) -> Vector:
    return np.bincount(codes, weights=weights, minlength=classes).astype(np.float64)


def of_rmse(squared_errors: Vector, weights: Vector) -> Influence:
    """The root of the weighted mean of squared errors; no influence where it is 0."""
    mean = of_mean(squared_errors, weights)
    root = math.sqrt(mean.value or 0.0)
    rows = mean.rows / (2 * root) if root else np.full_like(mean.rows, np.nan)
    return Influence(value=root, rows=rows)


def of_r2(squared_errors: Vector, label: Vector, weights: Vector) -> Influence:
    """One minus the ratio of weighted mean squares; None where all labels are equal."""
    total = float(weights.sum())
    centre = float(weights @ label) / total
    spread = of_mean((label - centre) ** 2, weights)
    error = of_mean(squared_errors, weights)
    if not spread.value or error.value is None:
        return Influence(value=None, rows=np.zeros_like(label))
    ratio = error.value / spread.value
    return Influence(value=1 - ratio, rows=(ratio * spread.rows - error.rows) / spread.value)


def of_roc_auc(positive: NDArray[np.bool_], score: Vector, weights: Vector) -> Influence:
    """The weighted share of pairs that are ranked right, ties half (DeLong et al. 1988)."""
    ups, downs = weights * positive, weights * ~positive
    if not ups.any() or not downs.any():
        return Influence(value=None, rows=np.zeros_like(score))
    _, group = np.unique(score, return_inverse=True)
    up, down = (np.bincount(group, weights=each) for each in (ups, downs))
    below = (np.cumsum(down) - down / 2) / down.sum()
    above = 1 - (np.cumsum(up) - up / 2) / up.sum()
    placement = np.where(positive, below[group], above[group])
    value = float(ups @ placement) / float(ups.sum())
    rows = (placement - value) / np.where(positive, ups.sum(), downs.sum())
    stands_on = effective_n(weights[positive])
    return Influence(value=value, rows=rows, few="positives", stands_on=stands_on)


def of_average_precision(positive: NDArray[np.bool_], score: Vector, weights: Vector) -> Influence:
    """The weighted mean over positives of the precision at their own score."""
    if not (weights * positive).any():
        return Influence(value=None, rows=np.zeros_like(score))
    value, rows = average_precision_influence(positive, score, weights)
    rows, stands_on = rows / weights.sum(), effective_n(weights[positive])
    return Influence(value=value, rows=rows, few="positives", stands_on=stands_on)


def of_median(values: Vector, weights: Vector, z: float) -> Influence:
    """The weighted median; 1/f is read from an order-statistic interval (McKean and Schrader).

    The interval is that of Kish's effective number of rows.
    """
    order = np.argsort(values, kind="stable")
    ordered, total = values[order], float(weights.sum())
    below = (np.cumsum(weights[order]) - weights[order] / 2) / total
    reach = min(0.5, z / (2 * math.sqrt(effective_n(weights))))
    low, median, high = np.interp([0.5 - reach, 0.5, 0.5 + reach], below, ordered)
    scale = float(high - low) / (2 * reach)
    rows = (np.where(values > median, 0.5, -0.5) * scale / total).astype(np.float64)
    return Influence(value=float(median), rows=rows)
