"""Slices of the test rows: the values of a column, or the bins of a number."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

from assay.config import Slice
from assay.errors import InputError
from assay.tables.predictions_columns import Side, canonical, number
from assay.tables.predictions_join import keyed, value_table
from assay.tables.source import Column, Engine
from assay.tables.sql import identifier, literal

Truth = Literal["base", "head"]
"""The side whose labels and slices count where both have them."""
LISTED = 100
"""Values of a column, and pairs of a crossing, that are listed: the most frequent ones."""
MOST_VALUES = 10_000
"""Values of a column, and pairs of a crossing, among which the worst slice is searched."""
MISSING = "missing"
AND = " & "
"""Stands between the two parts of a crossing's name."""
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
    distinct: int
    """How many values the column has."""


def in_order(base: Side, head: Side, truth: Truth) -> tuple[Side, Side]:
    """Return the two sides, first the one whose labels and slices count."""
    return (head, base) if truth == "head" else (base, head)


def resolve(
    engine: Engine, asked: Slice, base: Side, head: Side, truth: Truth, *, least: int
) -> Sliced:
    """Find the column (that of ``truth`` wins) and its values, the most frequent first.

    Every value with ``least`` rows counts, and the most frequent others up to LISTED.
    Raises InputError where neither side has the column, where bins are asked of text, and where
    a measured number with many values has no bins.
    """
    first, second = in_order(base, head, truth)
    side, column = _find(asked.column, first, second)
    if isinstance(asked.bins, int):
        asked = _equal_bins(engine, asked, column, side, asked.bins)
    engine.run(
        f"CREATE OR REPLACE TEMP TABLE {_counted(column)} AS "
        f"SELECT raw, {value_sql(column, asked, 'raw')} AS value, n FROM (SELECT "
        f"{identifier(column.name)} AS raw, count(*) AS n FROM {keyed(side)} GROUP BY raw)"
        if not isinstance(asked.bins, tuple)
        else f"CREATE OR REPLACE TEMP TABLE {_counted(column)} AS SELECT "
        f"{value_sql(column, asked, identifier(column.name))} AS value, count(*) AS n "
        f"FROM {keyed(side)} GROUP BY value"
    )
    rows = engine.rows(
        "SELECT value, n, count(*) OVER () FROM (SELECT value, CAST(sum(n) AS BIGINT) AS n "
        f"FROM {_counted(column)} GROUP BY value) ORDER BY n DESC, value LIMIT {MOST_VALUES}"
    )
    distinct = rows[0][2]
    if distinct > LISTED and column.kind == "float" and asked.bins is None:
        raise InputError(
            f"the column {asked.column!r} has {distinct:,} different numbers, too many to "
            "slice by.",
            where=side.table.where,
            remedy=f"Give bins: --slice '{asked.column}:18,40' or bins: [18, 40]; or only how "
            f"many: --slice '{asked.column}:q4' or bins: 4.",
        )
    values = tuple(row[0] for place, row in enumerate(rows) if place < LISTED or row[1] >= least)
    if asked.bins is not None:
        values = tuple(sorted(values, key=lambda value: (value == "", int(value[1:] or 0))))
    column_name = quoted(asked.column, "=", AND)
    return Sliced(
        asked=asked,
        column=column,
        side=side,
        other=second.table.column(asked.column) if side is first else None,
        values=values,
        names=tuple(f"{column_name}={shown}" for shown in _shown(values, asked)),
        distinct=distinct,
    )


def _equal_bins(engine: Engine, asked: Slice, column: Column, side: Side, count: int) -> Slice:
    """Replace a number of bins by the edges that divide the rows evenly, as far as ties let them.

    An edge is a value that occurs: the smallest at or below which the share of rows lies.
    """
    _check_binned(column)
    value = number(column, identifier(column.name))
    shares = ", ".join(literal(place / count) for place in range(1, count))
    least, edges = engine.row(
        f"SELECT min(v), quantile_disc(v, [{shares}]) FROM (SELECT {value} AS v "
        f"FROM {keyed(side)}) WHERE v IS NOT NULL AND NOT isnan(v)"
    )
    kept = tuple(sorted({float(edge) for edge in edges or () if edge > least}))
    if not kept:
        raise InputError(
            f"the column {column.name!r} cannot be divided into {count} bins: "
            + ("it has no number." if least is None else f"most of its values are {least:g}."),
            where=side.table.where,
            remedy="Give the edges (bins: [18, 40]), or slice by its values.",
        )
    return asked.model_copy(update={"bins": kept})


