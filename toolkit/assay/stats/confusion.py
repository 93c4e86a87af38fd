"""Classification metrics of one side, with their gradients, from a confusion matrix's margins.

Every metric here is a function of three vectors over the K classes: right predictions, labels
and predictions of each class. So its gradient at the cell (label l, prediction p) has the form
`hit[l]·[l = p] + label[l] + predicted[p]`, and no K × K matrix is ever needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Margins of one side's confusion matrix, each of shape (K,)."""

    hits: Vector
    labels: Vector
    predicted: Vector

    @property
    def n(self) -> float:
        """All rows."""
        return float(self.labels.sum())


@dataclass(frozen=True, kw_only=True)
class Gradient:
    """∂metric/∂cell, as three vectors of shape (K,)."""

    hit: Vector
    label: Vector
    predicted: Vector

    def at(self, label: NDArray[np.int64], prediction: NDArray[np.int64]) -> Vector:
        """The gradient at the given cells."""
        hit = np.where(label == prediction, self.hit[label], 0.0)
        gradient: Vector = hit + self.label[label] + self.predicted[prediction]
        return gradient


def _ratio(above: Vector, below: Vector) -> Vector:
    """above / below, with 0/0 counted as 0 (scikit-learn's default for averaged metrics)."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def per_class(metric: str, side: Confusion) -> tuple[Vector, Gradient]:
    """Precision, recall or F1 of each class, 0 where it is 0/0, with each class's gradient.

    The gradient's vectors hold class k's derivatives by its own hits, labels and predictions.
    """
    zero = np.zeros_like(side.hits)
    if metric == "recall":
        value = _ratio(side.hits, side.labels)
        inverse = _ratio(np.ones_like(zero), side.labels)
        return value, Gradient(hit=inverse, label=-value * inverse, predicted=zero)
    if metric == "precision":
        value = _ratio(side.hits, side.predicted)
        inverse = _ratio(np.ones_like(zero), side.predicted)
        return value, Gradient(hit=inverse, label=zero, predicted=-value * inverse)
    if metric == "f1":
        total = side.labels + side.predicted
        value = _ratio(2 * side.hits, total)
        inverse = _ratio(np.ones_like(zero), total)
        slope = -value * inverse
        return value, Gradient(hit=2 * inverse, label=slope, predicted=slope)
    raise ValueError(f"no per-class metric is called {metric!r}")


def averaged(metric: str, side: Confusion, weights: Vector | None) -> tuple[float, Gradient]:
    """The weighted mean over classes; `weights` of shape (K,), or None for the labels' shares."""
    values, slopes = per_class(metric, side)
    if weights is not None:
        return float(weights @ values), Gradient(
            hit=weights * slopes.hit,
            label=weights * slopes.label,
            predicted=weights * slopes.predicted,
        )
    shares = side.labels / side.n
    value = float(shares @ values)
    return value, Gradient(
        hit=shares * slopes.hit,
        label=shares * slopes.label + (values - value) / side.n,
        predicted=shares * slopes.predicted,
    )


def matthews(side: Confusion) -> tuple[float | None, Gradient]:
    """Matthews correlation for any number of classes (Gorodkin 2004, Comput. Biol. Chem. 28).

    None with a zero gradient where labels or predictions are all of one class (0/0).
    """
    n = side.n
    joint = side.hits.sum() * n - side.predicted @ side.labels
    spread_predicted = n**2 - side.predicted @ side.predicted
    spread_labels = n**2 - side.labels @ side.labels
    zero = np.zeros_like(side.hits)
    if spread_predicted <= 0 or spread_labels <= 0:
        return None, Gradient(hit=zero, label=zero, predicted=zero)
    scale = float(np.sqrt(spread_predicted * spread_labels))
    value = float(joint / scale)
    # n itself is the sum of the labels, so its derivative goes to every label.
    by_n = side.hits.sum() / scale - value * n * (1 / spread_predicted + 1 / spread_labels)
    return value, Gradient(
        hit=zero + n / scale,
        label=by_n - side.predicted / scale + value * side.labels / spread_labels,
        predicted=-side.labels / scale + value * side.predicted / spread_predicted,
    )
