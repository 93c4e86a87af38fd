"""Joint moments of arrays, to the last bit those that the engine sums (predictions_moments)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from assay.tables.predictions_moments import Basis, Moments, Plan, usable_bounds

Columns = Sequence[NDArray[np.float64]]
_BLOCK = 1 << 16
"""Rows at once: what fits a processor's cache with its products."""
_LOW = 32
"""Bits that are summed apart from the others, so that no sum of whole numbers overflows."""


def moments_by_segment(
    columns: Columns,
    changed: NDArray[np.bool_],
    starts: NDArray[np.int64],
    basis: Basis,
) -> list[Moments | None]:
    """Return the moments of each segment of the rows; None where a value is not finite.

    ``columns`` and ``changed`` have shape (rows,); segment k, which must not be empty, starts at
    row ``starts[k]`` and ends where the next one starts.
    """
    bounds = [
        usable_bounds(bool(np.isfinite(column).all()), float(column.min()), float(column.max()))
        for column in columns
    ]
    if any(bound is None for bound in bounds):
        return [None] * len(starts)
    plan = Plan.of([("", bound) for bound in bounds], basis, changed="")
    sums = _sums(plan, columns, starts)
    counts = np.diff(starts, append=len(changed))
    moved = np.add.reduceat(changed.astype(np.int64), starts)
    return [
        plan.read(int(n), iter([*values, int(k)]))
        for n, values, k in zip(counts, sums, moved, strict=True)
    ]


def moments_of_parts(
    parts: Callable[[], Iterable[tuple[Columns, NDArray[np.bool_]]]], basis: Basis
) -> Moments | None:
    """Return the moments of rows that come in parts, which are made twice: bounds, then sums."""
    n = changed = 0
    finite, lows, highs = True, [np.inf, np.inf], [-np.inf, -np.inf]
    for columns, moved in parts():
        n += len(moved)
        changed += int(np.count_nonzero(moved))
        for place, column in enumerate(columns if len(moved) else ()):
            finite = finite and bool(np.isfinite(column).all())
            lows[place] = min(lows[place], float(column.min()))
            highs[place] = max(highs[place], float(column.max()))
    bounds = [usable_bounds(finite, low, high) for low, high in zip(lows, highs, strict=True)]
    if any(bound is None for bound in bounds):
        return None
    plan = Plan.of([("", bound) for bound in bounds], basis, changed="")
    totals = [0] * len(plan.scales)
    for columns, moved in parts():
        if len(moved):
            (found,) = _sums(plan, columns, np.zeros(1, dtype=np.int64))
            totals = [total + value for total, value in zip(totals, found, strict=True)]
    return plan.read(n, iter([*totals, changed]))


def _sums(plan: Plan, columns: Columns, starts: NDArray[np.int64]) -> list[list[int]]:
    """The whole numbers of each segment, in the order of the plan's products."""
    rows = len(columns[0])
    high = np.zeros((len(plan.scales), len(starts)), dtype=np.int64)
    low = np.zeros_like(high)
    for begin in range(0, rows, _BLOCK):
        end = min(begin + _BLOCK, rows)
        first = int(np.searchsorted(starts, begin, side="right")) - 1
        last = int(np.searchsorted(starts, end, side="left"))
        local = np.maximum(starts[first:last], begin) - begin
        for place, whole in enumerate(plan.multiples([c[begin:end] for c in columns])):
            high[place, first:last] += np.add.reduceat(whole >> _LOW, local)
            low[place, first:last] += np.add.reduceat(whole & ((1 << _LOW) - 1), local)
    return [
        [(int(h) << _LOW) + int(rest) for h, rest in zip(high[:, k], low[:, k], strict=True)]
        for k in range(len(starts))
    ]