def _find(name: str, first: Side, second: Side) -> tuple[Side, Column]:
    for side in (first, second):
        column = side.table.column(name)
        if column is None:
            continue
        if column.kind == "other":
            raise InputError(
                f"the slice column {name!r} holds {column.type} values.", where=side.table.where
            )
        return side, column
    listed = ", ".join(repr(c.name[:60]) for c in first.table.columns[:20])
    raise InputError(
        f"there is no column {name[:100]!r} to slice by.",
        where=first.table.where,
        remedy=f"The file has: {listed}.",
    )


def value_sql(column: Column, asked: Slice, name: str) -> str:
    """SQL for a row's slice: '' where the value is missing, else '=' and the value or bin.

    ``name`` is the column as the query calls it.
    """
    if not isinstance(asked.bins, tuple):
        text = canonical(column, name, truth_as_number=False)
        # A digest stands for the rest of a long text, so that queries stay small.
        short = (
            f"CASE WHEN length({text}) > {_LONGEST_VALUE} "
            f"THEN left({text}, {_LONGEST_VALUE}) || md5({text}) ELSE {text} END"
        )
        return f"COALESCE('=' || {short if column.kind == 'text' else text}, '')"
    _check_binned(column)
    missing, place = _bin_sql(column, asked.bins, name)
    return f"CASE WHEN {missing} THEN '' ELSE '=' || {place} END"


def code_sql(sliced: Sliced, name: str, alias: str) -> tuple[str, str]:
    """SQL for the number of a row's slice, NULL where not counted, and the join that it needs.

    ``name`` is the column as the query calls it, ``alias`` what the join may be called.
    """
    if isinstance(sliced.asked.bins, tuple):
        missing, place = _bin_sql(sliced.column, sliced.asked.bins, name)
        codes = {value: code for code, value in enumerate(sliced.values)}
        whens = " ".join(f"WHEN {value[1:]} THEN {code}" for value, code in codes.items() if value)
        none = codes.get("", "NULL")
        code = f"CASE {place} {whens} END" if whens else "NULL"
        return f"CAST(CASE WHEN {missing} THEN {none} ELSE {code} END AS SMALLINT)", ""
    listed = (
        f"(SELECT raw, CAST(v.code AS SMALLINT) AS code FROM {_counted(sliced.column)} AS c "
        f"JOIN {value_table(list(sliced.values))} AS v ON v.value = c.value)"
    )
    join = f"LEFT JOIN {listed} AS {alias} ON {alias}.raw IS NOT DISTINCT FROM {name}"
    return f"{alias}.code", join


def _counted(column: Column) -> str:
    """The table of a slice column's values and their rows."""
    return identifier(f"values of {column.name}")


def _bin_sql(column: Column, edges: tuple[float, ...], name: str) -> tuple[str, str]:
    """SQL for whether a number is missing, and for the place of its bin."""
    value = number(column, name)
    above = " + ".join(f"CAST({value} >= {literal(float(edge))} AS INTEGER)" for edge in edges)
    return f"{name} IS NULL OR isnan({value})", f"({above})"


def _check_binned(column: Column) -> None:
    if column.kind not in {"integer", "float"}:
        raise InputError(
            f"the column {column.name!r} holds {column.kind} values, which have no bins.",
            remedy="Slice by its values, without bins.",
        )


def quoted(text: str, *marks: str) -> str:
    """Put a name into quotes where it holds one of the marks that names are made with."""
    wrapped = len(text) > 1 and text[0] == text[-1] == "'"
    marked = text == MISSING or wrapped or any(mark in text for mark in marks)
    return "'" + text.replace("'", "''") + "'" if marked else text


def _shown(values: tuple[str, ...], asked: Slice) -> list[str]:
    """What stands after '=' in the names of the slices."""
    bins = _bin_names(asked.bins) if isinstance(asked.bins, tuple) else ()
    result = []
    for place, value in enumerate(values):
        text = value[1:]
        if value == "":
            result.append(MISSING)
        elif bins:
            result.append(bins[int(text)])
        elif len(text) > _LONGEST:
            # The number keeps two long values with one beginning apart.
            result.append(quoted(f"{text[:_LONGEST]}… ({place + 1})", AND))
        else:
            result.append(quoted(text, AND))
    return result


def _bin_names(edges: tuple[float, ...]) -> list[str]:
    # As few digits as keep the edges apart.
    texts = [f"{edge:g}" for edge in edges]
    if len(set(texts)) < len(texts):
        texts = [repr(edge) for edge in edges]
    between = [f"{low} to below {high}" for low, high in itertools.pairwise(texts)]
    return [f"below {texts[0]}", *between, f"{texts[-1]} and above"]
