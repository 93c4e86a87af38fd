"""Intervals of classification metrics for many tables of counts at once.

The same formulas as `assay.stats.classification`, written for arrays with one table per row, so
that ten thousand test sets a cell take no longer than a few. Each batch is held to the engine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.stats.classification import AVERAGED, FEWEST_POSITIVES
from assay.stats.estimate import FEWEST_ROWS, quantile

Array = NDArray[np.float64]
Z = quantile(0.95)


@dataclass(frozen=True)
class Intervals:
    """Of R tables, arrays of shape (R,); NaN where nothing is judged."""

    low: Array
    high: Array
    raw: Array
    """Width of the raw normal interval."""


@dataclass(frozen=True)
class _Side:
    hits: Array
    labels: Array
    predicted: Array

    def smoothed(self, extra: Array) -> _Side:
        return _Side(self.hits + extra, self.labels + 2 * extra, self.predicted + 2 * extra)


Slopes = tuple[Array, Array, Array]


def intervals(tables: NDArray[np.int64], metric: str, average: str, positive: int) -> Intervals:
    """Of tables with shape (R, K, K, K), indexed [table, label, base, head]."""
    classes = tables.shape[1]
    right = np.eye(classes)
    micro = (
        metric == "accuracy" or average == "micro" or (metric, average) == ("recall", "weighted")
    )
    if micro or (metric, average) == ("recall", "binary"):
        base, head = right[:, :, None], right[:, None, :]
        used = np.ones(classes) if micro else right[positive]
        counts = tables * used[:, None, None]
        return _shares(
            (counts * base * head).sum((1, 2, 3)),
            (counts * base * (1 - head)).sum((1, 2, 3)),
            (counts * (1 - base) * head).sum((1, 2, 3)),
            counts.sum((1, 2, 3)),
        )
    if metric in AVERAGED and average == "binary":
        tables = _one_vs_rest(tables, positive)
    return _Smoothing(tables.astype(np.float64), metric, average).intervals()


def _shares(both: Array, base_only: Array, head_only: Array, n: Array) -> Intervals:
    n = np.where(n < FEWEST_ROWS, np.nan, n)
    difference = (head_only - base_only) / n

    def reach(z: float) -> Array:
        lost, won, rows = base_only + z**2 / 2, head_only + z**2 / 2, n + z**2
        error: Array = Z * np.sqrt(((lost + won) / rows - ((won - lost) / rows) ** 2) / rows)
        return error

    low, high = np.maximum(-1, difference - reach(Z)), np.minimum(1, difference + reach(Z))
    return Intervals(low, high, 2 * reach(0))


def _one_vs_rest(tables: NDArray[np.int64], positive: int) -> NDArray[np.int64]:
    member = np.zeros((2, tables.shape[1]), dtype=np.int64)
    member[0], member[:, positive] = 1, (0, 1)
    found: NDArray[np.int64] = np.einsum("rlbh,xl,yb,zh->rxyz", tables, member, member, member)
    return found


class _Smoothing:
    """Difference, gates and standard error of one metric."""

    def __init__(self, tables: Array, metric: str, average: str) -> None:
        self.tables, self.metric, self.average = tables, metric, average
        labels = tables.sum((2, 3))
        self.n = labels.sum(1)
        self.base = _Side(np.einsum("rkkh->rk", tables), labels, tables.sum((1, 3)))
        self.head = _Side(np.einsum("rkbk->rk", tables), labels, tables.sum((1, 2)))
        self.binary = metric in AVERAGED and average == "binary"
        self.present = np.ones_like(labels) if self.binary else (labels > 0).astype(np.float64)
        self.classes = self.present.sum(1)
        self.shared = {"mcc": np.maximum(1, self.classes / 2)}.get(metric, self.classes)
        if self.binary:
            self.shared = np.ones_like(self.n)

    def intervals(self) -> Intervals:
        """Clipped, and NaN where the engine does not judge."""
        with np.errstate(divide="ignore", invalid="ignore"):
            difference = self._score(self.head)[0] - self._score(self.base)[0]
            reach, raw = Z * self._error(Z), Z * self._error(0.0)
        gate = np.where(self._judged(), 0.0, np.nan)
        most = 2.0 if self.metric == "mcc" else 1.0
        low, high = np.maximum(-most, difference - reach), np.minimum(most, difference + reach)
        return Intervals(low + gate, high + gate, 2 * raw + gate)

    def _judged(self) -> NDArray[np.bool_]:
        sides = (self.base.labels, self.base.predicted, self.head.predicted)
        enough = self.n >= FEWEST_ROWS
        if self.binary:
            return enough & (np.min([side[:, 1] for side in sides], axis=0) >= FEWEST_POSITIVES)
        enough &= self.classes >= 2
        if self.metric == "mcc":
            outside = self.n - np.max([side.max(1) for side in sides], axis=0)
            enough &= outside >= FEWEST_POSITIVES
        return enough

    def _score(self, side: _Side) -> tuple[Array, Slopes]:
        if self.metric == "mcc":
            return _matthews(side)
        values, slopes = _per_class(self.metric, side)
        n = side.labels.sum(1, keepdims=True)
        if self.average == "weighted" and self.metric in AVERAGED:
            weights = side.labels / n
            score = (weights * values).sum(1)
            by_weight = (values - score[:, None]) / n
            return score, (
                weights * slopes[0],
                weights * slopes[1] + by_weight,
                weights * slopes[2],
            )
        weights = self.present / self.classes[:, None]
        if self.binary:
            weights = np.broadcast_to([0.0, 1.0], values.shape)
        hit, label, predicted = (weights * slope for slope in slopes)
        return (weights * values).sum(1), (hit, label, predicted)

    def _error(self, z: float) -> Array:
        """√Σ x̃·g² over the dense cells and the pseudo-rows, spread as the engine spreads them."""
        classes = self.tables.shape[1]
        extra = z**2 / 2 / self.shared[:, None] * self.present
        by_base = _dense(self._score(self.base.smoothed(extra))[1])
        by_head = _dense(self._score(self.head.smoothed(extra))[1])
        squares = (by_head[:, :, None, :] - by_base[:, :, :, None]) ** 2
        wrong = 1 - np.eye(classes)
        ways = np.maximum(1, self.classes - 1)[:, None, None]
        spread = extra[:, :, None] * wrong * self.present[:, None, :] / ways
        added = np.zeros_like(self.tables)
        label = np.arange(classes)
        added[:, label, :, label] += spread.transpose(1, 0, 2)
        added[:, label, label, :] += spread
        error: Array = np.sqrt(((self.tables + added) * squares).sum((1, 2, 3)))
        return error


def _dense(slopes: Slopes) -> Array:
    """The gradient at (label, prediction), shape (R, K, K)."""
    hit, label, predicted = slopes
    return np.eye(hit.shape[1]) * hit[:, :, None] + label[:, :, None] + predicted[:, None, :]


def _ratio(above: Array, below: Array) -> Array:
    return np.divide(above, below, out=np.zeros_like(below), where=below > 0)


def _per_class(metric: str, side: _Side) -> tuple[Array, Slopes]:
    zero = np.zeros_like(side.hits)
    if metric == "f1":
        below = side.labels + side.predicted
        value, inverse = _ratio(2 * side.hits, below), _ratio(zero + 1, below)
        return value, (2 * inverse, -value * inverse, -value * inverse)
    below = side.predicted if metric == "precision" else side.labels
    value, inverse = _ratio(side.hits, below), _ratio(zero + 1, below)
    if metric == "precision":
        return value, (inverse, zero, -value * inverse)
    return value, (inverse, -value * inverse, zero)


def _matthews(side: _Side) -> tuple[Array, Slopes]:
    n = side.labels.sum(1)
    joint = side.hits.sum(1) * n - (side.predicted * side.labels).sum(1)
    spread_predicted = n**2 - (side.predicted**2).sum(1)
    spread_labels = n**2 - (side.labels**2).sum(1)
    scale = np.sqrt(spread_predicted * spread_labels)
    value = joint / scale
    by_n = side.hits.sum(1) / scale - value * n * (1 / spread_predicted + 1 / spread_labels)
    label = side.labels * (value / spread_labels)[:, None] - side.predicted / scale[:, None]
    predicted = side.predicted * (value / spread_predicted)[:, None] - side.labels / scale[:, None]
    return value, (np.zeros_like(label) + (n / scale)[:, None], by_n[:, None] + label, predicted)
