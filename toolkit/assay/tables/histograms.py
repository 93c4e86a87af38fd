"""Counts of two tables over the same bins or categories: what drift is computed from.

Bin edges come from quantiles of both tables (of a fixed tenth of a million rows where there are
more); the counts themselves are over all rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.tables.profile import ColumnProfile
from assay.tables.rows import Rows, evaluate, has_nan
from assay.tables.source import Column
from assay.tables.sql import identifier

_SAMPLE = 100_000
_PERCENTILES = 99
_TOP = 50
_BLOCK = 1 << 24


@dataclass(frozen=True, kw_only=True)
class Bins:
    """Counts of a number (or time, in seconds) over ascending bins, for two tables.

    Bin i holds the values up to and including ``edges[i]`` and above ``edges[i - 1]``; the last
    one has no upper edge, so there is one more count than edges. ``deciles`` says which edges are
    deciles of the reference. ``low`` and ``high`` are the ends over both tables.
    """

    edges: tuple[float, ...]
    deciles: tuple[float, ...]
    low: float
    high: float
    reference: tuple[int, ...]
    current: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Categories:
    """Counts of each value for two tables, most frequent in the reference first.

    ``other`` are the counts of the values that are not listed one by one.
    """

    values: tuple[str | int | float | bool, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]
    other: tuple[int, int] = (0, 0)


def category_counts(reference: ColumnProfile, current: ColumnProfile) -> Categories | None:
    """Counts out of two profiles, where both list all their values; None otherwise."""
    if reference.values is None or current.values is None:
        return None
    before, after = dict(reference.values), dict(current.values)
    values = [*before, *(value for value in after if value not in before)]
    return Categories(
        values=tuple(values),
        reference=tuple(before.get(value, 0) for value in values),
        current=tuple(after.get(value, 0) for value in values),
    )


def top_counts(reference: Rows, current: Rows, column: str) -> Categories:
    """Counts of the reference's 50 most frequent texts in both tables, and of all the others."""
    value = f"CAST({identifier(column)} AS VARCHAR)"
    found = reference.engine.rows(
        f"""
        WITH top AS (
            SELECT {value} AS v, count(*) AS n FROM {reference.source}
            WHERE {value} IS NOT NULL GROUP BY v ORDER BY n DESC, v LIMIT {_TOP}
        ), again AS (
            SELECT {value} AS v, count(*) AS n FROM {current.source}
            WHERE {value} IN (SELECT v FROM top) GROUP BY v
        )
        SELECT top.v, top.n, coalesce(again.n, 0) FROM top LEFT JOIN again USING (v)
        ORDER BY top.n DESC, top.v
        """
    )
    totals = [
        side.engine.row(f"SELECT count({identifier(column)}) FROM {side.source}")[0]
        for side in (reference, current)
    ]
    before, after = [row[1] for row in found], [row[2] for row in found]
    return Categories(
        values=tuple(row[0] for row in found),
        reference=tuple(before),
        current=tuple(after),
        other=(totals[0] - sum(before), totals[1] - sum(after)),
    )


def quantiles(rows: Rows, columns: Sequence[Column]) -> dict[str, tuple[float, ...]]:
    """The percentiles 0, 1, … 100 of each column's finite values, as numbers; () without any."""
    if not columns:
        return {}
    step = max(1, rows.count // _SAMPLE)
    where = f"WHERE hash({rows.number}) % {step} = 0" if step > 1 else ""
    listed = ", ".join(
        f"{_number(column)} AS {identifier(f'c{index}')}" for index, column in enumerate(columns)
    )
    sample = rows.engine.present(f"SELECT {listed} FROM {rows.source} {where}")
    sides = ("min", "max")
    ends = evaluate(rows, [f"{side}({_number(column)})" for column in columns for side in sides])
    return {
        column.name: ()
        if ends[2 * index] is None
        else (ends[2 * index], *_percentiles(sample[f"c{index}"]), ends[2 * index + 1])
        for index, column in enumerate(columns)
    }


def _percentiles(values: NDArray[np.float64]) -> list[float]:
    """The least values with at least 1, 2, … 99 % of all at or below them; none of none."""
    if not values.size:
        return []
    ordered = np.sort(values)
    levels = np.arange(1, _PERCENTILES + 1) / 100
    above = np.floor(values.size - values.size * levels).astype(np.int64)
    found: list[float] = ordered[np.maximum(1, values.size - above) - 1].tolist()
    return found


def binned(
    reference: Rows,
    current: Rows,
    percentiles: dict[str, tuple[tuple[float, ...], tuple[float, ...]]],
) -> dict[str, Bins]:
    """Count both tables over bins made from both tables' percentiles, one scan of each.

    ``percentiles`` gives, by column, what :func:`quantiles` found in either table; neither may
    be empty.
    """
    edges = {
        name: tuple(sorted({*before, *after})[:-1]) for name, (before, after) in percentiles.items()
    }
    counts = [_count(rows, edges) for rows in (reference, current)]
    result = {}
    for name, (before, after) in percentiles.items():
        high = max(before[-1], after[-1])
        inner = before[10:91:10] if len(before) > _PERCENTILES else before
        result[name] = Bins(
            edges=edges[name],
            deciles=tuple(sorted({decile for decile in inner if decile < high})),
            low=min(before[0], after[0]),
            high=high,
            reference=counts[0][name],
            current=counts[1][name],
        )
    return result


def _count(rows: Rows, edges: dict[str, tuple[float, ...]]) -> dict[str, tuple[int, ...]]:
    result = {}
    for name, inner in edges.items():
        column = rows.table.column(name)
        if column is None:
            raise ValueError(f"the table has no column {name!r}")
        ends = np.zeros(len(inner) + 1, dtype=np.int64)
        for start in range(0, rows.count, _BLOCK):
            where = f"WHERE {rows.number} BETWEEN {start} AND {start + _BLOCK - 1}"
            values = rows.engine.present(
                f"SELECT {_number(column)} AS v FROM {rows.source} "
                f"{where if rows.count > _BLOCK else ''}"
            )["v"]
            # Sorting and looking up the few edges is faster than placing each of the many values.
            ordered = np.sort(values)
            ends += [*np.searchsorted(ordered, inner, side="right"), values.size]
        result[name] = tuple(np.diff(ends, prepend=0).tolist())
    return result


def _number(column: Column) -> str:
    """SQL for a finite number; times become seconds since 1970."""
    name = identifier(column.name)
    number = f"epoch({name})" if column.kind == "time" else name
    number = f"CAST({number} AS DOUBLE)"
    if has_nan(column) or column.type.startswith(("DATE", "TIMESTAMP")):
        return f"CASE WHEN isfinite({name}) THEN {number} END"
    return number
