"""One column's counts before and now, over the reference's cells: effects, p-value, cost. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from assay.config.monitoring import DriftRule
from assay.evidence import Effect, Histogram
from assay.evidence.monitoring import ColumnReference
from assay.stats.drift import chi_square_p, jensen_shannon_distance, psi, wasserstein
from assay.tables.column_counts import ColumnCounts

Vector = NDArray[np.float64]
_LEAST_EXPECTED = 5.0
_PRIOR_ROWS = 20.0
_MOST_SHOWN = 20
_PSI_BINS = 10
_ROUNDING = 0.005
_LONGEST_NAME = 60


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Two sides of one column; `before` and `now` are arrays over all cells and missing values."""

    column: ColumnReference
    first: ColumnCounts
    second: ColumnCounts

    @property
    def before(self) -> Vector:
        """Counts of the first side, the missing ones last."""
        return np.array([*self.first.counts, self.first.missing], dtype=np.float64)

    @property
    def now(self) -> Vector:
        """Counts of the second side, the missing ones last."""
        return np.array([*self.second.counts, self.second.missing], dtype=np.float64)


def to_cells(column: ColumnReference, first: ColumnCounts, second: ColumnCounts) -> Cells | None:
    """Put both sides together; None where one has no rows."""
    if not first.rows or not second.rows:
        return None
    return Cells(column=column, first=first, second=second)


def pooled(sides: Sequence[ColumnCounts]) -> ColumnCounts:
    """Several sides as one; its deviation and ends are not known."""
    rows = sum(side.rows for side in sides)
    known = [(side.rows - side.missing, side.mean) for side in sides if side.mean is not None]
    weight = sum(count for count, _ in known)
    new: Counter[str] = Counter()
    for value, count in (each for side in sides for each in side.new):
        new[value] += count
    return ColumnCounts(
        rows=rows,
        missing=sum(side.missing for side in sides),
        counts=tuple(sum(cell) for cell in zip(*(side.counts for side in sides), strict=True)),
        mean=sum(count * mean for count, mean in known) / weight if weight else None,
        new=tuple(sorted(new.items(), key=lambda each: (-each[1], each[0]))),
    )


def effects_of(cells: Cells, rule: DriftRule) -> tuple[Effect, ...]:
    """Every effect size of the column, with the threshold from which it counts."""
    before, now = _coarse(cells.column, cells.before), _coarse(cells.column, cells.now)
    found = [
        _effect("psi", psi(before, now), rule.psi),
        _effect("jensen_shannon", jensen_shannon_distance(before, now), rule.jensen_shannon),
        _effect(
            "missing",
            abs(
                _share(cells.second.missing, cells.second)
                - _share(cells.first.missing, cells.first)
            ),
            rule.missing,
        ),
    ]
    apart = _wasserstein(cells)
    if apart is not None and math.isfinite(apart):
        found.append(_effect("wasserstein_sd", apart, rule.wasserstein))
    unseen = _unseen(cells)
    if unseen is not None:
        found.append(_effect("unseen", unseen, rule.unseen))
    return tuple(found)


def _effect(name: str, value: float, threshold: float) -> Effect:
    return Effect(name=name, value=float(f"{value:.6g}"), threshold=threshold)


def _share(count: int, side: ColumnCounts) -> float:
    return count / side.rows


def _coarse(column: ColumnReference, counts: Vector) -> Vector:
    """Categories as they are; of a number about ten bins, and what lies outside in the outer ones.

    The index's usual reading is for ten bins. The bins are the same on both sides.
    """
    *inner, missing = counts.tolist()
    if column.kind != "number":
        return np.array([*inner, missing])
    own = [inner[0] + inner[1], *inner[2:-2], inner[-2] + inner[-1]] if len(inner) > 3 else inner
    if len(own) > _PSI_BINS:
        total = sum(column.counts) or 1
        starts = [0]
        passed, bound = 0.0, total / _PSI_BINS
        for place, count in enumerate(_inside(column)[:-1]):
            passed += count
            if passed >= bound - _ROUNDING * total:
                starts.append(place + 1)
                bound = passed + total / _PSI_BINS
        own = np.add.reduceat(np.array(own), starts).tolist()
    return np.array([*own, missing])


