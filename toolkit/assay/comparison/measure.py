"""From counts and moments to estimates: one function per kind of metric."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from assay.comparison.by_rows import estimate_rows, needs_rows, row_columns
from assay.comparison.design import designed, gather_rows
from assay.comparison.design import rates as rates_as_drawn
from assay.comparison.fairness import counted_rates, gap, rates_of
from assay.config import Metric, Needs, Task
from assay.config.families import MEAN_PREFIX
from assay.evidence import GroupRate
from assay.stats.auc import roc_auc_difference
from assay.stats.cells import PairedCells
from assay.stats.classification import AVERAGED, compare_cells
from assay.stats.estimate import Estimate, undefined
from assay.stats.fairness import GroupRate as Rate
from assay.stats.means import mean_difference, r2_difference, rmse_difference
from assay.stats.moments import JointMoments, monomials
from assay.tables.predictions import Pairs
from assay.tables.predictions_bands import Banded, banded
from assay.tables.predictions_counts import ALL, Cells, joint_cells, slice_rows, values
from assay.tables.predictions_moments import Moments, joint_moments
from assay.tables.predictions_placements import Placements, placement_moments
from assay.tables.predictions_ranked import Ranked, ranked, ranked_placements
from assay.tables.predictions_values import row_values, spread_moments, zero_labels

ROC_POINTS = 60
_NOT_FINITE = "a value is missing, infinite, or beyond what can be computed with"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What was counted for the metrics that are asked for, by slice name."""

    pairs: Pairs
    rows: Mapping[str, int]
    identical: bool
    cells: Mapping[str, Cells] = field(default_factory=dict)
    moments: Mapping[str, Mapping[str, Moments | None]] = field(default_factory=dict)
    placements: Mapping[str, Placements] = field(default_factory=dict)
    ranked: Ranked | None = None
    banded: Banded | None = None
    arrays: Mapping[str, Mapping[str, NDArray[Any]]] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    """Metrics that cannot be measured at all, with the reason."""


@dataclass(frozen=True, kw_only=True)
class Level:
    """How an estimate is asked for."""

    confidence: float
    base_weight: float = 1.0


def gather(pairs: Pairs, metrics: tuple[Metric, ...], *, identical: bool) -> Sample:
    """Count what ``metrics`` need, in as few scans as that takes."""
    absent = {m.name: reason for m in metrics if (reason := why_absent(pairs, m)) is not None}
    names = {metric.name for metric in metrics} - set(absent)
    of_labels = (Needs.PREDICTION, Needs.GROUPS)
    labels = {m.name for m in metrics if m.needs in of_labels and m.name in names}
    present = tuple(metric for metric in metrics if metric.name in names)
    if pairs.drawn is not None:
        return Sample(
            pairs=pairs,
            rows=slice_rows(pairs),
            identical=identical,
            arrays=gather_rows(pairs, present),
            absent=absent,
        )
    variables = row_values(pairs, present)
    moments = joint_moments(pairs, variables, monomials) if variables else {}
    if "r2" in names:
        moments["r2"] = spread_moments(pairs, monomials)
    columns = row_columns(pairs, present)
    scores = ranked(pairs) if "roc_auc" in names else None
    bands = banded(pairs, ROC_POINTS) if "roc_auc" in names and scores is None else None
    placements: Mapping[str, Placements] = {}
    if scores is not None:
        placements = ranked_placements(scores, monomials)
    elif bands is not None:
        placements = bands.placements(monomials)
    elif "roc_auc" in names:
        placements = placement_moments(pairs, monomials)
    cells = joint_cells(pairs) if classified(pairs) and labels else {}
    counted = {name: int(found.count.sum()) for name, found in cells.items()}
    return Sample(
        pairs=pairs,
        rows=counted or slice_rows(pairs),
        identical=identical,
        cells=cells,
        moments=moments,
        placements=placements,
        ranked=scores,
        banded=bands,
        arrays=values(pairs, columns) if columns else {},
        absent=absent,
    )


def classified(pairs: Pairs) -> bool:
    """Whether the predictions are classes."""
    return pairs.task in (Task.BINARY, Task.MULTICLASS)


def _meant(metric: Metric) -> str:
    """Which task is meant where only one has the metric: a ranking is not told from its rows."""
    if len(metric.tasks) > 1:
        return ""
    (task,) = metric.tasks
    return f": it is for {task} (`task`, or --task)"


def why_absent(pairs: Pairs, metric: Metric) -> str | None:
    """Say why ``metric`` cannot be measured on these files, or None."""
    if metric.needs is Needs.COLUMN:
        return pairs.absent_means.get(metric.name.removeprefix(MEAN_PREFIX))
    if pairs.task not in metric.tasks:
        return f"{metric.name} is not defined for the task {pairs.task}{_meant(metric)}"
    if metric.needs is Needs.PROBABILITY:
        if not pairs.has_scores:
            return "no probabilities on both sides"
        ranks = metric.name in ("roc_auc", "average_precision")
        kinds = ("missing",) if ranks else ("missing", "outside", "sum")
        return next((pairs.broken[kind] for kind in kinds if kind in pairs.broken), None)
    if classified(pairs):
        return pairs.unanswered
    if metric.name == "mape":
        zeros = zero_labels(pairs)
        return f"{zeros:,} labels are 0, where a percentage is not defined" if zeros else None
    return None


