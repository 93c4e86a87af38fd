"""Names of the values that a reference has not, in the windows that have too many of them.

One scan counts the cells of all columns; a new value is in the last one, with any other. Only where
that cell has so many rows that a finding is near is its column read once more: an aggregate beside
the others that names them takes several times as long as the scan, or memory without a bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.tables.column_counts import Layout, read_counts
from assay.tables.source import Column, Engine
from assay.tables.sql import identifier, literal

FEWEST = 5
"""Rows of a window from which a value is named: one that was seen once may name a person."""
MOST = 20
"""Values of one column and window that are kept."""
LONGEST = 60
"""Characters of a value that are kept."""
_MANY = 1_000
"""From about so many distinct new values on they are texts or ids, and no categories."""
TYPE = 'STRUCT("column" VARCHAR, value VARCHAR, n BIGINT)[]'
"""Of the column ``new`` of a window."""


def name_new_values(
    engine: Engine,
    counted: str,
    source: str,
    part: Sequence[tuple[Layout, Column]],
    *,
    keys: Mapping[str, str],
    within: str,
    share: float,
) -> None:
    """Give the table ``counted`` its column ``new``: the most frequent new values of each window.

    `keys` are those that it was grouped by (their SQL in ``source``), and `share` is that of new
    among all values from which they are named.
    """
    new = {}
    for one, column in part:
        if one.whole and _is_above(engine, counted, one, share=share):
            name = identifier(column.name)
            listed = ", ".join(literal(value) for value in one.values)
            new[one.name] = (name, f"{name} NOT IN ({listed})" if listed else f"{name} IS NOT NULL")
    few = _without_texts(engine, source, new, within)
    selected = "".join(f", {sql} AS {name}" for name, sql in keys.items())
    names = ", ".join(keys)
    found = [
        f'SELECT {literal(each)} AS "column", left({name}, {LONGEST}) AS value, count(*) AS n'
        f"{selected} FROM {source} {within} AND {is_new} GROUP BY {name}, {names} "
        f"HAVING n >= {FEWEST} "
        f"QUALIFY row_number() OVER (PARTITION BY {names} ORDER BY n DESC, value) <= {MOST}"
        for each, (name, is_new) in few.items()
    ]
    if not found:
        engine.run(f"ALTER TABLE {counted} ADD COLUMN new {TYPE}")
        return
    engine.run(
        f"CREATE OR REPLACE TEMP TABLE {counted} AS SELECT * FROM {counted} LEFT JOIN ("
        f"SELECT {names}, list({{'column': \"column\", 'value': value, 'n': n}} "
        f'ORDER BY "column", n DESC, value) AS new FROM ({" UNION ALL ".join(found)}) '
        f"GROUP BY {names}) USING ({names})"
    )


def _is_above(engine: Engine, counted: str, one: Layout, *, share: float) -> bool:
    found = engine.rows(f"SELECT {one.name}_0, {one.name}_1 FROM {counted} WHERE {one.name}_0 > 0")
    return any(
        read_counts(one, own[0], own).counts[-1] >= max(FEWEST, share * own[0]) for own in found
    )


def _without_texts(
    engine: Engine, source: str, new: Mapping[str, tuple[str, str]], within: str
) -> dict[str, tuple[str, str]]:
    """The columns whose new values are few enough to be categories, and to be counted."""
    if not new:
        return {}
    listed = ", ".join(
        f"approx_count_distinct(CASE WHEN {is_new} THEN {name} END)"
        for name, is_new in new.values()
    )
    counts = engine.row(f"SELECT {listed} FROM {source} {within}")
    return {each: new[each] for each, n in zip(new, counts, strict=True) if n < _MANY}
