"""Counts of many columns over given bins and values, all in one scan: what drift is made of.

A layout says where a column's cells lie; it comes from a reference profile, never from the rows
that are counted, so that a window of production needs one pass and no memory of its rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from assay.tables.source import Column, Engine
from assay.tables.sql import identifier, literal


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The cells of one column.

    Numbers: cell i holds what is above ``edges[i - 1]`` and at most ``edges[i]``; the last one has
    no upper edge. Otherwise cell i holds ``values[i]`` and the last one every other value.
    """

    name: str
    number: bool
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()
    whole: bool = False
    """Whether ``values`` are all that there were: any other one is new."""


@dataclass(frozen=True, kw_only=True)
class ColumnCounts:
    """One column of some rows. ``missing`` has no value, or none that is finite.

    ``counts`` are of the layout's cells. The moments and ends are of finite numbers; None where
    there are none, or where they were not asked for. ``new`` are values without a cell, each with
    at least how many rows, where they were named (:mod:`assay.tables.live_new_values`).
    """

    rows: int
    missing: int
    counts: tuple[int, ...]
    mean: float | None = None
    deviation: float | None = None
    low: float | None = None
    high: float | None = None
    new: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Scan:
    """How columns are counted."""

    ends: bool = True
    """Whether the deviation, the least and the greatest number are asked for."""
    finite: bool = False
    """Whether numbers are taken for finite: then the mean tells whether one is not."""
    coded: bool = False
    """Whether texts come with a dictionary, as Parquet's do: each of its values is looked up once,
    and not each row's."""


WHOLE = Scan()
"""Everything, of columns of any kind."""


def columns_of(engine: Engine, source: str) -> tuple[Column, ...]:
    """The columns of a relation: a quoted name, or a query in parentheses."""
    described = engine.rows(f"DESCRIBE SELECT * FROM {source}")
    return tuple(Column(name=row[0], type=row[1]) for row in described)


def count_columns(
    engine: Engine, source: str, layouts: Sequence[Layout]
) -> dict[str, ColumnCounts]:
    """Count the layouts' columns in one scan of ``source``.

    A column that ``source`` does not have is not in the result. One that holds text where the
    layout wants numbers is read as numbers, and what is none counts as missing.
    """
    known = {column.name: column for column in columns_of(engine, source)}
    there = [layout for layout in layouts if layout.name in known]
    asked = [list(aggregates(layout, known[layout.name])) for layout in there]
    listed = ", ".join(["count(*)", *(part for parts in asked for part in parts)])
    total, *found = engine.row(f"SELECT {listed} FROM {source}")
    result = {}
    for layout, parts in zip(there, asked, strict=True):
        own, found = found[: len(parts)], found[len(parts) :]
        result[layout.name] = read_counts(layout, int(total), own)
    return result


def aggregates(layout: Layout, column: Column, scan: Scan = WHOLE) -> Iterator[str]:
    """SQL for everything that is counted of a column; :func:`read_counts` reads its values."""
    if not layout.number:
        text = as_text(column)
        yield f"count({text})"
        # The engine's word for "any other" is the empty text, which a value may be: mark values.
        marked = ", ".join(literal(f"={value}") for value in layout.values)
        if scan.coded:
            listed = ", ".join(literal(value) for value in layout.values)
            place = f"list_position([{listed}]::VARCHAR[], {text})"
            yield f"histogram(list_extract([{marked}]::VARCHAR[], {place}))"
        else:
            yield f"histogram_exact('=' || {text}, [{marked}]::VARCHAR[])"
        return
    value = identifier(column.name) if scan.finite else finite(column)
    yield f"count({value})"
    yield from (f"count_if({value} <= {literal(edge)})" for edge in layout.edges)
    yield f"avg({value})"
    if scan.ends:
        yield f"stddev_pop({value})"
        yield f"min({value})"
        yield f"max({value})"


def read_counts(layout: Layout, rows: int, found: Sequence[Any]) -> ColumnCounts:
    """The values of :func:`aggregates`, in their order, as counts."""
    present = int(found[0])
    if not layout.number:
        listed = found[1] or {}
        counts = [int(listed.get(f"={value}", 0)) for value in layout.values]
        return ColumnCounts(
            rows=rows, missing=rows - present, counts=(*counts, present - sum(counts))
        )
    after = 1 + len(layout.edges)
    mean, *ends = found[after:]
    deviation, low, high = ends or (None, None, None)
    # The engine counts no rows as NULL.
    cells = (0, *(int(count or 0) for count in found[1:after]), present)
    counts = [above - below for below, above in pairwise(cells)]
    return ColumnCounts(
        rows=rows,
        missing=rows - present,
        counts=tuple(counts),
        mean=mean,
        deviation=deviation,
        low=low,
        high=high,
    )


def mean_by_cell(
    engine: Engine, source: str, layout: Layout, value: str
) -> dict[int, tuple[int, float]]:
    """Rows and the mean of ``value`` (SQL) by cell; missing values are the cell after the last.

    Rows where ``value`` is NULL are left out.
    """
    column = next(each for each in columns_of(engine, source) if each.name == layout.name)
    cells = len(layout.edges if layout.number else layout.values) + 1
    found = engine.rows(
        f"SELECT {_cell(layout, column, cells)} AS cell, count(v), avg(v) "
        f"FROM (SELECT *, {value} AS v FROM {source}) WHERE v IS NOT NULL GROUP BY cell"
    )
    return {int(cell): (int(rows), float(mean)) for cell, rows, mean in found}


def _cell(layout: Layout, column: Column, cells: int) -> str:
    if layout.number:
        value = finite(column)
        steps = "".join(
            f" WHEN {value} <= {literal(edge)} THEN {place}"
            for place, edge in enumerate(layout.edges)
        )
        return f"CASE WHEN {value} IS NULL THEN {cells}{steps} ELSE {cells - 1} END"
    text = as_text(column)
    listed = ", ".join(literal(value) for value in layout.values)
    place = f"coalesce(list_position([{listed}]::VARCHAR[], {text}) - 1, {cells - 1})"
    return f"CASE WHEN {text} IS NULL THEN {cells} ELSE {place} END"


def finite(column: Column) -> str:
    """SQL for a finite number, NULL for anything else."""
    name = identifier(column.name)
    if column.kind == "integer":
        return name
    if column.type not in {"FLOAT", "DOUBLE"}:
        name = f"TRY_CAST({name} AS DOUBLE)"
    return f"CASE WHEN isfinite({name}) THEN {name} END"


def as_text(column: Column) -> str:
    """SQL for a category's name: 1.0 and 1 are one category, as are True and true."""
    name = identifier(column.name)
    if column.kind == "float":
        whole = f"isfinite({name}) AND {name} = trunc({name}) AND abs({name}) < 9e15"
        return (
            f"CASE WHEN isnan(CAST({name} AS DOUBLE)) THEN NULL WHEN {whole} "
            f"THEN CAST(CAST({name} AS BIGINT) AS VARCHAR) ELSE CAST({name} AS VARCHAR) END"
        )
    return f"CAST({name} AS VARCHAR)"
