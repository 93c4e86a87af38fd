"""Estimates of rows that are clustered, stratified or weighted: through every row's influence."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.comparison.by_rows import calibration_sides, needs_rows, row_columns
from assay.comparison.fairness import designed_gap, designed_rates, group_column
from assay.comparison.influences import Arrays, influences_of, why_none
from assay.config import Metric, Needs, Task
from assay.evidence import Drawn
from assay.stats.calibration import designed_calibration_error_difference
from assay.stats.design import Design, designed_difference
from assay.stats.estimate import Contrast, Estimate, quantile, undefined
from assay.stats.fairness import GroupRate as Rate
from assay.stats.influence import effective_n
from assay.tables.predictions import Pairs
from assay.tables.predictions_counts import values
from assay.tables.predictions_values import SQUARED_BASE, SQUARED_CHANGE, row_values

_DESIGN = ("entity", "stratum", "weight")
_CODES = ("entity", "stratum", "group ")


def gather_rows(pairs: Pairs, metrics: tuple[Metric, ...]) -> dict[str, dict[str, NDArray[Any]]]:
    """Return, for all rows and each slice, every row's values that ``metrics`` need."""
    columns = {role: role for role in _DESIGN if pairs.drawn and role in pairs.drawn.columns}
    means = row_values(pairs, metrics)
    for metric in metrics:
        if metric.name in ("rmse", "r2"):
            columns |= {"squared": SQUARED_BASE, "squared_change": SQUARED_CHANGE, "label": "label"}
        elif metric.name in means:
            own, change = means[metric.name].expressions
            columns |= {f"{metric.name} base": own, f"{metric.name} change": change}
        elif metric.name == "roc_auc":
            columns |= {"label": "label", "base_p": "base_p", "head_p": "head_p"}
        elif needs_rows(pairs, metric):
            columns |= row_columns(pairs, (metric,))
        elif metric.needs is Needs.GROUPS:
            columns |= group_column(pairs, metric)
            columns |= {"label": "label", "base": "base", "head": "head"}
        else:
            columns |= {"label": "label", "base": "base", "head": "head"}
    codes = {"label", "base", "head"} if pairs.task != Task.REGRESSION else set()
    return values(
        pairs,
        {
            name: sql if name in codes or name.startswith(_CODES) else _as_double(sql)
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


def designed(pairs: Pairs, all_rows: Arrays, metric: Metric, **options: Any) -> Estimate:
    """Compare head with base on one metric over the given rows, as they were drawn.

    ``options`` are confidence, base_weight and identical.
    """
    size = len(next(iter(all_rows.values())))
    design, kept = design_of(all_rows)
    rows = _kept(all_rows, kept)
    if design.rows == 0:
        return undefined(size, "all weights are 0", base_weight=options["base_weight"])
    if metric.needs is Needs.GROUPS:
        found = designed_gap(pairs, rows, metric, design, n=size, **options)
    elif metric.name == "calibration_error":
        sides = calibration_sides(pairs, rows)
        found = designed_calibration_error_difference(*sides, design, n=size, **options)
    else:
        found = _by_influences(pairs, metric, rows, design, size, options)
    if found.undefined is not None:
        return found
    return replace(
        found,
        clusters=None if design.cluster is None else design.units,
        effective_n=None if design.weights is None else round(effective_n(design.weight), 1),
    )


def rates(pairs: Pairs, all_rows: Arrays, metric: Metric, confidence: float) -> list[Rate]:
    """The rates of the groups that a metric compares, over the given rows as they were drawn."""
    design, kept = design_of(all_rows)
    return designed_rates(pairs, _kept(all_rows, kept), metric, design, confidence)


def _kept(rows: Arrays, kept: NDArray[np.bool_] | None) -> Arrays:
    return rows if kept is None else {name: found[kept] for name, found in rows.items()}


def _by_influences(
    pairs: Pairs, metric: Metric, rows: Arrays, design: Design, n: int, options: dict[str, Any]
) -> Estimate:
    weight, z = options["base_weight"], quantile(options["confidence"])
    sides = influences_of(pairs, metric, rows, design.weight, z)
    if isinstance(sides, str):
        return undefined(n, sides, base_weight=weight)
    base, head = sides
    if base.value is None or head.value is None:
        reason = why_none(pairs, metric)
        return undefined(n, reason, base=base.value, head=head.value, base_weight=weight)
    contrast = Contrast(
        n=n,
        base=base.value,
        head=head.value,
        base_weight=weight,
        greater_is_better=metric.higher_is_better,
        lowest=-math.inf if metric.low is None else metric.low,
        highest=math.inf if metric.high is None else metric.high,
    )
    return designed_difference(
        base,
        head,
        design,
        contrast,
        confidence=options["confidence"],
        identical=options["identical"],
    )
