"""Numbers for people: as many digits as their interval supports, and the same for both.

Metrics stand in their own unit, the one margins in ``assay.yaml`` are written in; shares of
rows stand in per cent.
"""

from __future__ import annotations

from assay.verdict.figures import (
    MOST_PLACES,
    about,
    number,
    places_for,
    places_of,
    places_without_interval,
    signed,
    written,
)

__all__ = [
    "MOST_PLACES",
    "about",
    "count",
    "duration",
    "exact_percent",
    "interval",
    "number",
    "percent",
    "places_for",
    "places_of",
    "places_without_interval",
    "plural",
    "signed",
    "written",
]


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
