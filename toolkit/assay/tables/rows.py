"""Rows that can be scanned often and pointed at: how many meet a condition, and which ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from assay.tables.load import numbered_name
from assay.tables.source import Column, Engine, Table
from assay.tables.sql import identifier, literal

EXAMPLES = 5
_AT_ONCE = 256
_LONGEST_ID = 80


@dataclass(frozen=True, kw_only=True)
class Rows:
    """An opened table in the engine's memory, each row with its number.

    ``source`` is the quoted name to select from, ``number`` the SQL for a row's number (from 0,
    in the order of the file), ``columns`` those of the file without the ignored ones.
    """

    engine: Engine
    table: Table
    source: str
    number: str
    columns: tuple[Column, ...]
    id: str | None

    @property
    def count(self) -> int:
        """Number of rows."""
        return self.table.rows

    def column(self, name: str) -> Column | None:
        """Return the column called exactly ``name``, unless it is ignored or not there."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True, kw_only=True)
class Hits:
    """Rows that meet a condition: how many, and the ids (or numbers) of up to five of them."""

    count: int
    rows: tuple[str, ...] = ()


def numbered(
    engine: Engine, name: str, *, ignore: Sequence[str] = (), id_column: str | None = None
) -> Rows:
    """Make the opened table ``name`` ready for many scans that name rows.

    Parquet is read in place; CSV, JSON and Parquet with NaN are in the engine already.
    ``id_column`` may be a column that the table does not have.
    """
    table = engine.tables[name]
    source, number = identifier(name), "rowid"
    if engine.is_numbered(name):
        source, number = identifier(numbered_name(name)), "file_row_number"
    if any(column.name.lower() == number for column in table.columns):
        copy = identifier(f"rows of {name}")
        number = _unused("row", table)
        engine.run(
            f"CREATE TEMP TABLE {copy} AS SELECT row_number() OVER () - 1 AS {number}, * "
            f"FROM {identifier(name)}"
        )
        source = copy
    known = table.column(id_column) if id_column else None
    return Rows(
        engine=engine,
        table=table,
        source=source,
        number=number,
        columns=tuple(column for column in table.columns if column.name not in ignore),
        id=known.name if known else None,
    )


def _unused(word: str, table: Table) -> str:
    taken = {column.name.lower() for column in table.columns}
    while word in taken:
        word += "_"
    return identifier(word)


def evaluate(rows: Rows, aggregates: Sequence[str], *, where: str = "") -> list[Any]:
    """Return the value of each aggregate over all rows, or those that ``where`` says.

    They share scans, up to 256 at once: planning a query takes longer the more there are in it.
    """
    values: list[Any] = []
    for start in range(0, len(aggregates), _AT_ONCE):
        listed = ", ".join(aggregates[start : start + _AT_ONCE])
        condition = f"WHERE {where}" if where else ""
        values += rows.engine.row(f"SELECT {listed} FROM {rows.source} {condition}")
    return values


def count_where(rows: Rows, conditions: Mapping[str, str]) -> dict[str, Hits]:
    """Count the rows that meet each SQL condition, in one scan; name the first five.

    A condition that is NULL for a row is not met by it.
    """
    counts = evaluate(rows, [f"count(CASE WHEN {met} THEN 1 END)" for met in conditions.values()])
    counted = dict(zip(conditions, counts, strict=True))
    found = [key for key, count in counted.items() if count]
    numbers = evaluate(
        rows,
        [f"min(CASE WHEN {conditions[key]} THEN {rows.number} END, {EXAMPLES})" for key in found],
    )
    examples: dict[str, tuple[str, ...]] = dict.fromkeys(conditions, ())
    examples.update(name_rows(rows, dict(zip(found, numbers, strict=True))))
    return {key: Hits(count=int(counted[key]), rows=examples[key]) for key in conditions}