def _inside(column: ColumnReference) -> list[int]:
    inner = list(column.counts)
    return [inner[0] + inner[1], *inner[2:-2], inner[-2] + inner[-1]]


def _wasserstein(cells: Cells) -> float | None:
    """Over the middles of the bins, or the difference in means where that is more.

    The first is off by at most half a bin for each row of it; the second is a lower bound that
    sees how far outside the reference's range something lies.
    """
    column, first, second = cells.column, cells.first, cells.second
    if column.kind != "number" or first.mean is None or second.mean is None:
        return None
    deviation = column.deviation or 0.0
    means = abs(second.mean - first.mean)
    if deviation == 0:
        return 0.0 if means == 0 else math.inf
    edges = np.array(column.edges)
    middles = edges[:-1] + np.diff(edges) / 2
    places, owner = np.unique([edges[0], *middles, edges[-1]], return_inverse=True)
    before, now = (np.bincount(owner, side[:-1]) for side in (cells.before, cells.now))
    return max(wasserstein(places, before, now), means) / deviation


def _unseen(cells: Cells) -> float | None:
    """Share of rows in cells where the reference has none; None where it leaves categories out."""
    column, counts = cells.column, cells.second.counts
    if column.kind == "number":
        return (counts[0] + counts[-1]) / cells.second.rows
    return counts[-1] / cells.second.rows if column.counts[-1] == 0 else None


def confirming_p(cells: Cells) -> float:
    """Chi-square p-value of equal distributions, with rare cells put together first."""
    counts = np.stack([cells.before, cells.now])
    counts = counts[:, counts.sum(axis=0) > 0]
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    rare = expected.min(axis=0) < _LEAST_EXPECTED
    if rare.any():
        merged = counts[:, rare].sum(axis=1, keepdims=True)
        counts = np.concatenate([counts[:, ~rare], merged], axis=1)
    return chi_square_p(counts[0], counts[1])


def cost_of(column: ColumnReference, cells: Cells) -> float | None:
    """Quality lost by the change in the cells' shares alone: Σ (before − now)·quality.

    The quality of a cell is the reference's, drawn towards the whole column's by 20 rows; one
    where the reference has no rows counts as its worst. None without labels.
    """
    if not column.quality:
        return None
    rows = np.array([*column.counts, column.missing], dtype=np.float64)
    known = np.array([value is not None for value in column.quality]) & (rows > 0)
    if not known.any():
        return None
    values = np.array([value if value is not None else 0.0 for value in column.quality])
    whole = float(rows[known] @ values[known] / rows[known].sum())
    drawn = (rows * values + _PRIOR_ROWS * whole) / (rows + _PRIOR_ROWS)
    drawn[~known] = drawn[known].min()
    before, now = cells.before, cells.now
    return float(f"{(before / before.sum() - now / now.sum()) @ drawn:.6g}")


def histogram_of(cells: Cells) -> Histogram:
    """The cells for a plot; the smallest beyond 20 are put together at the end."""
    listed = [
        each
        for each in zip(_names(cells.column), cells.before, cells.now, strict=True)
        if each[1] or each[2]
    ]
    if len(listed) > _MOST_SHOWN:
        by_size = sorted(range(len(listed)), key=lambda i: (-listed[i][1] - listed[i][2], i))
        kept = set(by_size[: _MOST_SHOWN - 1])
        rest = [each for place, each in enumerate(listed) if place not in kept]
        together = (f"{len(rest)} others", sum(r[1] for r in rest), sum(r[2] for r in rest))
        listed = [*(each for place, each in enumerate(listed) if place in kept), together]
    return Histogram(
        cells=tuple(name for name, _, _ in listed),
        reference=tuple(int(before) for _, before, _ in listed),
        current=tuple(int(now) for *_, now in listed),
    )


def _names(column: ColumnReference) -> list[str]:
    if column.kind == "number":
        edges = [f"{edge:.4g}" for edge in column.edges]
        inner = [f"{low} … {high}" for low, high in pairwise(edges)]
        return [f"below {edges[0]}", *inner, f"above {edges[-1]}", "no value"]
    return [*(repr(v[:_LONGEST_NAME]) for v in column.values), "any other value", "no value"]
