"""Metrics that need every row's values, where no count or sum suffices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from assay.config import Metric, Task
from assay.stats.average_precision import average_precision_difference
from assay.stats.calibration import calibration_error_difference
from assay.stats.estimate import Estimate
from assay.stats.label_sets import label_sets_difference
from assay.stats.median_error import median_absolute_error_difference
from assay.tables.predictions import Pairs

Scored = tuple[NDArray[Any], NDArray[Any]]
_PREDICTED = ("label", "base", "head")
_SCORED = ("label", "base_p", "head_p")
_LIKELIEST = ("base_top", "base_hit", "head_top", "head_hit")
_SETS = frozenset(
    f"{name}_{average}" for name in ("precision", "recall", "f1") for average in ("micro", "macro")
)


def needs_rows(pairs: Pairs, metric: Metric) -> bool:
    """Whether the metric is computed from rows on these files."""
    return bool(_columns(pairs, metric))


def row_columns(pairs: Pairs, metrics: tuple[Metric, ...]) -> dict[str, str]:
    """Columns of ``paired`` that ``metrics`` need row by row, as name to SQL."""
    return {name: name for metric in metrics for name in _columns(pairs, metric)}


def _columns(pairs: Pairs, metric: Metric) -> tuple[str, ...]:
    if metric.name == "calibration_error" and pairs.task == Task.MULTICLASS:
        return _LIKELIEST
    if metric.name in ("average_precision", "calibration_error"):
        return _SCORED
    of_rows = metric.name == "median_absolute_error" or over_labels(pairs, metric)
    return _PREDICTED if of_rows else ()


def over_labels(pairs: Pairs, metric: Metric) -> bool:
    """Whether the metric averages over the labels of sets."""
    return pairs.task == Task.MULTILABEL and metric.name in _SETS


def calibration_sides(pairs: Pairs, rows: Mapping[str, NDArray[Any]]) -> tuple[Scored, Scored]:
    """Base's and head's confidence, and whether each row is right (stats.calibration)."""
    if pairs.task == Task.MULTICLASS:
        return (rows["base_top"], rows["base_hit"]), (rows["head_top"], rows["head_hit"])
    return (rows["base_p"], rows["label"]), (rows["head_p"], rows["label"])


def estimate_rows(
    pairs: Pairs, metric: Metric, rows: Mapping[str, NDArray[Any]], **options: Any
) -> Estimate:
    """Compare head with base on one metric, from the columns of :func:`row_columns`."""
    if metric.name == "average_precision":
        return average_precision_difference(
            rows["label"] == 1, rows["base_p"], rows["head_p"], **options
        )
    if metric.name == "calibration_error":
        return calibration_error_difference(*calibration_sides(pairs, rows), **options)
    if metric.name == "median_absolute_error":
        return median_absolute_error_difference(
            rows["label"], rows["base"], rows["head"], **options
        )
    name, _, average = metric.name.rpartition("_")
    sets = (rows["label"], rows["base"], rows["head"])
    return label_sets_difference(sets, metric=name, average=average, **options)
