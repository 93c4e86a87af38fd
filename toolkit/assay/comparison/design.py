"""Estimates of rows that are clustered, stratified or weighted: through every row's influence."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.config import Metric, Task
from assay.evidence import Drawn
from assay.stats import influence
from assay.stats.classification import AVERAGED
from assay.stats.classification import METRICS as CLASSIFICATION
from assay.stats.design import Design, designed_difference, effective_n
from assay.stats.estimate import Contrast, Estimate, quantile, undefined
from assay.stats.influence import Influence, Vector
from assay.tables.predictions import Pairs
from assay.tables.predictions_counts import values
from assay.tables.predictions_values import SQUARED_BASE, SQUARED_CHANGE, row_values

Arrays = Mapping[str, NDArray[Any]]
_NOT_FINITE = "a value is missing, infinite, or beyond what can be computed with"
_DESIGN = ("entity", "stratum", "weight")


def gather_rows(pairs: Pairs, metrics: tuple[Metric, ...]) -> dict[str, dict[str, NDArray[Any]]]:
    """Return, for all rows and each slice, every row's values that ``metrics`` need."""
    columns = {role: role for role in _DESIGN if pairs.drawn and role in pairs.drawn.columns}
    means = row_values(pairs, metrics)
    for metric in metrics:
        if metric.name in ("rmse", "r2"):
            columns |= {"squared": SQUARED_BASE, "squared_change": SQUARED_CHANGE, "label": "label"}
        elif metric.name in ("roc_auc", "average_precision"):
            columns |= {"label": "label", "base_p": "base_p", "head_p": "head_p"}
        elif metric.name in means:
            own, change = means[metric.name].expressions
            columns |= {f"{metric.name} base": own, f"{metric.name} change": change}
        elif _has_influence(pairs, metric, columns):
            columns |= {"label": "label", "base": "base", "head": "head"}
    codes = {"label", "base", "head"} if pairs.task != Task.REGRESSION else set()
    return values(
        pairs,
        {
            name: sql if name in codes | {"entity", "stratum"} else _as_double(sql)
            for name, sql in columns.items()
        },
    )


def _as_double(sql: str) -> str:
    return f"coalesce(CAST({sql} AS DOUBLE), CAST('nan' AS DOUBLE))"


def drawn_of(pairs: Pairs, rows: Arrays) -> Drawn | None:
    """What the comparison says of how its rows were drawn; ``rows`` are all of them."""
    if pairs.drawn is None:
        return None
    weights = rows.get("weight")
    return Drawn(
        columns=pairs.drawn.columns,
        clusters=pairs.drawn.clusters,
        strata=pairs.drawn.strata,
        effective_n=None if weights is None else round(effective_n(weights), 1),
    )


def design_of(rows: Arrays) -> tuple[Design, NDArray[np.bool_] | None]:
    """The rows' design, and which rows it is about: those that weigh anything."""
    size = len(next(iter(rows.values())))
    weights = rows.get("weight")
    kept = None if weights is None or np.all(weights > 0) else weights > 0

    def of(role: str, kind: type[Any]) -> NDArray[Any] | None:
        found = rows.get(role)
        if found is None:
            return None
        return (found if kept is None else found[kept]).astype(kind)

    design = Design(
        rows=size if kept is None else int(kept.sum()),
        cluster=of("entity", np.int64),
        stratum=of("stratum", np.int64),
        weights=of("weight", np.float64),
    )
    return design, kept


