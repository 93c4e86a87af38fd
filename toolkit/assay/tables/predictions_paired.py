"""The table ``paired``, one row per joined row, that every count reads.

Its columns: ``id`` (as it joins, not as text), ``label``, ``base`` and ``head`` (class numbers, or
DOUBLE for regression), ``label_changed``, ``label_gap`` (how far the sides' labels are apart; NULL
but for regression), the probabilities of tables/probabilities.py, ``base_m0``, ``head_m0``, …
(score columns), ``s0``, ``s1``, … (slice numbers, NULL where not counted), ``s0_differs``, …
(whether the other side has the row in another slice), and ``x0``, … (the numbers of crossings, see
tables/predictions_groups.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from assay.tables import predictions_task as tasks
from assay.tables.predictions_columns import Side, canonical, number
from assay.tables.predictions_join import (
    KEY,
    Joined,
    key_sql,
    keyed,
    side_by_side,
    value_table,
)
from assay.tables.predictions_label_sets import set_columns
from assay.tables.predictions_ranking import query_columns
from assay.tables.predictions_slices import Sliced, Truth, code_sql, in_order, value_sql
from assay.tables.predictions_task import Inferred
from assay.tables.probabilities import probability_columns
from assay.tables.source import Column
from assay.tables.sql import identifier

_MOST_CASES = 16
"""Classes up to which comparing an integer with each is quicker than a join."""
_SAME_LABEL = 1e-6
"""Measured labels closer than this share of their size are equal: one side wrote fewer digits."""


def paired_rows(
    inferred: Inferred,
    joined: Joined,
    slices: tuple[Sliced, ...],
    means: tuple[str, ...],
    truth: Truth,
    *,
    more: Sequence[str] = (),
    rows: range | None = None,
) -> str:
    """SQL that selects the joined rows from the two sides, or only some ``rows`` of aligned ones.

    Where both files list the same ids in the same order, rows are paired by their place.
    ``more`` are further columns, of the sides ``b`` and ``h``.
    """
    base, head = inferred.base, inferred.head
    if joined.aligned:
        selected = [f"{key_sql(head, base, 'h')} AS id"]
        joins = [f"FROM {side_by_side(base, head, rows)}"]
    else:
        selected = [f"h.{KEY} AS id"]
        joins = [f"FROM {keyed(base)} AS b JOIN {keyed(head)} AS h USING ({KEY})"]
    if inferred.task == tasks.SCORE:
        selected.append("false AS label_changed, NULL AS label_gap")
    elif inferred.task in (tasks.REGRESSION, tasks.RANKING):
        selected += _numbers(base, head, truth)
        selected += query_columns(base, head)
    elif inferred.task == tasks.MULTILABEL:
        selected += set_columns(base, head, truth, inferred.delimiter)
    else:
        answers, lookups = _answers(inferred, truth)
        selected += answers
        joins += lookups
    for place, name in enumerate(means):
        for side, alias in ((base, "b"), (head, "h")):
            column = side.table.column(name)
            if column is not None:
                value = number(column, f"{alias}.{identifier(name)}")
                selected.append(f"{value} AS {side.table.name}_m{place}")
    for place, each in enumerate(slices):
        alias = each.side.table.name[0]
        mine = f"{alias}.{identifier(each.column.name)}"
        code, join = code_sql(each, mine, f"s{place}_codes")
        joins += [join] if join else []
        selected.append(f"{code} AS s{place}")
        if each.other is not None:
            beside = "b" if alias == "h" else "h"
            theirs = f"{beside}.{identifier(each.other.name)}"
            differ = (
                f"{value_sql(each.column, each.asked, mine)} <> "
                f"{value_sql(each.other, each.asked, theirs)}"
            )
            selected.append(
                f"{_unless_same(each.column, mine, each.other, theirs, differ)} AS s{place}_differs"
            )
    selected += more
    return f"SELECT {', '.join(selected)} {' '.join(joins)}"


def _unless_same(column: Column, mine: str, other: Column, theirs: str, differ: str) -> str:
    """``differ``, worked out only where the two columns hold different values."""
    if column.type != other.type:
        return differ
    return f"CASE WHEN {mine} IS NOT DISTINCT FROM {theirs} THEN false ELSE {differ} END"


def _numbers(base: Side, head: Side, truth: Truth) -> list[str]:
    labels = [
        number(side.label, f"{side.table.name[0]}.{identifier(side.label.name)}")
        for side in in_order(base, head, truth)
        if side.label is not None
    ]
    gap = f"abs({labels[0]} - {labels[-1]})"
    written = f"{_SAME_LABEL} * greatest(abs({labels[0]}), abs({labels[-1]}))"
    differs = f"{labels[0]} IS DISTINCT FROM {labels[-1]}"
    result = [
        f"{labels[0]} AS label",
        f"{differs} AND coalesce({gap} > {written}, true) AS label_changed",
        f"{gap} AS label_gap",
    ]
    for side, alias in ((base, "b"), (head, "h")):
        if side.prediction is not None:
            value = number(side.prediction, f"{alias}.{identifier(side.prediction.name)}")
            result.append(f"{value} AS {side.table.name}")
    return result


def _answers(inferred: Inferred, truth: Truth) -> tuple[list[str], list[str]]:
    """What a classification adds: class numbers of label and predictions, and probabilities."""
    base, head = inferred.base, inferred.head
    labels = [
        (side.label, f"{side.table.name[0]}.{identifier(side.label.name)}")
        for side in in_order(base, head, truth)
        if side.label is not None
    ]
    (column, name), (other, theirs) = labels[0], labels[-1]
    texts = [
        canonical(each, expression, truth_as_number=inferred.truth_as_number)
        for each, expression in (labels[0], labels[-1])
    ]
    code, join = _class_code(inferred, column, name, "label_class")
    changed = _unless_same(column, name, other, theirs, f"{texts[0]} IS DISTINCT FROM {texts[1]}")
    selected = [f"{code} AS label", f"{changed} AS label_changed", "NULL AS label_gap"]
    joins = [join]
    for side, alias in ((base, "b"), (head, "h")):
        name = side.table.name
        probabilities = probability_columns(side, alias, inferred, label=code)
        selected += probabilities.selected
        answer = f"CAST({probabilities.answer} AS {_code_type(inferred)})"
        if side.prediction is not None:
            predicted = f"{alias}.{identifier(side.prediction.name)}"
            answer, join = _class_code(inferred, side.prediction, predicted, f"{name}_class")
            joins.append(join)
        selected.append(f"{answer} AS {name}")
    return selected, [join for join in joins if join]


def _class_code(inferred: Inferred, column: Column, name: str, alias: str) -> tuple[str, str]:
    """SQL for the number of a value's class, and the join that it needs, if any."""
    kind = _code_type(inferred)
    if column.kind == "integer" and len(inferred.classes) <= _MOST_CASES:
        whens = " ".join(
            f"WHEN {int(each)} THEN {code}"
            for code, each in enumerate(inferred.classes)
            if _is_written_whole(each)
        )
        # A file of other numbers than the classes has none of them.
        return f"CAST(CASE {name} {whens or 'WHEN NULL THEN NULL'} END AS {kind})", ""
    text = canonical(column, name, truth_as_number=inferred.truth_as_number)
    join = f"LEFT JOIN {value_table(list(inferred.classes))} AS {alias} ON {alias}.value = {text}"
    return f"CAST({alias}.code AS {kind})", join


def _code_type(inferred: Inferred) -> str:
    return "SMALLINT" if len(inferred.classes) < 1 << 15 else "INTEGER"


def _is_written_whole(text: str) -> bool:
    """Whether an integer is written like this, so that the number means the class."""
    return text.removeprefix("-").isdecimal() and str(int(text)) == text
