"""What each column of a table holds: missing values, range, constancy, and its few values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from assay.tables.rows import Rows, evaluate, has_nan, value_of
from assay.tables.source import Column
from assay.tables.sql import identifier

MOST_VALUES = 100
"""Columns with more distinct values than this have no list of them."""

Value = str | int | float | bool


@dataclass(frozen=True, kw_only=True)
class ColumnProfile:
    """One column over all rows; NaN counts as missing.

    ``low`` and ``high`` are of the finite values (numbers; text and times as text); ``distinct``
    is approximate (HyperLogLog, a few per cent) unless ``values`` lists all finite ones with their
    counts, most frequent first.
    """

    column: Column
    rows: int
    missing: int
    infinite: int
    low: Any
    high: Any
    distinct: int
    values: tuple[tuple[Value, int], ...] | None

    @property
    def name(self) -> str:
        """The column's name."""
        return self.column.name

    @property
    def kind(self) -> str:
        """The column's kind, as :class:`assay.tables.source.Column` tells it."""
        return self.column.kind

    @property
    def constant(self) -> bool:
        """Whether every row with a value has the same one; also where no row has any."""
        if self.missing == self.rows:
            return True
        if self.kind == "other":
            return self.distinct <= 1
        return self.infinite == 0 and bool(self.low == self.high)


def profile(rows: Rows) -> dict[str, ColumnProfile]:
    """Profile every column in two scans: one of aggregates, one that lists few values."""
    columns = rows.columns
    facts = evaluate(rows, [part for column in columns for part in _aggregates(column)])
    per_column = [tuple(facts[start : start + 5]) for start in range(0, len(facts), 5)]
    values = _listed(
        rows,
        [
            column
            for column, fact in zip(columns, per_column, strict=True)
            # The count is approximate: look a little further than what is kept.
            if column.kind in {"text", "boolean", "integer", "float"}
            and 0 < fact[4] <= MOST_VALUES * 1.2
        ],
    )
    return {
        column.name: _profile(column, rows.count, fact, values.get(column.name))
        for column, fact in zip(columns, per_column, strict=True)
    }


def _profile(
    column: Column,
    rows: int,
    fact: tuple[Any, ...],
    values: tuple[tuple[Value, int], ...] | None,
) -> ColumnProfile:
    present, infinite, low, high, distinct = fact
    return ColumnProfile(
        column=column,
        rows=rows,
        missing=rows - int(present),
        infinite=int(infinite),
        low=low,
        high=high,
        distinct=len(values) if values is not None else int(distinct),
        values=values,
    )


def _aggregates(column: Column) -> tuple[str, ...]:
    name, value = identifier(column.name), value_of(column)
    infinite = f"count(CASE WHEN isinf({name}) THEN 1 END)" if has_nan(column) else "min(0)"
    finite = f"CASE WHEN isfinite({name}) THEN {name} END" if has_nan(column) else name
    if column.type.startswith("DECIMAL"):
        finite = f"CAST({name} AS DOUBLE)"
    low, high = f"min({finite})", f"max({finite})"
    if column.kind == "time":
        low, high = f"CAST({low} AS VARCHAR)", f"CAST({high} AS VARCHAR)"
    if column.kind == "other":
        low = high = "min(NULL)"
    return f"count({value})", infinite, low, high, f"approx_count_distinct({value})"


def _listed(rows: Rows, columns: list[Column]) -> dict[str, tuple[tuple[Value, int], ...]]:
    found = evaluate(rows, [f"histogram({_plain(column)})" for column in columns])
    return {
        column.name: tuple(
            sorted(counts.items(), key=lambda item: (-item[1], str(item[0]), repr(item[0])))
        )
        for column, counts in zip(columns, found, strict=True)
        if len(counts) <= MOST_VALUES
    }


def _plain(column: Column) -> str:
    name = identifier(column.name)
    if column.kind == "text":
        return f"CAST({name} AS VARCHAR)"
    if has_nan(column):
        return f"CASE WHEN isfinite({name}) THEN CAST({name} AS DOUBLE) END"
    return f"CAST({name} AS DOUBLE)" if column.kind == "float" else name
