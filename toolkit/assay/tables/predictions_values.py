"""Per-row values whose means are metrics: losses, errors, scores; as SQL over ``paired``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from assay.config import Metric
from assay.config.families import QUANTILE_PREFIX
from assay.tables.predictions import Pairs
from assay.tables.predictions_counts import slice_name
from assay.tables.predictions_facts import CLIP, true_class_sql
from assay.tables.predictions_label_sets import SET_VALUES, number_of_labels, set_value
from assay.tables.predictions_moments import Basis, Moments, Variables, joint_moments
from assay.tables.predictions_rank_values import rank_value
from assay.tables.predictions_task import BINARY, MULTILABEL
from assay.tables.sql import literal

SQUARED_BASE = "(base - label) * (base - label)"
# (h − y)² − (b − y)² without cancellation.
SQUARED_CHANGE = "(head - base) * (head + base - 2 * label)"


def row_values(pairs: Pairs, metrics: Iterable[Metric]) -> dict[str, Variables]:
    """SQL for each per-row value by its metric's name: the base's, and head − base.

    Only those of ``metrics`` that are means of per-row values. Which of them the task has is the
    caller's to know.
    """
    true = {side: true_class_sql(pairs.task, side) for side in ("base", "head")}
    loss = {side: f"-ln(greatest({p}, {literal(CLIP)}))" for side, p in true.items()}
    brier = ("base_q", "head_q - base_q")
    if pairs.task == BINARY:
        brier = (
            "(base_p - label) * (base_p - label)",
            "(head_p - base_p) * (head_p + base_p - 2 * label)",
        )
    expressions = {
        "log_loss": (loss["base"], f"{loss['head']} - ({loss['base']})"),
        "brier": brier,
        "mae": ("abs(base - label)", "abs(head - label) - abs(base - label)"),
        "rmse": (SQUARED_BASE, SQUARED_CHANGE),
        "mape": (
            "abs(base - label) / abs(label)",
            "(abs(head - label) - abs(base - label)) / abs(label)",
        ),
        "smape": _two_sides(_symmetric),
    }
    for metric in metrics:
        if metric.name.startswith(QUANTILE_PREFIX):
            level = float(metric.parameter or "nan")
            expressions[metric.name] = _two_sides(partial(_pinball, level=level))
        elif (ranked := rank_value(metric)) is not None:
            expressions[metric.name] = _two_sides(ranked)
        elif metric.name in SET_VALUES and pairs.task == MULTILABEL:
            labels = number_of_labels(pairs.engine)
            expressions[metric.name] = _two_sides(partial(set_value, metric.name, labels=labels))
    for place, column in enumerate(pairs.means):
        expressions[f"mean:{column}"] = (f"base_m{place}", f"head_m{place} - base_m{place}")
    return {
        metric.name: Variables(expressions=expressions[metric.name])
        for metric in metrics
        if metric.name in expressions
    }


def _two_sides(value: Callable[[str], str]) -> tuple[str, str]:
    return value("base"), f"{value('head')} - {value('base')}"


def _pinball(side: str, *, level: float) -> str:
    """max(q·(y − ŷ), (q − 1)·(y − ŷ)) (Koenker and Bassett 1978, Econometrica 46)."""
    return f"greatest({literal(level)} * (label - {side}), {literal(level - 1)} * (label - {side}))"


def _symmetric(side: str) -> str:
    """2·|ŷ − y| / (|ŷ| + |y|), and 0 where both are 0."""
    size = f"(abs({side}) + abs(label))"
    return f"CASE WHEN {size} = 0 THEN 0 ELSE 2 * abs({side} - label) / {size} END"


def zero_labels(pairs: Pairs) -> int:
    """Count labels of 0, where a percentage error is not defined."""
    (count,) = pairs.engine.row("SELECT count(*) FILTER (WHERE label = 0) FROM paired")
    return int(count)


def spread_moments(pairs: Pairs, basis: Basis) -> dict[str, Moments | None]:
    """Return moments of (base's squared error, head's − base's, (label − mean label)²).

    The mean is that of the slice itself, so each slice column takes two scans of its own.
    """
    result: dict[str, Moments | None] = {}
    for place in range(-1, len(pairs.slices)):
        code = "-1" if place < 0 else pairs.slices[place].key
        grouped = (f"{place} AS place, {code} AS code", f"GROUP BY {code}" if place >= 0 else "")
        labels = {"label": Variables(expressions=("label", "head - base"))}
        means = joint_moments(pairs, labels, basis, groups=grouped)["label"]
        codes = [-1] if place < 0 else sorted(pairs.slices[place].codes)
        rows = ", ".join(
            f"({number}, {literal(moments.shifts[0])})"
            for number in codes
            if (moments := means.get(slice_name(pairs, place, number))) is not None
        )
        if not rows:
            return dict.fromkeys(means)
        source = (
            f"(SELECT paired.*, m.mean FROM paired JOIN (VALUES {rows}) AS m(number, mean) "
            f"ON {code} = m.number)"
        )
        variables = Variables(
            expressions=(SQUARED_BASE, SQUARED_CHANGE, "(label - mean) * (label - mean)"),
            source=source,
        )
        result.update(joint_moments(pairs, {"r2": variables}, basis, groups=grouped)["r2"])
    return result
