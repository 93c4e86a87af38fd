"""How often the test set has decided, and each gate's interval with all of that counted."""

from __future__ import annotations

import math
from collections.abc import Iterator

from assay.comparison.ask import Asked
from assay.comparison.measure import Level, Sample, estimate
from assay.config import Metric
from assay.evidence import CorrectedInterval, Reuse
from assay.stats.estimate import relative_weight
from assay.stats.multiplicity import corrected_confidence
from assay.tables.predictions_counts import ALL
from assay.tables.predictions_test_set import digest_of_test_set


def reuse_of(
    sample: Sample, metrics: tuple[Metric, ...], asked: Asked, *, head: str
) -> Reuse | None:
    """Count the decisions on this test set, this one included; None where nobody asks.

    ``head`` is the digest of the head's predictions: one that is in the ledger already is no new
    decision, and neither is one that predicts what the base predicts.
    """
    ledger = asked.ledger
    if ledger is None:
        return None
    test_set = digest_of_test_set(sample.pairs)
    if test_set is None:
        return Reuse(missing="the rows have neither ids nor labels to tell the test set by")
    missing = ledger.why_missing(asked.model)
    if missing is not None:
        return Reuse(test_set=test_set, missing=missing)
    used = ledger.used(asked.model, test_set)
    heads = {*used.heads, *(() if sample.pairs.identical else (head,))}
    decisions = max(1, len(heads))
    confidence = corrected_confidence(asked.confidence, decisions)
    return Reuse(
        test_set=test_set,
        decisions=decisions,
        since=used.since,
        confidence=confidence,
        corrected=tuple(_corrected(sample, metrics, asked, confidence)),
    )


def _corrected(
    sample: Sample, metrics: tuple[Metric, ...], asked: Asked, confidence: float
) -> Iterator[CorrectedInterval]:
    """Measure each gate again at ``confidence``, so that t, skewness and clipping are included."""
    for metric in metrics:
        gate = asked.gates.get(metric.name)
        if gate is None:
            continue
        weights = [1.0]
        if gate.relative_margin is not None:
            up = metric.higher_is_better
            weights.append(relative_weight(gate.relative_margin, greater_is_better=up))
        for weight in weights:
            found = estimate(sample, metric, ALL, Level(confidence=confidence, base_weight=weight))
            ends = (found.interval.low, found.interval.high) if found.interval else None
            if ends is not None and all(map(math.isfinite, ends)):
                yield CorrectedInterval(metric=metric.name, base_weight=weight, interval=ends)
