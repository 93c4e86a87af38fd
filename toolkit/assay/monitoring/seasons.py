"""Which windows one is compared by, so that a night or a weekend is no drift. Pure."""

from __future__ import annotations

from dataclasses import dataclass

WEEK = 7 * 86_400 * 1_000_000
"""In µs."""
EARLIER_WEEKS = 4
"""Weeks whose same hours a window is compared with."""


@dataclass(frozen=True, kw_only=True)
class Spans:
    """Numbers of windows, counted from 1970.

    `week` ends with `window` and is compared with the reference; `window` is compared with
    `earlier`, its hours in earlier weeks: none where windows do not divide a week.
    """

    window: int
    week: tuple[int, ...]
    earlier: tuple[int, ...]


def spans_of(window: int, *, length: int) -> Spans:
    """The spans of one window; `length` of a window in µs. One longer than a week is its own."""
    first = -(-((window + 1) * length - WEEK) // length)
    step = 0 if WEEK % length else WEEK // length
    return Spans(
        window=window,
        week=tuple(range(min(first, window), window + 1)),
        earlier=tuple(window - k * step for k in range(1, EARLIER_WEEKS + 1)) if step else (),
    )


def reach_of(length: int) -> int:
    """How many windows before one its comparisons reach."""
    return -(-EARLIER_WEEKS * WEEK // length) + 1
