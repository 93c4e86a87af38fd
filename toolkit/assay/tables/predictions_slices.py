"""Slices of the test rows: the values of a column, or the bins of a number."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

from assay.config import Slice
from assay.errors import InputError, Location
from assay.tables.predictions_columns import Side, canonical, number
from assay.tables.predictions_join import keyed
from assay.tables.source import Column, Engine
from assay.tables.sql import identifier, literal

Truth = Literal["base", "head"]
"""The side whose labels and slices count where both have them."""
MOST_VALUES = 50
"""Values of one column that become slices: the most frequent ones."""
MISSING = "missing"
_LONGEST = 120
_LONGEST_VALUE = 1000


@dataclass(frozen=True, kw_only=True)
class Sliced:
    """A resolved slice column, and the values that are counted.

    ``names[code]`` is the slice's name, 'column=value'; ``values[code]`` what :func:`value_sql`
    yields for its rows.
    """

    asked: Slice
    column: Column
    side: Side
    other: Column | None
    """The other side's column of that name, where both have one."""
    values: tuple[str, ...]
    names: tuple[str, ...]
    notes: tuple[str, ...]


def in_order(base: Side, head: Side, truth: Truth) -> tuple[Side, Side]:
    """Return the two sides, first the one whose labels and slices count."""
    return (head, base) if truth == "head" else (base, head)


def resolve(engine: Engine, asked: Slice, base: Side, head: Side, truth: Truth) -> Sliced:
    """Find the column (that of ``truth`` wins) and its values, the most frequent first.

    Raises InputError where neither side has it, where bins are asked of text, and where a
    measured number with many values has no bins.
    """
    first, second = in_order(base, head, truth)
    side, column = _find(asked.column, first, second)
    expression = value_sql(column, asked, identifier(column.name))
    rows = engine.rows(
        f"SELECT value, count(*) AS n, count(*) OVER () FROM "
        f"(SELECT {expression} AS value FROM {keyed(side)}) GROUP BY value "
        f"ORDER BY n DESC, value LIMIT {MOST_VALUES}"
    )
    values = tuple(row[0] for row in rows)
    distinct = rows[0][2]
    notes = []
    if distinct > MOST_VALUES:
        if column.kind == "float":
            raise InputError(
                f"the column {asked.column!r} has {distinct:,} different numbers, too many to "
                "slice by.",
                where=_at(side),
                remedy=f"Give bins: --slice '{asked.column}:18,40' or bins: [18, 40].",
            )
        notes.append(
            f"{asked.column!r} has {distinct:,} values; the {MOST_VALUES} with most rows are "
            "slices, the others are not shown."
        )
    if asked.bins is not None:
        values = tuple(sorted(values, key=lambda value: (value == "", int(value[1:] or 0))))
    names = tuple(f"{asked.column}={_shown(value, values, asked)}" for value in values)
    return Sliced(
        asked=asked,
        column=column,
        side=side,
        other=second.table.column(asked.column) if side is first else None,
        values=values,
        names=names,
        notes=tuple(notes),
    )


def _find(name: str, first: Side, second: Side) -> tuple[Side, Column]:
    for side in (first, second):
        column = side.table.column(name)
        if column is None:
            continue
        if column.kind == "other":
            raise InputError(
                f"the slice column {name!r} holds {column.type} values.", where=_at(side)
            )
        return side, column
    listed = ", ".join(repr(c.name[:60]) for c in first.table.columns[:20])
    raise InputError(
        f"there is no column {name[:100]!r} to slice by.",
        where=_at(first),
        remedy=f"The file has: {listed}.",
    )


def value_sql(column: Column, asked: Slice, name: str) -> str:
    """SQL for a row's slice: '' where the value is missing, else '=' and the value or bin.

    ``name`` is the column as the query calls it.
    """
    if asked.bins is None:
        text = canonical(column, name, truth_as_number=False)
        # A digest stands for the rest of a long text, so that queries stay small.
        short = (
            f"CASE WHEN length({text}) > {_LONGEST_VALUE} "
            f"THEN left({text}, {_LONGEST_VALUE}) || md5({text}) ELSE {text} END"
        )
        return f"COALESCE('=' || {short if column.kind == 'text' else text}, '')"
    if column.kind not in {"integer", "float"}:
        raise InputError(
            f"the column {column.name!r} holds {column.kind} values, which have no bins.",
            remedy="Slice by its values, without bins.",
        )
    value = number(column, name)
    above = " + ".join(f"CAST({value} >= {literal(float(edge))} AS INTEGER)" for edge in asked.bins)
    return f"CASE WHEN {name} IS NULL OR isnan({value}) THEN '' ELSE '=' || ({above}) END"


def _shown(value: str, values: tuple[str, ...], asked: Slice) -> str:
    if value == "":
        return MISSING
    text = value[1:]
    if asked.bins is not None:
        return _bin_name(int(text), asked.bins)
    if len(text) > _LONGEST:
        # The number keeps two long values with one beginning apart.
        text = f"{text[:_LONGEST]}… ({values.index(value) + 1})"
    return f"'{text}'" if text == MISSING else text


def _bin_name(place: int, edges: tuple[float, ...]) -> str:
    if place == 0:
        return f"below {edges[0]:g}"
    if place == len(edges):
        return f"{edges[-1]:g} and above"
    low, high = list(itertools.pairwise(edges))[place - 1]
    return f"{low:g} to below {high:g}"


def _at(side: Side) -> Location:
    return Location(file=side.table.path.as_posix())
