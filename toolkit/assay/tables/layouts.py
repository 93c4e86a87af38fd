"""Where the cells of a column lie: bins by quantiles, or the most frequent values."""

from __future__ import annotations

import math
from collections.abc import Sequence

from assay.tables.column_counts import Layout, as_text, finite
from assay.tables.source import Column, Engine

_SAMPLE = 200_000
_LEVELS = (0.01, 0.025, *(level / 20 for level in range(1, 20)), 0.975, 0.99)
_FEW_NUMBERS = 20
_TOP = 50
_MOSTLY_DISTINCT = 0.5


def lay_out(
    engine: Engine, source: str, columns: Sequence[Column], *, rows: int, key: str
) -> tuple[Layout, ...]:
    """Lay out the columns that can drift; times, nested values and mostly distinct texts cannot.

    Numbers get bins of 5 % each, finer in the tails (or one for each value, of at most 20), with
    one more at either end for what lies outside; quantiles are of at most about 200,000 rows,
    chosen by the hash of ``key`` (SQL), so that the same rows give the same edges.
    """
    numbers = [column for column in columns if column.kind in {"integer", "float"}]
    texts = [column for column in columns if column.kind in {"text", "boolean"}]
    found = dict(_bins(engine, source, numbers, rows=rows, key=key))
    for column in texts:
        layout = _categories(engine, source, column)
        if layout is not None:
            found[column.name] = layout
    return tuple(found[column.name] for column in columns if column.name in found)


def _bins(
    engine: Engine, source: str, columns: Sequence[Column], *, rows: int, key: str
) -> dict[str, Layout]:
    if not columns:
        return {}
    step = max(1, rows // _SAMPLE)
    where = f"WHERE hash({key}) % {step} = 0" if step > 1 else ""
    levels = ", ".join(str(level) for level in _LEVELS)
    cuts = engine.row(
        f"SELECT {', '.join(f'quantile_disc({finite(c)}, [{levels}])' for c in columns)} "
        f"FROM {source} {where}"
    )
    facts = engine.row(
        "SELECT "
        + ", ".join(
            f"min({finite(c)}), max({finite(c)}), approx_count_distinct({finite(c)})"
            for c in columns
        )
        + f" FROM {source}"
    )
    result = {}
    for place, column in enumerate(columns):
        low, high, distinct = facts[3 * place : 3 * place + 3]
        if low is None:
            continue
        inner = cuts[place] or []
        if distinct <= _FEW_NUMBERS * 1.2:
            inner = _all_values(engine, source, column) or inner
        edges = {float(edge) for edge in inner if low <= edge <= high}
        ends = {math.nextafter(float(low), -math.inf), float(high)}
        result[column.name] = Layout(
            name=column.name,
            number=True,
            edges=tuple(sorted(edge for edge in edges | ends if math.isfinite(edge))),
        )
    return result


def _all_values(engine: Engine, source: str, column: Column) -> list[float] | None:
    """The distinct numbers, or None where there are more than 20."""
    value = finite(column)
    found = engine.rows(
        f"SELECT DISTINCT {value} AS v FROM {source} WHERE {value} IS NOT NULL "
        f"ORDER BY v LIMIT {_FEW_NUMBERS + 1}"
    )
    return None if len(found) > _FEW_NUMBERS else [float(row[0]) for row in found]


def categories(engine: Engine, source: str, column: Column) -> Layout:
    """Cells of the 50 most frequent values, whatever kind the column is."""
    text = as_text(column)
    found = engine.rows(
        f"SELECT {text} AS v, count(*) AS n FROM {source} WHERE {text} IS NOT NULL "
        f"GROUP BY v ORDER BY n DESC, v LIMIT {_TOP}"
    )
    return Layout(name=column.name, number=False, values=tuple(str(row[0]) for row in found))


def _categories(engine: Engine, source: str, column: Column) -> Layout | None:
    text = as_text(column)
    present, distinct = engine.row(
        f"SELECT count({text}), approx_count_distinct({text}) FROM {source}"
    )
    if not present or (distinct > _TOP and distinct > _MOSTLY_DISTINCT * present):
        return None
    return categories(engine, source, column)
