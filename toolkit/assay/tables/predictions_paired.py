"""The table ``paired``, one row per joined row, that every count reads.

Its columns: ``id`` (text), ``label``, ``base`` and ``head`` (class numbers, or DOUBLE for
regression), ``label_changed``, ``label_gap`` (how far the sides' labels are apart; NULL but for
regression), the probabilities of tables/probabilities.py, ``base_m0``,
``head_m0``, … (score columns), ``s0``, ``s1``, … (slice numbers, NULL where not counted),
``s0_differs``, … (whether the other side has the row in another slice), and ``x0``, … (the
numbers of crossings, see tables/predictions_groups.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from assay.tables import predictions_task as tasks
from assay.tables.predictions_columns import Side, canonical, number
from assay.tables.predictions_join import KEY, keyed, value_table
from assay.tables.predictions_ranking import query_columns
from assay.tables.predictions_slices import Sliced, Truth, in_order, value_sql
from assay.tables.predictions_task import Inferred
from assay.tables.probabilities import probability_columns
from assay.tables.sql import identifier

_SAME_LABEL = 1e-6
"""Measured labels closer than this share of their size are equal: one side wrote fewer digits."""


def paired_sql(
    inferred: Inferred,
    slices: tuple[Sliced, ...],
    means: tuple[str, ...],
    truth: Truth,
    *,
    table: str = "paired",
    more: Sequence[str] = (),
) -> str:
    """SQL that makes the table ``paired`` (or ``table``) from the sides' keyed rows.

    ``more`` are further columns, of the sides ``b`` and ``h``.
    """
    base, head = inferred.base, inferred.head
    selected = [f"CAST(h.{KEY} AS VARCHAR) AS id"]
    joins = [f"FROM {keyed(base)} AS b JOIN {keyed(head)} AS h USING ({KEY})"]
    if inferred.task == tasks.SCORE:
        selected.append("false AS label_changed, NULL AS label_gap")
    elif inferred.task in (tasks.REGRESSION, tasks.RANKING):
        selected += _numbers(base, head, truth)
        selected += query_columns(base, head)
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
        value = value_sql(each.column, each.asked, f"{alias}.{identifier(each.column.name)}")
        joins.append(
            f"LEFT JOIN {value_table(list(each.values))} AS s{place} ON s{place}.value = {value}"
        )
        selected.append(f"s{place}.code AS s{place}")
        if each.other is not None:
            beside = "b" if alias == "h" else "h"
            other = value_sql(each.other, each.asked, f"{beside}.{identifier(each.other.name)}")
            selected.append(f"{value} <> {other} AS s{place}_differs")
    selected += more
    return f"CREATE TEMP TABLE {table} AS SELECT {', '.join(selected)} {' '.join(joins)}"


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
    classes = value_table(list(inferred.classes))
    texts: dict[str, str] = {}
    for side, alias in ((base, "b"), (head, "h")):
        for role in ("label", "prediction"):
            column = getattr(side, role)
            if column is not None:
                texts[f"{alias} {role}"] = canonical(
                    column,
                    f"{alias}.{identifier(column.name)}",
                    truth_as_number=inferred.truth_as_number,
                )
    keys = [f"{side.table.name[0]} label" for side in in_order(base, head, truth)]
    labels = [texts[key] for key in keys if key in texts]
    selected = [
        "label_class.code AS label",
        f"{labels[0]} IS DISTINCT FROM {labels[-1]} AS label_changed",
        "NULL AS label_gap",
    ]
    joins = [f"LEFT JOIN {classes} AS label_class ON label_class.value = {labels[0]}"]
    for side, alias in ((base, "b"), (head, "h")):
        name = side.table.name
        probabilities = probability_columns(side, alias, inferred)
        selected += probabilities.selected
        if f"{alias} prediction" in texts:
            joins.append(
                f"LEFT JOIN {classes} AS {name}_class "
                f"ON {name}_class.value = {texts[f'{alias} prediction']}"
            )
            selected.append(f"{name}_class.code AS {name}")
        else:
            selected.append(f"{probabilities.answer} AS {name}")
    return selected, joins
