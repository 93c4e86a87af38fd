"""How often does a monitor cry wolf in a quiet year of hourly looks?

Each look is judged by the code that judges real ones. Looks at which it cannot find anything are
passed over: a column has moved only where its p-value is below the level *and* an effect is above
its threshold, and adjusting a p-value never makes it smaller. The p-values of a year are computed
at once; where some are small, those columns are looked at alone, which finds more, never less, as
their p-values are adjusted for fewer; and where that finds something, all of them are.
`alarms(..., every_look=True)` passes nothing over, and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from assay.config.monitoring import DriftRule
from assay.evidence.monitoring import Drift, Reference
from assay.monitoring.cells import Cells, effects_of, pooled, to_cells
from assay.monitoring.drift import FEWEST_WEEKS, LEVEL, drifted
from assay.monitoring.problems import volume_problem
from assay.monitoring.seasons import EARLIER_WEEKS, spans_of
from assay.tables.column_counts import ColumnCounts
from honesty.quiet_traffic import Column, Traffic

Array = NDArray[np.float64]
HOUR = 3_600
WEEK = 7 * 24
RULE = DriftRule()
_RARE = 5.0


def alarms(
    traffic: Traffic, *, every_look: bool = False, rule: DriftRule = RULE
) -> list[tuple[int, str]]:
    """Look each hour at the last one: when an alarm begins, and of which column or `volume`."""
    found: list[tuple[int, str]] = []
    loud: set[str] = set()
    suspects = suspicious(traffic)
    for now in range(1, traffic.rows.size + 1):
        moved: set[str] = set()
        asked = range(len(traffic.columns))
        if every_look or (
            (few := _beyond(traffic, now, suspects[now - 1], rule))
            and any(drift.moved for drift in look(traffic, now, rule, few))
        ):
            moved = {drift.column for drift in look(traffic, now, rule, asked) if drift.moved}
        if volume(traffic, now):
            moved.add("volume")
        found += [(now, name) for name in sorted(moved - loud)]
        loud = moved
    return found


def look(traffic: Traffic, now: int, rule: DriftRule, places: Sequence[int]) -> tuple[Drift, ...]:
    """The drift that a look at the end of hour `now`, counted from 1, finds in some columns."""
    spans = spans_of(now - 1, length=HOUR * 1_000_000)
    if spans.week[0] < 0:
        return ()
    columns = [traffic.columns[place] for place in places]
    asked = {at for day in (spans.earlier, *spans.usual) for at in day if at >= 0}

    def counts(first: int, last: int) -> dict[str, ColumnCounts]:
        return {each.reference.name: counted(each, first, last) for each in columns}

    known = {at: counts(at, at + 1) for at in asked}
    reference = Reference(model="quiet", columns=tuple(each.reference for each in columns))
    return drifted(
        reference,
        counts(now - 1, now),
        rule=rule,
        week=counts(now - WEEK, now),
        days=[[known[at] for at in day if at >= 0] for day in (spans.earlier, *spans.usual)],
    )


def volume(traffic: Traffic, now: int) -> bool:
    """Whether the hour's number of predictions is a finding; of the same hours alone, as asked."""
    same = range((now - 1) % WEEK, now, WEEK)
    counts = {at: int(traffic.rows[at]) for at in same}
    return bool(volume_problem(counts, now - 1, HOUR))


def counted(column: Column, first: int, last: int) -> ColumnCounts:
    """The counts of hours `first` to before `last`, as one scan of their rows would find them."""
    *cells, missing = column.counts[first:last].sum(axis=0).tolist()
    known = sum(cells)
    number = column.totals is not None and known
    return ColumnCounts(
        rows=known + missing,
        missing=missing,
        counts=tuple(cells),
        mean=float(column.totals[first:last].sum()) / known if number else None,
        deviation=1.0 if number else None,
    )


def _beyond(traffic: Traffic, now: int, suspects: NDArray[np.bool_], rule: DriftRule) -> list[int]:
    """The columns whose p-value is small and of which an effect is above its threshold."""
    found = set()
    for place, against in np.argwhere(suspects):
        column = traffic.columns[place]
        cells = (_of_reference, _of_same_hours)[against](column, now)
        if cells and any(e.value > (e.threshold or 0) for e in effects_of(cells, rule)):
            found.add(int(place))
    return sorted(found)


def _of_reference(column: Column, now: int) -> Cells | None:
    own = column.reference
    made = ColumnCounts(rows=own.rows, missing=own.missing, counts=own.counts, mean=own.mean)
    return to_cells(own, made, counted(column, now - WEEK, now))


def _of_same_hours(column: Column, now: int) -> Cells | None:
    earlier = [now - 1 - week * WEEK for week in range(1, EARLIER_WEEKS + 1)]
    weeks = [counted(column, at, at + 1) for at in earlier if at >= 0]
    return to_cells(column.reference, pooled(weeks), counted(column, now - 1, now))


def suspicious(traffic: Traffic) -> NDArray[np.bool_]:
    """Where a p-value may confirm: by hour, column, and what is compared with, in that order."""
    found = np.zeros((traffic.rows.size, len(traffic.columns), 2), dtype=bool)
    for place, column in enumerate(traffic.columns):
        counts = column.counts.astype(np.float64)
        sums = np.cumsum(np.concatenate([np.zeros((1, counts.shape[1])), counts]), axis=0)
        week = sums[WEEK:] - sums[:-WEEK]
        own = np.array([*column.reference.counts, column.reference.missing], dtype=np.float64)
        found[WEEK - 1 :, place, 0] = p_values(np.broadcast_to(own, week.shape), week) < 2 * LEVEL
        before = np.zeros_like(counts)
        for k in range(1, EARLIER_WEEKS + 1):
            before[k * WEEK :] += counts[: -k * WEEK]
        first = FEWEST_WEEKS * WEEK
        found[first:, place, 1] = p_values(before[first:], counts[first:]) < 2 * LEVEL
    return found


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
