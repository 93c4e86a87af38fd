"""Every comparison of a year's hourly looks by arrays: what a look would find, and how surely.

It follows `assay.monitoring.drift` step by step: effects beside their thresholds, for the same
hours with the room for what weeks usually differ by, and p-values adjusted over a look's claims.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import add

import numpy as np
from numpy.typing import NDArray

from assay.config.monitoring import DriftRule
from assay.monitoring.drift import _SQUARED, FEWEST_WEEKS, LEVEL, TIMES
from assay.monitoring.seasons import EARLIER_WEEKS, OTHER_DAYS
from honesty.quiet_effects import Side, adjusted, effects, p_values, thresholds_of
from honesty.quiet_traffic import Column, Traffic

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Hours = NDArray[np.int64]
DAY = 24
WEEK = 7 * DAY
AGAINST = ("reference", "same hours")
_CLOSE, _CLOSE_P = 1e-4, 1e-6


@dataclass(frozen=True, kw_only=True)
class Screened:
    """What the arrays say of a year's looks."""

    moved: Bools
    """By comparison, hour and column: of shape (2, hours, columns)."""
    close: Bools
    """Hours at which something is close to a bound, so that rounding may decide."""


@dataclass(frozen=True, kw_only=True)
class _Compared:
    """One column's comparisons from an hour on: p-values, and effects over their thresholds."""

    first: int
    p: Array
    excess: Array


def screened(traffic: Traffic, rule: DriftRule) -> Screened:
    """Compare every hour of a year; each of them has predictions."""
    if not traffic.rows.all():
        raise ValueError("an hour without predictions has nothing to compare")
    shape = (len(AGAINST), traffic.rows.size, len(traffic.columns))
    p, excess = np.ones(shape), np.zeros(shape)
    for place, column in enumerate(traffic.columns):
        for against, compare in enumerate((_with_reference, _with_same_hours)):
            own = compare(column, rule)
            p[against, own.first :, place] = own.p
            excess[against, own.first :, place] = own.excess
    alone = FEWEST_WEEKS * WEEK
    p[0, :alone] = adjusted(p[0, :alone])
    together = adjusted(np.concatenate(list(p[:, alone:]), axis=1))
    p[:, alone:] = np.stack(np.split(together, len(AGAINST), axis=1))
    may = (p < LEVEL * (1 + _CLOSE_P)) & (excess > 1 - _CLOSE)
    moved = (p < LEVEL * (1 - _CLOSE_P)) & (excess > 1 + _CLOSE)
    return Screened(moved=moved, close=(may & ~moved).any(axis=(0, 2)))


def sums_of(column: Column, hours: int) -> Side:
    """The counts of each so many hours together, by the hour that ends them."""

    def together(values: Array) -> Array:
        sums = np.cumsum(np.concatenate([np.zeros_like(values[:1]), values]), axis=0)
        found: Array = sums[hours:] - sums[:-hours]
        return found

    totals = None if column.totals is None else together(column.totals)
    return Side(counts=together(column.counts.astype(np.float64)), totals=totals)


def profile_of(column: Column, pairs: int) -> Side:
    """The reference's own counts, once for each pair."""
    own = column.reference
    counts = np.array([[*own.counts, own.missing]], dtype=np.float64).repeat(pairs, axis=0)
    totals = None if own.mean is None else np.full(pairs, own.mean * sum(own.counts))
    return Side(counts=counts, totals=totals)


def _with_reference(column: Column, rule: DriftRule) -> _Compared:
    week = sums_of(column, WEEK)
    known = profile_of(column, len(week.counts))
    found, least = effects(column.reference, known, week), thresholds_of(rule)
    excess = np.max([values / least[name] for name, values in found.items()], axis=0)
    return _Compared(first=WEEK - 1, p=p_values(known.counts, week.counts), excess=excess)


def _with_same_hours(column: Column, rule: DriftRule) -> _Compared:
    first, least = FEWEST_WEEKS * WEEK, thresholds_of(rule)
    now = Side(counts=column.counts.astype(np.float64), totals=column.totals)
    weeks = [now.later(k * WEEK) for k in range(1, EARLIER_WEEKS + 1)]
    *_, before = accumulate(weeks, add)
    found = effects(column.reference, before[first:], now[first:])
    p = p_values(before.counts[first:], now.counts[first:])
    excess = np.max([values / least[name] for name, values in found.items()], axis=0)
    asked = np.flatnonzero((p < LEVEL * (1 + _CLOSE_P)) & (excess > 1 - _CLOSE))
    if asked.size:
        room = _room(column, weeks, before, asked + first)
        raised = []
        for name, values in found.items():
            power = 2 if name in _SQUARED else 1
            threshold = (least[name] ** (1 / power) + TIMES * room[name]) ** power
            raised.append(values[asked] / threshold)
        excess[asked] = np.max(raised, axis=0)
    return _Compared(first=first, p=p, excess=excess)


def _room(column: Column, weeks: Sequence[Side], before: Side, hours: Hours) -> dict[str, Array]:
    """What weeks usually differ by at some hours, in units of a shift: each effect's, by its name.

    The root mean square over the earlier weeks of the hour's weekday and of the six before it, as
    far as there are two of them at least.
    """
    days = hours[:, None] - DAY * np.arange(1 + OTHER_DAYS)
    asked, place = np.unique(days, return_inverse=True)
    place = place.reshape(days.shape)
    squares: dict[str, Array] = {}
    counts = np.zeros(asked.size)
    for k, own in enumerate(weeks, 1):
        there = asked >= max(k, 2) * WEEK
        counts += there
        at = asked[there]
        for name, values in effects(column.reference, (before - own)[at], own[at]).items():
            shifts = values if name in _SQUARED else values**2
            squares.setdefault(name, np.zeros(asked.size))[there] += shifts
    return {
        name: np.sqrt(values[place].sum(axis=1) / counts[place].sum(axis=1))
        for name, values in squares.items()
    }
