"""Which windows one is compared by, so that a night or a weekend is no drift. Pure."""

from __future__ import annotations

from dataclasses import dataclass

DAY = 86_400 * 1_000_000
WEEK = 7 * DAY
"""In µs."""
EARLIER_WEEKS = 4
"""Weeks whose same hours a window is compared with."""
OTHER_DAYS = 6
"""Weekdays beside a window's own, which tell what weeks usually differ by."""


@dataclass(frozen=True, kw_only=True)
class Spans:
    """Numbers of windows, counted from 1970.

    `week` ends with `window` and is compared with the reference; `window` is compared with
    `earlier`, its hours in earlier weeks: none where windows do not divide a week. `usual` are the
    same hours of each other weekday in those weeks, a weekday each: what they differ by among
    themselves is usual. None where windows do not divide a day.
    """

    window: int
    week: tuple[int, ...]
    earlier: tuple[int, ...]
    usual: tuple[tuple[int, ...], ...] = ()


def spans_of(window: int, *, length: int) -> Spans:
    """The spans of one window; `length` of a window in µs. One longer than a week is its own."""
    first = -(-((window + 1) * length - WEEK) // length)
    step = 0 if WEEK % length else WEEK // length
    days = 0 if DAY % length else DAY // length

    def weeks(last: int) -> tuple[int, ...]:
        return tuple(last - k * step for k in range(1, EARLIER_WEEKS + 1)) if step else ()

    return Spans(
        window=window,
        week=tuple(range(min(first, window), window + 1)),
        earlier=weeks(window),
        usual=tuple(weeks(window - day * days) for day in range(1, OTHER_DAYS + 1)) if days else (),
    )


def reach_of(length: int) -> int:
    """How many windows before one its comparisons reach."""
    return -(-(EARLIER_WEEKS * WEEK + OTHER_DAYS * DAY) // length) + 1
