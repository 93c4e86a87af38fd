"""Effects of many pairs of counts at once: what `assay.monitoring.cells` finds of each alone.

A year has 8,760 looks at 33 columns, each with up to 29 comparisons. Arrays of counts are of shape
(pairs, cells + 1), missing values last; a test holds every effect to the one of a single pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, rel_entr

from assay.config.monitoring import DriftRule
from assay.evidence.monitoring import ColumnReference
from assay.monitoring.cells import _coarse

Array = NDArray[np.float64]
_RARE = 5.0


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side of many pairs: counts, and the sums of the values of shape (pairs,)."""

    counts: Array
    totals: Array | None

    def __add__(self, other: Side) -> Side:
        """The rows of both."""
        totals = None if self.totals is None or other.totals is None else self.totals + other.totals
        return Side(counts=self.counts + other.counts, totals=totals)

    def __sub__(self, other: Side) -> Side:
        """What is left without the rows of the other."""
        totals = None if self.totals is None or other.totals is None else self.totals - other.totals
        return Side(counts=self.counts - other.counts, totals=totals)

    def __getitem__(self, places: slice | NDArray[np.int64]) -> Side:
        """Some of the pairs."""
        totals = None if self.totals is None else self.totals[places]
        return Side(counts=self.counts[places], totals=totals)

    def later(self, places: int) -> Side:
        """Each pair so many places later, and nothing in the first ones."""
        totals = None if self.totals is None else _later(self.totals, places)
        return Side(counts=_later(self.counts, places), totals=totals)


def _later(values: Array, places: int) -> Array:
    found = np.zeros_like(values)
    found[places:] = values[:-places]
    return found


def thresholds_of(rule: DriftRule) -> dict[str, float]:
    """From where on an effect counts, by its name."""
    return {
        "psi": rule.psi,
        "jensen_shannon": rule.jensen_shannon,
        "missing": rule.missing,
        "wasserstein_sd": rule.wasserstein,
        "unseen": rule.unseen,
    }


def effects(column: ColumnReference, before: Side, now: Side) -> dict[str, Array]:
    """Every effect of the column, each of shape (pairs,)."""
    cells = np.eye(before.counts.shape[1])
    groups = np.stack([_coarse(column, cell) for cell in cells])
    first, second = before.counts @ groups, now.counts @ groups
    rows = [side.counts.sum(axis=1) for side in (before, now)]
    shares = [side.counts[:, -1] / all_ for side, all_ in zip((before, now), rows, strict=True)]
    found = {
        "psi": _psi(first, second),
        "jensen_shannon": _jensen_shannon(first, second),
        "missing": np.abs(shares[1] - shares[0]),
    }
    if column.kind == "number":
        found["wasserstein_sd"] = _wasserstein(column, before, now)
        found["unseen"] = (now.counts[:, 0] + now.counts[:, -2]) / rows[1]
    elif column.counts[-1] == 0:
        found["unseen"] = now.counts[:, -2] / rows[1]
    return found


def _psi(first: Array, second: Array) -> Array:
    seen = (first > 0) | (second > 0)
    empty = (seen & ((first == 0) | (second == 0))).any(axis=1, keepdims=True)
    p, q = (_shares(np.where(seen, side + 0.5 * empty, 0.0)) for side in (first, second))
    ratio = np.where(seen, q, 1.0) / np.where(seen, p, 1.0)
    found: Array = ((q - p) * np.log(ratio)).sum(axis=1)
    return found


def _jensen_shannon(first: Array, second: Array) -> Array:
    p, q = _shares(first), _shares(second)
    middle = (p + q) / 2
    nats = (rel_entr(p, middle) + rel_entr(q, middle)).sum(axis=1) / 2
    found: Array = np.sqrt(np.clip(nats / np.log(2), 0, 1))
    return found


def _wasserstein(column: ColumnReference, before: Side, now: Side) -> Array:
    edges = np.array(column.edges)
    middles = edges[:-1] + np.diff(edges) / 2
    at = np.array([edges[0], *middles, edges[-1]])
    below = [np.cumsum(_shares(side.counts[:, :-1]), axis=1)[:, :-1] for side in (before, now)]
    apart = np.abs(below[0] - below[1]) @ np.diff(at)
    means = [side.totals / side.counts[:, :-1].sum(axis=1) for side in (before, now)]
    found: Array = np.maximum(apart, np.abs(means[1] - means[0])) / column.deviation
    return found


def _shares(counts: Array) -> Array:
    shares: Array = counts / counts.sum(axis=1, keepdims=True)
    return shares


def p_values(before: Array, now: Array) -> Array:
    """Chi-square p-values of pairs of counts, of shape (pairs, cells); rare cells put together."""
    both = before + now
    total = both.sum(axis=1, keepdims=True)
    statistic, kept = np.zeros(len(both)), np.zeros(len(both), dtype=np.int64)
    least = np.minimum(before.sum(axis=1), now.sum(axis=1))[:, None] * both / np.maximum(total, 1)
    rare = least < _RARE
    for side in (before, now):
        expected = side.sum(axis=1, keepdims=True) * both / np.maximum(total, 1)
        apart = np.where(rare, 0.0, (side - expected) ** 2 / np.where(expected > 0, expected, 1))
        rest = np.where(rare, expected, 0).sum(axis=1)
        gap = np.where(rare, side, 0).sum(axis=1) - rest
        statistic += apart.sum(axis=1) + gap**2 / np.where(rest > 0, rest, 1)
    kept = (~rare).sum(axis=1) + (rare & (both > 0)).any(axis=1)
    p: Array = np.where(kept < 2, 1.0, chdtrc(np.maximum(kept - 1, 1), statistic))
    return p


def adjusted(p: Array) -> Array:
    """Benjamini and Hochberg's p-values of each row of an array of shape (looks, claims)."""
    order = np.argsort(p, axis=1, kind="stable")
    steps = np.take_along_axis(p, order, axis=1) * p.shape[1] / np.arange(1, p.shape[1] + 1)
    least = np.minimum(np.minimum.accumulate(steps[:, ::-1], axis=1)[:, ::-1], 1.0)
    found = np.empty_like(p)
    np.put_along_axis(found, order, least, axis=1)
    return found
