"""Windows of predictions with what their labels cover and show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.config import Monitoring
from assay.evidence import Coverage, Window
from assay.monitoring.found import Read, Span
from assay.monitoring.quality import qualities, together
from assay.monitoring.times import from_microseconds, moment_of
from assay.report.numbers import percent
from assay.stats.live import uneven
from assay.tables.live_counts import Cell

SHOWN = 60
"""Windows in one document: the newest."""
_CLEARLY = 0.001


def windows_of(
    monitoring: Monitoring, span: Span, found: Read, cells: Sequence[Cell]
) -> tuple[Window, ...]:
    """The newest windows, oldest first; those without a prediction are among them."""
    begun = [*(cell.window for cell in cells), *found.unknown]
    if not begun:
        return ()
    last = span.at // span.length
    first = max(min(begun), last - SHOWN + 1)
    return tuple(
        _window(monitoring, span, found, [c for c in cells if c.window == number], number)
        for number in range(first, last + 1)
    )


def _window(
    monitoring: Monitoring, span: Span, found: Read, cells: Sequence[Cell], number: int
) -> Window:
    sums = together([cell.sums for cell in cells])
    predictions = sum(cell.predictions for cell in cells)
    quality = qualities(found.metrics, sums, confidence=monitoring.confidence)
    coverage = None
    if monitoring.labels is not None:
        median, ninety = found.delays.get(number, (None, None))
        coverage = Coverage(
            labelled=sums.n,
            delay_median=median,
            delay_90=ninety,
            provisional=number > span.mature,
            selection=selection(found, span, number, complete=sums.n == predictions),
        )
    estimates = found.columns.estimates.get(number, ())
    sliced = found.sliced if number == span.mature else ()
    apart = found.unknown.get(number, {})
    return Window(
        start=moment_of(from_microseconds(number * span.length)),
        end=moment_of(from_microseconds((number + 1) * span.length)),
        complete=(number + 1) * span.length <= span.at,
        predictions=predictions,
        versions={cell.version or "unknown": cell.predictions for cell in cells} | apart,
        unknown=sum(apart.values()),
        coverage=coverage,
        quality=(*quality, *estimates, *sliced),
    )


def selection(found: Read, span: Span, number: int, *, complete: bool) -> str | None:
    """How the labelled predictions of a window are no random sample: it is named, not corrected.

    In the mature window by what was predicted; in it and in younger ones by which class's labels
    come first, as those of mature windows did. None where every prediction has its label.
    """
    if complete or number < span.mature:
        return None
    parts = [_missing(found.shares) if number == span.mature else None, _first(found.early)]
    return "; ".join(part for part in parts if part) or None


def _missing(shares: Mapping[str, tuple[int, int]]) -> str | None:
    """Whether labels are missing by what was predicted: then quality is that of other rows."""
    ends = _uneven(shares)
    if ends is None:
        return None
    (least, low), (most, high) = ends
    return (
        f"{percent(high)} of the predictions of {most} have a label and {percent(low)} of "
        f"those of {least}: what is measured leans towards {most}"
    )


def _first(early: Mapping[str, tuple[int, int]]) -> str | None:
    """Whether one class's labels come before another's: then the first are no random sample."""
    ends = _uneven(early)
    if ends is None:
        return None
    (least, low), (most, high) = ends
    return (
        f"labels of {most} come first ({percent(high)} of them within the median delay, "
        f"{percent(low)} of those of {least}): until all are there, {most} is more frequent among "
        "them than in truth"
    )


def _uneven(
    shares: Mapping[str, tuple[int, int]],
) -> tuple[tuple[str, float], tuple[str, float]] | None:
    """The groups with the lowest and the highest share, where they clearly differ."""
    known = {name: pair for name, pair in shares.items() if pair[1] >= 1}
    if len(known) < 2 or uneven(*zip(*known.values(), strict=True)) >= _CLEARLY:
        return None
    rates = {name: chosen / rows for name, (chosen, rows) in known.items()}
    least, most = min(rates, key=lambda n: rates[n]), max(rates, key=lambda n: rates[n])
    return (least, rates[least]), (most, rates[most])
