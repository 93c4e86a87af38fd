"""Drift and estimates of one window of a log, one scan for each span of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.config.monitoring import DriftRule
from assay.evidence.monitoring import Drift, Quality, Reference
from assay.monitoring.drift import drifted
from assay.monitoring.estimate import estimated
from assay.monitoring.profile import layouts
from assay.monitoring.seasons import Span, spans_of
from assay.stats.confidence_based import ESTIMATED
from assay.tables.column_counts import count_columns
from assay.tables.scored_counts import count_scored
from assay.tables.source import Engine
from assay.tables.sql import literal

EARLIER_WEEKS = 4
"""Weeks whose same hours a window is compared with."""


@dataclass(frozen=True, kw_only=True)
class Log:
    """Logged predictions as a relation: `source` to select from, `at` the SQL of a row's time.

    The time is in seconds since 1970. `names` are the logged names of the columns with a role:
    prediction, score and label.
    """

    engine: Engine
    source: str
    at: str
    names: Mapping[str, str]


def drift_in(
    log: Log, window: Span, *, reference: Reference, rule: DriftRule, first: float
) -> tuple[Drift, ...]:
    """Compare a window by its week and by its hours in earlier weeks; () in a log's first week.

    `first` is the time of the first row that the log has.
    """
    spans = spans_of(window, first=first, weeks=EARLIER_WEEKS)
    if spans is None:
        return ()
    laid = layouts(reference, log.names)
    window_counts, week, *earlier = (
        count_columns(log.engine, log.source, laid, where=_within(log, span))
        for span in (spans.window, spans.week, *spans.earlier)
    )
    return drifted(reference, window_counts, rule=rule, week=week, earlier=earlier, names=log.names)


def estimate_in(
    log: Log,
    window: Span,
    *,
    reference: Reference,
    metrics: Sequence[str] = ESTIMATED,
    confidence: float = 0.95,
) -> tuple[Quality, ...]:
    """Estimate a window's quality from its scores; each metric that cannot be says why."""
    role = next((column for column in reference.columns if column.role == "score"), None)
    counts = None
    if role is not None and reference.positive is not None and "prediction" in log.names:
        wanted = log.names.get("score", role.name)
        laid = layouts(reference, log.names)
        score = next(layout for layout in laid if layout.name == wanted and layout.number)
        counts = count_scored(
            log.engine,
            log.source,
            score=score,
            prediction=log.names["prediction"],
            positive=reference.positive,
            where=_within(log, window),
        )
    return estimated(reference, counts, metrics=metrics, confidence=confidence)


def _within(log: Log, span: Span) -> str:
    start, end = (literal(float(edge)) for edge in span)
    return f"{log.at} >= {start} AND {log.at} < {end}"
