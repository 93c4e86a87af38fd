"""How often does a monitor cry wolf in a quiet year of hourly looks?

The looks of a year are screened by arrays (`honesty.quiet_screen`). One at which an alarm begins by
them, or at which something is close to a bound, is made by the code that makes real looks, and that
decides. Others are passed over: `alarms(..., every_look=True)` passes none, and a test holds the
two together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from assay.config.monitoring import DriftRule
from assay.evidence.monitoring import Drift
from assay.monitoring.drift import drifted
from assay.monitoring.problems import volume_problem
from assay.monitoring.seasons import spans_of
from assay.tables.column_counts import ColumnCounts
from honesty.quiet_screen import AGAINST, WEEK, Bools, screened
from honesty.quiet_traffic import RULE, Column, Traffic

HOUR = 3_600
Moved = dict[str, tuple[str, ...]]
"""What each column that moved has moved against."""


class Alarm(NamedTuple):
    """An alarm that begins at the end of hour `at`, counted from 1."""

    at: int
    name: str
    """The column, or `volume`."""
    against: tuple[str, ...] = ()


def alarms(traffic: Traffic, *, every_look: bool = False, rule: DriftRule = RULE) -> list[Alarm]:
    """Look each hour at the last one: when an alarm begins, and of which column or `volume`."""
    found: list[Alarm] = []
    loud: set[str] = set()
    screen = screened(traffic, rule)
    for now in range(1, traffic.rows.size + 1):
        moved = _screened(traffic, screen.moved[:, now - 1])
        if every_look or screen.close[now - 1] or set(moved) - loud:
            moved = _looked(look(traffic, now, rule))
        if volume(traffic, now):
            moved["volume"] = ()
        found += [Alarm(now, name, moved[name]) for name in sorted(set(moved) - loud)]
        loud = set(moved)
    return found


def _screened(traffic: Traffic, moved: Bools) -> Moved:
    return {
        traffic.columns[place].reference.name: tuple(
            against for against, one in zip(AGAINST, moved[:, place], strict=True) if one
        )
        for place in np.flatnonzero(moved.any(axis=0))
    }


def _looked(drifts: tuple[Drift, ...]) -> Moved:
    moved = {(drift.column, drift.against) for drift in drifts if drift.moved}
    return {
        name: tuple(against for against in AGAINST if (name, against) in moved)
        for name, _ in sorted(moved)
    }


def look(traffic: Traffic, now: int, rule: DriftRule) -> tuple[Drift, ...]:
    """The drift that a look at the end of hour `now`, counted from 1, finds."""
    spans = spans_of(now - 1, length=HOUR * 1_000_000)
    if spans.week[0] < 0:
        return ()
    asked = {at for day in (spans.earlier, *spans.usual) for at in day if at >= 0}

    def counts(first: int, last: int) -> dict[str, ColumnCounts]:
        return {each.reference.name: counted(each, first, last) for each in traffic.columns}

    known = {at: counts(at, at + 1) for at in asked}
    return drifted(
        traffic.reference,
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