def estimate(sample: Sample, metric: Metric, where: str, level: Level) -> Estimate:
    """Compare head with base on one metric and slice."""
    n = sample.rows.get(where, 0)
    if metric.name in sample.absent:
        return undefined(n, sample.absent[metric.name], base_weight=level.base_weight)
    if sample.pairs.drawn is not None:
        return designed(sample.pairs, sample.arrays[where], metric, **_options(sample, level))
    kind = _of_groups if metric.needs is Needs.GROUPS else _KINDS.get(metric.name)
    if needs_rows(sample.pairs, metric):
        kind = _of_rows
    if kind is None:
        kind = _of_cells if metric.needs is Needs.PREDICTION and sample.cells else _of_mean
    return kind(sample, metric, where, level)


def group_rates(
    sample: Sample, metrics: tuple[Metric, ...], confidence: float
) -> tuple[GroupRate, ...]:
    """The rates of all groups, for each of ``metrics`` that compares groups."""
    pairs = sample.pairs

    def rates(metric: Metric) -> list[Rate]:
        if pairs.drawn is not None:
            return rates_as_drawn(pairs, sample.arrays[ALL], metric, confidence)
        return counted_rates(pairs, sample.cells, metric, confidence)

    present = tuple(metric for metric in metrics if metric.name not in sample.absent)
    return rates_of(pairs, present, rates)


def _options(sample: Sample, level: Level) -> dict[str, Any]:
    return {
        "confidence": level.confidence,
        "base_weight": level.base_weight,
        "identical": sample.identical,
    }


def _of_cells(sample: Sample, metric: Metric, where: str, level: Level) -> Estimate:
    classes = sample.pairs.inferred.classes
    found = sample.cells[where]
    cells = PairedCells.from_arrays(
        found.label, found.base, found.head, found.count, classes=len(classes)
    )
    name, _, average = metric.name.rpartition("_")
    if name not in AVERAGED:
        name, average = metric.name, "binary"
    positive = 1 if sample.pairs.task == Task.BINARY else None
    return compare_cells(cells, name, average=average, positive=positive, **_options(sample, level))


def _of_groups(sample: Sample, metric: Metric, where: str, level: Level) -> Estimate:
    n = sample.rows[where]
    return gap(sample.pairs, sample.cells, metric, n=n, **_options(sample, level))


def _joint(moments: Moments | None, variables: int = 2) -> JointMoments:
    if moments is None:
        nothing = dict.fromkeys(monomials(variables), 0.0)
        return JointMoments(n=0, shifts=(0.0,) * variables, sums=nothing, changed=0)
    return JointMoments(
        n=moments.n, shifts=moments.shifts, sums=moments.sums, changed=moments.changed
    )


def _of_mean(sample: Sample, metric: Metric, where: str, level: Level) -> Estimate:
    moments = sample.moments[metric.name].get(where)
    if moments is None:
        return undefined(sample.rows[where], _NOT_FINITE, base_weight=level.base_weight)
    highest = math.inf if metric.high is None else metric.high
    if metric.name == "brier" and sample.pairs.task == Task.BINARY:
        highest = 1.0
    return mean_difference(
        _joint(moments),
        greater_is_better=metric.higher_is_better,
        lowest=-math.inf if metric.low is None else metric.low,
        highest=highest,
        **_options(sample, level),
    )


def _of_squares(sample: Sample, metric: Metric, where: str, level: Level) -> Estimate:
    moments = sample.moments[metric.name].get(where)
    if moments is None:
        return undefined(sample.rows[where], _NOT_FINITE, base_weight=level.base_weight)
    if metric.name == "r2":
        return r2_difference(_joint(moments, 3), **_options(sample, level))
    return rmse_difference(_joint(moments), **_options(sample, level))


def _of_placements(sample: Sample, metric: Metric, where: str, level: Level) -> Estimate:  # noqa: ARG001 -- one signature for all kinds
    placed = sample.placements.get(where, Placements(positives=None, negatives=None))
    if placed.positives is None or placed.negatives is None:
        reason = "only one class among the labels"
        return undefined(sample.rows[where], reason, base_weight=level.base_weight)
    return roc_auc_difference(
        _joint(placed.positives), _joint(placed.negatives), **_options(sample, level)
    )


def _of_rows(sample: Sample, metric: Metric, where: str, level: Level) -> Estimate:
    rows = sample.arrays[where]
    return estimate_rows(sample.pairs, metric, rows, **_options(sample, level))


_KINDS: Mapping[str, Callable[[Sample, Metric, str, Level], Estimate]] = {
    "rmse": _of_squares,
    "r2": _of_squares,
    "roc_auc": _of_placements,
}
