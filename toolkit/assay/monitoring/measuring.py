"""What was answered and what is true of it, to sums: by window and version, class and slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.config import Model, Monitoring, Task
from assay.evidence import Quality
from assay.monitoring.found import Read, Span, merged
from assay.monitoring.quality import qualities, shown_metrics
from assay.tables import live_counts
from assay.tables.live_counts import Cell
from assay.tables.source import Engine


def measured(
    engine: Engine,
    model: Model,
    monitoring: Monitoring,
    span: Span,
    *,
    before: Sequence[Cell],
    unknown: Mapping[int, dict[str, int]],
) -> Read:
    """Sum the table ``judged`` by window and version.

    `before` is what is remembered of windows; `unknown` are predictions that are not in the table,
    by window and version.
    """
    numbers = model.task is Task.REGRESSION if model.task else live_counts.numbers_of(engine)
    positive = None if numbers else _positive(engine, model)
    new = live_counts.read_cells(
        engine, length=span.length, positive=positive, where=f"answered >= {span.since}"
    )
    classes: tuple[str, ...] = ()
    if not numbers and not any(cell.sums.hits + cell.sums.misses for cell in new):
        seen = live_counts.classes_of(engine)
        classes = () if positive in seen else seen
    scored = any(cell.sums.bins for cell in new)
    metrics = shown_metrics(monitoring.quality, numbers=numbers, positive=positive, scored=scored)
    shares, early = {}, {}
    if not numbers:
        shares = live_counts.read_labelled_shares(engine, window=span.mature, length=span.length)
        early = live_counts.read_early(engine, until=span.mature, length=span.length)
    windows = {at for at in unknown if at >= span.since // span.length}
    windows |= {cell.window for cell in new}
    return Read(
        cells=merged(before, new, windows),
        windows=frozenset(windows),
        unknown=dict(unknown),
        delays=live_counts.read_delays(engine, length=span.length, since=span.since),
        metrics=metrics if monitoring.labels is not None else (),
        positive=positive,
        classes=classes,
        unanswered=live_counts.count_unanswered(engine),
        improbable=live_counts.count_improbable(engine) if monitoring.logs.score else 0,
        sliced=_sliced(engine, monitoring, span, metrics, positive),
        shares=shares,
        early=early,
    )


def _sliced(
    engine: Engine,
    monitoring: Monitoring,
    span: Span,
    metrics: Sequence[str],
    positive: str | None,
) -> tuple[Quality, ...]:
    sliced: list[Quality] = []
    for place, column in enumerate(monitoring.slices):
        for value in live_counts.slice_values(engine, place):
            where = live_counts.in_slice(place, value, window=span.mature, length=span.length)
            for part in live_counts.read_cells(
                engine, length=span.length, positive=positive, where=where
            ):
                sliced += qualities(
                    metrics,
                    part.sums,
                    confidence=monitoring.confidence,
                    of_slice=f"{column}={value}",
                )
    return tuple(sliced)


def _positive(engine: Engine, model: Model) -> str | None:
    """The positive class as the tables write it; 1 where the classes are 0 and 1."""
    named = model.columns.positive
    if named is not None:
        return str(int(named)) if isinstance(named, bool) else str(named)
    classes = set(live_counts.classes_of(engine))
    return "1" if classes <= {"0", "1"} and classes else None
