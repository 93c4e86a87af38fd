"""Numbers for people: as many digits as their interval supports, the same in sentence and table."""

from __future__ import annotations

import math
from collections.abc import Iterable

from assay.evidence import Rule

MOST_PLACES = 8
_MORE_PLACES = 4
_MINUS = "−"


def places_for(interval: tuple[float, float], *, thresholds: Iterable[float] = (0.0,)) -> int:
    """Return the decimals to print an interval with.

    Two significant digits of its half-width, and more where a bound would otherwise be printed
    as a threshold that it does not equal: a lower bound of 0.00004 is not ``0.0000``.
    """
    low, high = interval
    enough = _significant(abs(high - low) / 2, digits=2)
    marks = tuple(thresholds)
    for places in range(enough, min(enough + _MORE_PLACES, MOST_PLACES) + 1):
        if not any(
            bound != mark and round(bound, places) == round(mark, places)
            for bound in interval
            for mark in marks
        ):
            return places
    return enough


def places_without_interval(base: float | None, head: float | None) -> int:
    """Return the decimals for two values that carry no interval: three digits of what differs."""
    if base is None or head is None or base == head:
        known = next((abs(value) for value in (base, head) if value), 0.0)
        return _significant(known, digits=4)
    return _significant(abs(head - base), digits=3)


def written(value: float) -> str:
    """Return a number that somebody wrote, a margin or a limit, with thousands separated."""
    return f"{value:,.10g}".replace("-", _MINUS)


def _significant(size: float, *, digits: int) -> int:
    """Return the decimals that show ``digits`` significant digits of ``size``."""
    if size == 0 or not math.isfinite(size):
        return 4
    return min(MOST_PLACES, max(0, digits - 1 - math.floor(math.log10(size))))


def number(value: float, places: int) -> str:
    """Return a value with fixed decimals, thousands separated, and a true minus sign."""
    if value != 0 and abs(value) < 0.5 * 10**-places and places >= MOST_PLACES:
        return f"{value:.1e}".replace("-", _MINUS)
    text = f"{value:,.{places}f}"
    if float(text.replace(",", "")) == 0:
        text = text.removeprefix("-")
    return text.replace("-", _MINUS)


def signed(value: float, places: int) -> str:
    """Return a difference with its sign; zero carries none."""
    text = number(value, places)
    return f"+{text}" if value > 0 and any(digit in text for digit in "123456789") else text


def places_of(rule: Rule) -> int:
    """Return the decimals that a rule's values, difference and interval are all printed with."""
    if rule.interval is None:
        return places_without_interval(rule.base, rule.head)
    margin = () if rule.margin is None else (-rule.margin,)
    return places_for(rule.interval, thresholds=(0.0, *margin))


def confidence_of_all(rule: Rule) -> float:
    """Return the confidence that a rule's interval holds together with all others searched."""
    return round(1 - (1 - rule.confidence) * (rule.searched or 1), 10)


def about(rows: int) -> str:
    """Return a number of rows that was estimated: two digits of it, rounded up."""
    step = 10 ** max(0, len(str(rows)) - 2)
    return f"{-(-rows // step) * step:,}"
