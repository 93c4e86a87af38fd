"""What numbers say of the task: probabilities in a prediction column, and measured values."""

from __future__ import annotations

from dataclasses import replace

from assay.tables.predictions_columns import Side
from assay.tables.source import Column, Engine
from assay.tables.sql import identifier

MOST_NUMERIC_CLASSES = 30
"""Different whole numbers among the labels up to which they are classes."""


def predicted_probabilities(engine: Engine, base: Side, head: Side) -> tuple[Side, Side]:
    """Read a prediction column as the score where the labels are 0 and 1 and it is between."""
    sides = (base, head)
    for side in sides:
        column, label = side.prediction, side.label
        if column is None or column.kind != "float" or side.score is not None or side.scores:
            return sides
        if label is None or label.kind not in {"integer", "float", "boolean"}:
            return sides
        y, p = (f"CAST({identifier(c.name)} AS DOUBLE)" for c in (label, column))
        probabilities, whole = engine.row(
            f"SELECT bool_and({y} IN (0, 1) AND {p} BETWEEN 0 AND 1), bool_and({p} = trunc({p})) "
            f"FROM {side.alias}"
        )
        if not probabilities or whole:
            return sides
    first, second = (replace(side, score=side.prediction, prediction=None) for side in sides)
    return first, second


def is_regression(engine: Engine, base: Side, head: Side) -> bool:
    """Whether labels or predictions are measured numbers rather than classes."""
    if head.scores or base.scores:
        return False
    sides = [side for side in (base, head) if side.label is not None]
    if any(side.label and side.label.kind not in {"float", "integer"} for side in sides):
        return False
    facts = [_whole_and_distinct(engine, side, side.label) for side in sides if side.label]
    if not all(whole for whole, _ in facts):
        return True
    distinct = max(count for _, count in facts)
    if head.prediction is None and head.score is not None:
        return False
    return distinct > MOST_NUMERIC_CLASSES or not _all_whole(engine, base, head)


def _whole_and_distinct(engine: Engine, side: Side, column: Column) -> tuple[bool, int]:
    """Whether all numbers of a column are whole, and how many different ones there are."""
    if column.kind == "integer":
        name = identifier(column.name)
        return True, int(engine.row(f"SELECT count(DISTINCT {name}) FROM {side.alias}")[0])
    value = f"CAST({identifier(column.name)} AS DOUBLE)"
    whole, distinct = engine.row(
        f"SELECT bool_and({value} IS NULL OR isnan({value}) OR {value} = trunc({value})), "
        f"count(DISTINCT {value}) FILTER (WHERE NOT isnan({value})) FROM {side.alias}"
    )
    return bool(whole), int(distinct)


def _all_whole(engine: Engine, base: Side, head: Side) -> bool:
    for side in (base, head):
        column = side.prediction
        if column is None or column.kind in {"integer", "boolean", "text"}:
            continue
        name = f"CAST({identifier(column.name)} AS DOUBLE)"
        (whole,) = engine.row(f"SELECT bool_and({name} = trunc({name})) FROM {side.alias}")
        if whole is False:
            return False
    return True
