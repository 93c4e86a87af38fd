"""Which influences of every row a metric has, from columns of the joined rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.comparison.by_rows import over_labels
from assay.config import Metric
from assay.stats import influence
from assay.stats.classification import AVERAGED
from assay.stats.influence import Influence, Vector
from assay.stats.label_sets import label_sets_influences
from assay.tables.predictions import Pairs

Arrays = Mapping[str, NDArray[Any]]
Sides = tuple[Influence, Influence]
_NOT_FINITE = "a value is missing, infinite, or beyond what can be computed with"


def influences_of(
    pairs: Pairs, metric: Metric, rows: Arrays, weights: Vector, z: float
) -> Sides | str:
    """Both sides' influences of the rows on a metric, or why there are none.

    ``z`` is the normal quantile at which the median's density is read.
    """
    if metric.name in ("roc_auc", "average_precision"):
        kind = influence.of_roc_auc if metric.name == "roc_auc" else influence.of_average_precision
        positive = rows["label"] == 1
        return kind(positive, rows["base_p"], weights), kind(positive, rows["head_p"], weights)
    if metric.name in ("rmse", "r2"):
        return _of_squares(metric, rows, weights)
    if f"{metric.name} base" in rows:
        own = rows[f"{metric.name} base"]
        both = own, own + rows[f"{metric.name} change"]
        if not _finite(*both):
            return _NOT_FINITE
        return influence.of_mean(both[0], weights), influence.of_mean(both[1], weights)
    if metric.name == "median_absolute_error":
        base, head = (np.abs(rows[side] - rows["label"]) for side in ("base", "head"))
        return influence.of_median(base, weights, z), influence.of_median(head, weights, z)
    if over_labels(pairs, metric):
        name, _, average = metric.name.rpartition("_")
        sets = (rows["label"], rows["base"], rows["head"])
        found = label_sets_influences(sets, weights, metric=name, average=average)
        return found or "no row has a label"
    return _of_classes(metric, rows, weights, classes=len(pairs.inferred.classes))


def _finite(base: Vector, head: Vector) -> bool:
    return bool(np.isfinite(base).all() and np.isfinite(head).all())


def _of_squares(metric: Metric, rows: Arrays, weights: Vector) -> Sides | str:
    both = rows["squared"], rows["squared"] + rows["squared_change"]
    if not _finite(*both):
        return _NOT_FINITE
    if metric.name == "rmse":
        return influence.of_rmse(both[0], weights), influence.of_rmse(both[1], weights)
    label = rows["label"]
    return influence.of_r2(both[0], label, weights), influence.of_r2(both[1], label, weights)


def _of_classes(metric: Metric, rows: Arrays, weights: Vector, *, classes: int) -> Sides:
    name, _, average = metric.name.rpartition("_")
    if name not in AVERAGED:
        name, average = metric.name, "binary"
    label, base, head = (rows[each].astype(np.int64) for each in ("label", "base", "head"))

    def of(prediction: NDArray[np.int64]) -> Influence:
        return influence.of_classes(
            label, prediction, weights, classes=classes, metric=name, average=average
        )

    return of(base), of(head)


def why_none(pairs: Pairs, metric: Metric) -> str:
    """Why a metric has no value on a side."""
    if over_labels(pairs, metric):
        return "0/0: no label is predicted"
    if metric.name in ("roc_auc", "balanced_accuracy"):
        return "only one class among the labels"
    if metric.name in ("average_precision", "recall"):
        return "no row has the positive label"
    if metric.name == "mcc":
        return "0/0: only one class is predicted"
    return "all labels are equal" if metric.name == "r2" else "0/0: nothing is predicted positive"
