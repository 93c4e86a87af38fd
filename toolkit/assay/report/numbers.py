"""Numbers for people: as many digits as their interval supports, and the same for both.

Metrics stand in their own unit, the one margins in ``assay.yaml`` are written in; shares of
rows stand in per cent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

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


def interval(bounds: tuple[float, float], places: int) -> str:
    """Return an interval as ``[−0.031, −0.012]``."""
    return f"[{signed(bounds[0], places)}, {signed(bounds[1], places)}]"


def count(value: int) -> str:
    """Return a count with thousands separated."""
    return f"{value:,}"


def plural(value: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """Return a share in per cent, never rounded to nothing or to all."""
    size = share * 100
    if size in {0, 100}:
        return f"{size:.0f}\N{NO-BREAK SPACE}%"
    if size < 0.01:
        return "under 0.01\N{NO-BREAK SPACE}%"
    if size > 99.99:
        return "over 99.99\N{NO-BREAK SPACE}%"
    return f"{size:.{0 if 10 <= size <= 90 else 1 if 1 <= size <= 99 else 2}f}\N{NO-BREAK SPACE}%"


def exact_percent(share: float) -> str:
    """Return a share that somebody chose (a confidence, a margin) in per cent, unrounded."""
    return f"{share * 100:.10g}\N{NO-BREAK SPACE}%"


def duration(seconds: float) -> str:
    """Return a time span in its largest sensible unit."""
    for size, unit in ((86_400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
