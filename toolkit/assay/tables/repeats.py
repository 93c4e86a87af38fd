"""Rows that occur more than once: in one table, in two, or with different labels.

Rows are first narrowed down by a 64-bit hash of their columns, then compared column by column,
so that the answer is exact. Where no hash occurs twice, sorting the hashes is all it costs.
NULL equals NULL and NaN equals NaN here.
"""

from __future__ import annotations

from collections.abc import Sequence

from assay.tables.row_hashes import has_no_repeats, have_none_in_common
from assay.tables.rows import EXAMPLES, Hits, Rows, name_rows
from assay.tables.source import Column
from assay.tables.sql import identifier


def repeated(rows: Rows, columns: Sequence[str], *, nulls: bool = True) -> Hits:
    """Rows that equal an earlier row in ``columns``.

    With ``nulls=False`` rows with a NULL among the columns are left out.
    """
    listed = _listed(columns)
    if has_no_repeats(rows, listed, _present(columns, nulls)):
        return Hits(count=0)
    return _hits(
        rows,
        f"""
        WITH keyed AS MATERIALIZED (
            SELECT {rows.number} AS n, hash({listed}) AS h FROM {rows.source}
            {_present(columns, nulls)}
        ), shared AS (SELECT h FROM keyed GROUP BY h HAVING count(*) > 1),
        ranked AS (
            SELECT {rows.number} AS n,
                row_number() OVER (PARTITION BY {listed} ORDER BY {rows.number}) AS place
            FROM {rows.source}
            WHERE {rows.number} IN (SELECT n FROM keyed WHERE h IN (SELECT h FROM shared))
        )
        SELECT count(*), min(n, {EXAMPLES}) FROM ranked WHERE place > 1
        """,
    )


def conflicting(rows: Rows, features: Sequence[str], label: str) -> Hits:
    """Rows that share all ``features`` with a row of another label; NULL labels are left out."""
    listed, value = _listed(features), identifier(label)
    if has_no_repeats(rows, listed, _present([label], nulls=False)):
        return Hits(count=0)
    return _hits(
        rows,
        f"""
        WITH keyed AS MATERIALIZED (
            SELECT {rows.number} AS n, hash({listed}) AS h, {value} AS y FROM {rows.source}
            WHERE {value} IS NOT NULL
        ), torn AS (SELECT h FROM keyed GROUP BY h HAVING min(y) IS DISTINCT FROM max(y)),
        grouped AS (
            SELECT {rows.number} AS n, min({value}) OVER same AS low, max({value}) OVER same AS high
            FROM {rows.source}
            WHERE {rows.number} IN (SELECT n FROM keyed WHERE h IN (SELECT h FROM torn))
            WINDOW same AS (PARTITION BY {listed})
        )
        SELECT count(*), min(n, {EXAMPLES}) FROM grouped WHERE low IS DISTINCT FROM high
        """,
    )


def shared(rows: Rows, other: Rows, columns: Sequence[str], *, nulls: bool = True) -> Hits:
    """Rows of ``rows`` that equal some row of ``other`` in ``columns``, which both must have.

    With ``nulls=False`` rows with a NULL among the columns are left out.
    """
    mine, theirs = _comparable(rows, other, columns)
    names = [identifier(f"c{index}") for index in range(len(columns))]
    aliased = ", ".join(f"{sql} AS {name}" for sql, name in zip(mine, names, strict=True))
    foreign = ", ".join(f"{sql} AS {name}" for sql, name in zip(theirs, names, strict=True))
    equal = " AND ".join(f"a.{name} IS NOT DISTINCT FROM b.{name}" for name in names)
    present = _present(columns, nulls)
    if have_none_in_common((rows, ", ".join(mine)), (other, ", ".join(theirs)), present):
        return Hits(count=0)
    return _hits(
        rows,
        f"""
        WITH here AS MATERIALIZED (
            SELECT {rows.number} AS n, hash({", ".join(mine)}) AS h FROM {rows.source} {present}
        ), there AS MATERIALIZED (
            SELECT {other.number} AS n, hash({", ".join(theirs)}) AS h FROM {other.source} {present}
        ), a AS (
            SELECT {rows.number} AS n, {aliased} FROM {rows.source}
            WHERE {rows.number} IN (SELECT n FROM here WHERE h IN (SELECT h FROM there))
        ), b AS (
            SELECT DISTINCT {foreign} FROM {other.source}
            WHERE {other.number} IN (SELECT n FROM there WHERE h IN (SELECT h FROM here))
        )
        SELECT count(*), min(a.n, {EXAMPLES}) FROM a SEMI JOIN b ON {equal}
        """,
    )


def absent(rows: Rows, other: Rows, column: str) -> Hits:
    """Rows of ``rows`` whose value in ``column`` no row of ``other`` has; NULL is left out."""
    (mine,), (theirs,) = _comparable(rows, other, [column])
    return _hits(
        rows,
        f"""
        WITH known AS (SELECT DISTINCT {theirs} AS v FROM {other.source})
        SELECT count(*), min({rows.number}, {EXAMPLES}) FROM {rows.source}
        WHERE {mine} IS NOT NULL AND {mine} NOT IN (SELECT v FROM known WHERE v IS NOT NULL)
        """,
    )


def _comparable(rows: Rows, other: Rows, columns: Sequence[str]) -> tuple[list[str], list[str]]:
    """SQL for the columns of two tables, cast where their types differ: equal values hash alike."""
    mine, theirs = [], []
    for name in columns:
        left, right = rows.table.column(name), other.table.column(name)
        if left is None or right is None:
            raise ValueError(f"both tables need the column {name!r}")
        target = _common(left, right)
        quoted = identifier(name)
        sql = f"CAST({quoted} AS {target})" if target else quoted
        mine.append(sql)
        theirs.append(sql)
    return mine, theirs


def _common(left: Column, right: Column) -> str | None:
    if left.type == right.type:
        return None
    if left.kind == right.kind == "integer":
        return "HUGEINT"
    numbers = {"integer", "float"}
    return "DOUBLE" if {left.kind, right.kind} <= numbers else "VARCHAR"


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(identifier(column) for column in columns)


def _present(columns: Sequence[str], nulls: bool) -> str:
    if nulls:
        return ""
    return "WHERE " + " AND ".join(f"{identifier(column)} IS NOT NULL" for column in columns)


def _hits(rows: Rows, sql: str) -> Hits:
    count, numbers = rows.engine.row(sql)
    return Hits(count=int(count), rows=name_rows(rows, {"": numbers or ()})[""])
