"""Windows of predictions with what their labels cover and show."""

from __future__ import annotations

from collections.abc import Sequence

from assay.config import Monitoring
from assay.evidence import Coverage, Window
from assay.monitoring.quality import qualities, together
from assay.monitoring.reading import Read, Span
from assay.monitoring.times import from_microseconds, moment_of
from assay.stats.live import uneven
from assay.tables.live_counts import Cell

SHOWN = 60
"""Windows in one document: the newest."""
_CLEARLY = 0.001


def windows_of(
    monitoring: Monitoring, span: Span, found: Read, cells: Sequence[Cell]
) -> tuple[Window, ...]:
    """The newest windows, oldest first; those without a prediction are among them."""
    if not cells:
        return ()
    last = span.at // span.length
    first = max(min(cell.window for cell in cells), last - SHOWN + 1)
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
            selection=_selection(found) if number == span.mature else None,
        )
    return Window(
        start=moment_of(from_microseconds(number * span.length)),
        end=moment_of(from_microseconds((number + 1) * span.length)),
        complete=(number + 1) * span.length <= span.at,
        predictions=predictions,
        versions={cell.version or "unknown": cell.predictions for cell in cells},
        coverage=coverage,
        quality=(*quality, *found.sliced) if number == span.mature else quality,
    )


def _selection(found: Read) -> str | None:
    """Whether labels are missing by what was predicted: then quality is that of other rows."""
    shares = {name: pair for name, pair in found.shares.items() if pair[1] >= 1}
    if len(shares) < 2:
        return None
    labelled, rows = zip(*shares.values(), strict=True)
    if uneven(labelled, rows) >= _CLEARLY:
        return None
    rates = {name: pair[0] / pair[1] for name, pair in shares.items()}
    least, most = min(rates, key=lambda n: rates[n]), max(rates, key=lambda n: rates[n])
    return (
        f"{rates[most]:.0%} of the predictions of {most} have a label and {rates[least]:.0%} of "
        f"those of {least}: what is measured leans towards {most}"
    )