def name_rows(rows: Rows, numbers: Mapping[str, Sequence[int]]) -> dict[str, tuple[str, ...]]:
    """Turn row numbers into ids, or 'row 17' (counted from 1) where a row has none."""
    wanted = sorted({int(number) for group in numbers.values() for number in group})
    names = {number: f"row {number + 1}" for number in wanted}
    if rows.id and wanted:
        listed = ", ".join(str(number) for number in wanted)
        named = rows.engine.rows(
            f"SELECT {rows.number}, left(CAST({identifier(rows.id)} AS VARCHAR), {_LONGEST_ID}) "
            f"FROM {rows.source} WHERE {rows.number} IN ({listed})"
        )
        names.update({number: text for number, text in named if text is not None})
    return {key: tuple(names[int(number)] for number in group) for key, group in numbers.items()}


def value_of(column: Column) -> str:
    """SQL for a column's value, with NaN read as missing, as in files written from numpy."""
    name = identifier(column.name)
    return f"CASE WHEN NOT isnan({name}) THEN {name} END" if has_nan(column) else name


def has_nan(column: Column) -> bool:
    """Whether the column's type can hold NaN and infinities."""
    return column.type in {"FLOAT", "DOUBLE"}


def as_kind(column: Column, kind: str) -> str:
    """SQL for a column's value as another kind; NULL where it cannot be read as one.

    A float counts as an integer where it is whole.
    """
    value = value_of(column)
    if kind == column.kind or (kind, column.kind) == ("float", "integer"):
        return value
    if kind == "integer":
        number = f"TRY_CAST({value} AS DOUBLE)"
        return f"CASE WHEN {number} = trunc({number}) THEN {number} END"
    target = {"float": "DOUBLE", "boolean": "BOOLEAN", "text": "VARCHAR", "time": "TIMESTAMP"}
    return f"TRY_CAST({value} AS {target[kind]})"


def is_missing(column: Column) -> str:
    """SQL: the value is NULL or NaN."""
    return f"({value_of(column)}) IS NULL"


def is_infinite(column: Column) -> str:
    """SQL: the value is plus or minus infinity."""
    return f"isinf({identifier(column.name)})"


def is_not_of_kind(column: Column, kind: str) -> str:
    """SQL: the value is there, but cannot be read as ``kind``."""
    return f"NOT {is_missing(column)} AND ({as_kind(column, kind)}) IS NULL"


def is_outside(
    column: Column, kind: str, *, low: float | None = None, high: float | None = None
) -> str:
    """SQL: the number lies below ``low`` or above ``high`` (both count as inside)."""
    value = as_kind(column, kind)
    sides = [
        f"({value}) {sign} {literal(bound)}"
        for sign, bound in (("<", low), (">", high))
        if bound is not None
    ]
    return f"({' OR '.join(sides)})"


def is_not_in(column: Column, kind: str, values: Sequence[str | int | float | bool]) -> str:
    """SQL: the value is there and is none of ``values``."""
    listed = ", ".join(literal(value) for value in values)
    return f"({as_kind(column, kind)}) NOT IN ({listed})"


def is_not_like(column: Column, pattern: str) -> str:
    """SQL: the text is there and does not match the whole regular expression (RE2)."""
    return f"NOT regexp_full_match(CAST({value_of(column)} AS VARCHAR), {literal(pattern)})"


def pattern_problem(pattern: str) -> str | None:
    """Say what is wrong with a regular expression; None where RE2 accepts it."""
    with duckdb.connect(":memory:") as connection:
        try:
            connection.execute("SELECT regexp_full_match('', ?)", [pattern])
        except duckdb.Error as error:
            first = str(error).splitlines()[0].removeprefix("Invalid Input Error: ")
            return first[:200].rstrip(".")
    return None


def is_in(column: Column, values: Sequence[str | int | float | bool]) -> str:
    """SQL: the value is one of ``values``."""
    listed = ", ".join(literal(value) for value in values)
    return f"({value_of(column)}) IN ({listed})"
