"""Sets of labels: a row has any number of them, as a list or as text with a delimiter."""

from __future__ import annotations

from dataclasses import replace

from assay.config import Columns
from assay.errors import InputError
from assay.tables.formats import Format
from assay.tables.predictions_columns import Side, canonical, is_list, not_single
from assay.tables.predictions_slices import Truth, in_order
from assay.tables.source import Column, Engine
from assay.tables.sql import identifier, literal

_EXAMPLES = 10
SET_VALUES = frozenset({"subset_accuracy", "hamming_loss", "f1_samples"})
"""Metrics that have one value per row."""
MOST_LABELS = 100_000


def with_lists(side: Side) -> bool:
    """Whether the side's labels or predictions are lists."""
    return is_list(side.label) or is_list(side.prediction)


def check_single(*sides: Side) -> None:
    """Raise InputError where a label or prediction column of a side holds lists."""
    for side in sides:
        for column in (side.label, side.prediction):
            if column is not None and is_list(column):
                raise not_single(side.table, column)


def check_sets(side: Side, names: Columns) -> None:
    """Raise InputError where a label or prediction column of the side holds no sets."""
    for column in (side.label, side.prediction):
        if column is None or is_list(column) or (column.kind == "text" and names.delimiter):
            continue
        raise InputError(
            f"the column {column.name!r} holds single values ({column.type}), not sets of labels.",
            where=side.table.where,
            remedy="Write lists (Parquet, JSON), or text such as 'a|b' and its delimiter under "
            "columns.delimiter (--delimiter).",
        )


def set_columns(base: Side, head: Side, truth: Truth, delimiter: str | None) -> list[str]:
    """The columns label, base and head of ``paired``: sorted lists of different labels.

    NULL where the row has no list, or a list with a missing value.
    """
    labels = [
        _set(side, side.label, delimiter)
        for side in in_order(base, head, truth)
        if side.label is not None
    ]
    result = [
        f"{labels[0]} AS label",
        f"{labels[0]} IS DISTINCT FROM {labels[-1]} AS label_changed",
        "NULL AS label_gap",
    ]
    return result + [
        f"{_set(side, side.prediction, delimiter)} AS {side.table.name}"
        for side in (base, head)
        if side.prediction is not None
    ]


def _set(side: Side, column: Column, delimiter: str | None) -> str:
    name = f"{side.table.name[0]}.{identifier(column.name)}"
    if not is_list(column):
        if side.table.format is Format.CSV:
            # A CSV file writes an empty set as an empty cell, which reads as missing.
            name = f"coalesce({name}, '')"
        parts = f"string_split(CAST({name} AS VARCHAR), {literal(delimiter)})"
        named = f"list_filter(list_transform({parts}, lambda v: trim(v)), lambda v: v <> '')"
        return f"list_sort(list_distinct({named}))"
    element = replace(column, type=column.type.removesuffix("[]"))
    values = f"list_transform({name}, lambda v: {canonical(element, 'v', truth_as_number=False)})"
    return (
        f"CASE WHEN list_count({values}) = len({values}) "
        f"THEN list_sort(list_distinct({values})) END"
    )


def label_notes(engine: Engine) -> list[str]:
    """Facts of the label sets in ``paired``: how many labels, empty sets, labels never true."""
    (labels,) = engine.row(f"SELECT count(*) FROM ({_every('label', 'base', 'head')})")
    if labels > MOST_LABELS:
        raise InputError(
            f"the sets have {labels:,} different labels.",
            remedy=f"Up to {MOST_LABELS:,} are compared.",
        )
    notes = [f"{labels:,} labels occur."]
    empty = engine.row(
        "SELECT "
        + ", ".join(f"count(*) FILTER (WHERE len({s}) = 0)" for s in ("label", "base", "head"))
        + " FROM paired"
    )
    if any(empty):
        notes.append(
            f"Empty sets: {empty[0]:,} of the labels, {empty[1]:,} predicted by the base, "
            f"{empty[2]:,} by the head."
        )
    unseen = engine.rows(
        f"{_every('base', 'head')} EXCEPT {_every('label')} ORDER BY value LIMIT {_EXAMPLES}"
    )
    if unseen:
        listed = ", ".join(repr(row[0][:60]) for row in unseen)
        notes.append(f"Predicted, but never a label: {listed}.")
    return notes


def number_of_labels(engine: Engine) -> int:
    """How many different labels occur, on either side or among the true ones."""
    (labels,) = engine.row(f"SELECT count(*) FROM ({_every('label', 'base', 'head')})")
    return int(labels)


def _every(*columns: str) -> str:
    return " UNION ".join(f"SELECT unnest({column}) AS value FROM paired" for column in columns)


def set_value(name: str, side: str, labels: int) -> str:
    """SQL of one side's value of a row: subset_accuracy, hamming_loss or f1_samples."""
    if name == "subset_accuracy":
        return f"CAST({side} = label AS DOUBLE)"
    both = f"len(list_intersect({side}, label))"
    sizes = f"(len({side}) + len(label))"
    if name == "hamming_loss":
        return f"({sizes} - 2 * {both}) / {max(1, labels)}"
    return f"CASE WHEN {sizes} = 0 THEN 1 ELSE 2 * {both} / {sizes} END"
