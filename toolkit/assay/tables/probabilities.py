"""SQL that reads one side's probabilities: of the positive class, or of every class."""

from __future__ import annotations

from dataclasses import dataclass

from assay.tables.predictions_columns import Side, number
from assay.tables.predictions_task import BINARY, Inferred
from assay.tables.sql import identifier

SUM_TOLERANCE = 1e-3
"""How far the probabilities of a row may be from adding up to one."""


@dataclass(frozen=True, kw_only=True)
class Probabilities:
    """Columns for ``paired``, and the class number that the probabilities answer with."""

    selected: tuple[str, ...]
    answer: str


def probability_columns(side: Side, alias: str, inferred: Inferred, *, label: str) -> Probabilities:
    """Write the columns NAME_p, NAME_q, NAME_missing, NAME_outside and NAME_sum of one side.

    NAME_p is the probability of the positive class (binary) or of the true class (multiclass),
    NAME_q the multiclass Brier term Σ(pₖ − [k = y])², NAME_top the largest probability and
    NAME_hit whether it is the true class's; the others tell a row that cannot be used.
    ``label`` is SQL for the number of the true class.
    """
    name = side.table.name
    each = {
        inferred.classes.index(label): number(column, f"{alias}.{identifier(column.name)}")
        for label, column in side.scores.items()
        if label in inferred.classes
    }
    if inferred.task == BINARY:
        return _binary(side, alias, name, each)
    if not each:
        return Probabilities(selected=(), answer="CAST(NULL AS INTEGER)")
    values = list(each.values())
    # A CASE without a match is NULL: the true class has no column.
    whens = " ".join(f"WHEN {code} THEN {value}" for code, value in each.items())
    true = f"CASE {label} {whens} END"
    squares = " + ".join(f"{value} * {value}" for value in values)
    listed = f"[{', '.join(values)}]"
    codes = f"[{', '.join(str(code) for code in each)}]"
    answer = (
        f"CASE WHEN isfinite({' + '.join(values)}) "
        f"THEN {codes}[list_position({listed}, list_max({listed}))] END"
    )
    return Probabilities(
        selected=(
            f"{true} AS {name}_p",
            f"{squares} - 2 * ({true}) + 1 AS {name}_q",
            f"({true}) IS NULL OR NOT isfinite({' + '.join(values)}) AS {name}_missing",
            f"{_outside(values)} AS {name}_outside",
            f"{_off(values)} AS {name}_sum",
            f"list_max({listed}) AS {name}_top",
            f"CAST(({answer}) = {label} AS DOUBLE) AS {name}_hit",
        ),
        answer=answer,
    )


def _binary(side: Side, alias: str, name: str, each: dict[int, str]) -> Probabilities:
    if side.score is not None:
        positive = number(side.score, f"{alias}.{identifier(side.score.name)}")
        values = [positive]
    elif 1 in each:
        positive = each[1]
        values = list(each.values())
    else:
        return Probabilities(selected=(), answer="CAST(NULL AS INTEGER)")
    return Probabilities(
        selected=(
            f"{positive} AS {name}_p",
            f"{positive} IS NULL OR NOT isfinite({positive}) AS {name}_missing",
            f"{_outside(values)} AS {name}_outside",
            (_off(values) if len(values) > 1 else "false") + f" AS {name}_sum",
        ),
        answer=f"CASE WHEN isfinite({positive}) THEN CAST({positive} >= 0.5 AS INTEGER) END",
    )


def _outside(values: list[str]) -> str:
    return "(" + " OR ".join(f"{value} NOT BETWEEN 0 AND 1" for value in values) + ")"


def _off(values: list[str]) -> str:
    return f"abs({' + '.join(values)} - 1) > {SUM_TOLERANCE}"