def designed(
    pairs: Pairs,
    all_rows: Arrays,
    metric: Metric,
    *,
    confidence: float,
    base_weight: float,
    identical: bool,
) -> Estimate:
    """Compare head with base on one metric over the given rows, as they were drawn."""
    size = len(next(iter(all_rows.values())))
    if not _has_influence(pairs, metric, all_rows):
        reason = f"{metric.name} is not judged where rows are clustered, stratified or weighted"
        return undefined(size, reason, base_weight=base_weight)
    design, kept = design_of(all_rows)
    rows = all_rows if kept is None else {name: found[kept] for name, found in all_rows.items()}
    if design.rows == 0:
        return undefined(size, "all weights are 0", base_weight=base_weight)
    sides = _influences(pairs, metric, rows, design, quantile(confidence))
    if sides is None:
        return undefined(size, _NOT_FINITE, base_weight=base_weight)
    base, head = sides
    if base.value is None or head.value is None:
        return undefined(
            size, _why_none(metric), base=base.value, head=head.value, base_weight=base_weight
        )
    contrast = Contrast(
        n=size,
        base=base.value,
        head=head.value,
        base_weight=base_weight,
        greater_is_better=metric.higher_is_better,
        lowest=-math.inf if metric.low is None else metric.low,
        highest=math.inf if metric.high is None else metric.high,
    )
    found = designed_difference(
        base, head, design, contrast, confidence=confidence, identical=identical
    )
    return replace(
        found,
        clusters=None if design.cluster is None else design.units,
        effective_n=None if design.weights is None else round(effective_n(design.weight), 1),
    )


Sides = tuple[Influence, Influence]
_SORTED = frozenset({"roc_auc", "average_precision", "median_absolute_error"})
_SQUARES = frozenset({"rmse", "r2"})


def _has_influence(pairs: Pairs, metric: Metric, rows: Collection[str]) -> bool:
    classes = pairs.task in (Task.BINARY, Task.MULTICLASS)
    return (
        metric.name in _SORTED | _SQUARES
        or f"{metric.name} base" in rows
        or (classes and _name_and_average(metric)[0] in CLASSIFICATION)
    )


def _name_and_average(metric: Metric) -> tuple[str, str]:
    name, _, average = metric.name.rpartition("_")
    return (name, average) if name in AVERAGED else (metric.name, "binary")


def _influences(
    pairs: Pairs, metric: Metric, rows: Arrays, design: Design, z: float
) -> Sides | None:
    """Both sides' influences; None where a value is not finite."""
    weights = design.weight
    if metric.name in ("roc_auc", "average_precision"):
        kind = influence.of_roc_auc if metric.name == "roc_auc" else influence.of_average_precision
        positive = rows["label"] == 1
        return kind(positive, rows["base_p"], weights), kind(positive, rows["head_p"], weights)
    if metric.name in _SQUARES:
        return _of_squares(metric, rows, weights)
    if f"{metric.name} base" in rows:
        own = rows[f"{metric.name} base"]
        both = _finite(own, own + rows[f"{metric.name} change"])
        return both and (influence.of_mean(both[0], weights), influence.of_mean(both[1], weights))
    if metric.name == "median_absolute_error":
        base, head = (np.abs(rows[side] - rows["label"]) for side in ("base", "head"))
        return influence.of_median(base, weights, z), influence.of_median(head, weights, z)
    return _of_classes(metric, rows, weights, classes=len(pairs.inferred.classes))


def _finite(base: Vector, head: Vector) -> tuple[Vector, Vector] | None:
    return (base, head) if np.isfinite(base).all() and np.isfinite(head).all() else None


def _of_squares(metric: Metric, rows: Arrays, weights: Vector) -> Sides | None:
    both = _finite(rows["squared"], rows["squared"] + rows["squared_change"])
    if both is None:
        return None
    if metric.name == "rmse":
        return influence.of_rmse(both[0], weights), influence.of_rmse(both[1], weights)
    label = rows["label"]
    return influence.of_r2(both[0], label, weights), influence.of_r2(both[1], label, weights)


def _of_classes(metric: Metric, rows: Arrays, weights: Vector, *, classes: int) -> Sides:
    name, average = _name_and_average(metric)
    label, base, head = (rows[each].astype(np.int64) for each in ("label", "base", "head"))

    def of(prediction: NDArray[np.int64]) -> Influence:
        return influence.of_classes(
            label, prediction, weights, classes=classes, metric=name, average=average
        )

    return of(base), of(head)


def _why_none(metric: Metric) -> str:
    """Why a metric has no value on a side."""
    if metric.name in ("roc_auc", "balanced_accuracy"):
        return "only one class among the labels"
    if metric.name in ("average_precision", "recall"):
        return "no row has the positive label"
    if metric.name == "mcc":
        return "0/0: only one class is predicted"
    return "all labels are equal" if metric.name == "r2" else "0/0: nothing is predicted positive"
