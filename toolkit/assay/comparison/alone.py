"""The head's own values, where there is no base to compare them with."""

from __future__ import annotations

from pathlib import Path

from assay.comparison.ask import Asked
from assay.comparison.compare import compare
from assay.evidence import Comparison, Measurement
from assay.tables.predictions_counts import ALL


def head_alone(head: Path, asked: Asked, reason: str) -> Comparison:
    """Measure ``head`` without a base: values over all rows, no difference, nothing judged.

    ``reason`` says why there is no base; it becomes ``not_measured`` and each metric's
    ``undefined``. Raises InputError where the file cannot be read.
    """
    found = compare(head, head, asked)
    values = tuple(
        _without_base(measured, reason)
        for measured in found.measurements
        if measured.slice == ALL and measured.base_weight == 1
    )
    return Comparison(
        model=found.model,
        task=found.task,
        positive=found.positive,
        confidence=found.confidence,
        not_measured=reason,
        columns=found.columns,
        measurements=values,
    )


def _without_base(measured: Measurement, reason: str) -> Measurement:
    return Measurement(
        metric=measured.metric,
        higher_is_better=measured.higher_is_better,
        head=measured.head,
        n=measured.n,
        undefined=measured.undefined or reason,
    )
