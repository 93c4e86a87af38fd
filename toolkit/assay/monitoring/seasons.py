"""Which rows a window is compared by, so that a night or a weekend is no drift. Pure."""

from __future__ import annotations

from dataclasses import dataclass

DAY = 86_400
WEEK = 7 * DAY
Span = tuple[float, float]
"""Seconds since 1970: from, up to and without."""


@dataclass(frozen=True, kw_only=True)
class Spans:
    """`week` is compared with the reference, `window` with `earlier`, its hours in other weeks."""

    window: Span
    week: Span
    earlier: tuple[Span, ...]


def spans_of(window: Span, *, first: float, weeks: int) -> Spans | None:
    """The spans of a window in a log that begins at `first`; None while it is younger than a week.

    A part of a week, such as its weekdays, is no fair comparison with a reference of all of it.
    """
    start, end = window
    if end - WEEK < first:
        return None
    shifted = [(start - k * WEEK, end - k * WEEK) for k in range(1, weeks + 1)]
    return Spans(
        window=window,
        week=(min(end - WEEK, start), end),
        earlier=tuple(span for span in shifted if span[0] >= first),
    )
