"""Logged features, each of the kind that its reference has: what drift is counted of.

The view ``features`` has id, place, answered (µs since 1970, UTC) and feature0, feature1, ...
in the order that they were asked for. A prediction that was logged twice stands in it twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from assay.tables.column_counts import Layout, as_text
from assay.tables.formats import Format
from assay.tables.live_log import (
    ANSWERED,
    LogColumns,
    is_targets_log,
    key_of,
    microseconds,
    place_of,
)
from assay.tables.source import Column, Engine, Table
from assay.tables.sql import identifier, literal

BASELINE = "baseline"
"""The view that :func:`make_baseline` makes."""


def make_features(
    engine: Engine, names: Sequence[str], columns: LogColumns, features: Sequence[Layout]
) -> tuple[Layout, ...]:
    """Make the view of the opened tables called `names`; return the layouts by its columns."""
    laid = tuple(replace(one, name=f"feature{place}") for place, one in enumerate(features))
    typed = "".join(f", NULL::{feature_column(one).type} AS {one.name}" for one in laid)
    nothing = f"SELECT ''::VARCHAR AS id, 0::BIGINT AS place, 0::BIGINT AS answered{typed}"
    parts = [_select(engine.tables[name], columns, features) for name in names]
    listed = " UNION ALL ".join(parts) or f"{nothing} WHERE false"
    engine.run(f"CREATE TEMP VIEW features AS {listed}")
    return laid


def make_baseline(engine: Engine, names: Sequence[str], features: Sequence[Layout]) -> set[str]:
    """Make the view ``baseline`` of the opened tables called `names`, with features' columns.

    Return the names of the features that each of the tables has. The view's id is a row's number.
    """
    parts = [
        f"SELECT {place} AS place, 0::BIGINT AS answered"
        f"{''.join(f', {each}' for each in _plain(engine.tables[name], features))} "
        f"FROM {identifier(name)}"
        for place, name in enumerate(names)
    ]
    engine.run(
        f"CREATE TEMP VIEW {BASELINE} AS SELECT CAST(row_number() OVER () AS VARCHAR) AS id, * "
        f"FROM ({' UNION ALL '.join(parts)})"
    )
    return {
        one.name
        for one in features
        if all(engine.tables[name].column(one.name) is not None for name in names)
    }


def are_coded(engine: Engine, names: Sequence[str]) -> bool:
    """Whether texts of the opened tables called `names` come with dictionaries: all are Parquet."""
    tables = [engine.tables[name] for name in names]
    return all(one.format is Format.PARQUET and not is_targets_log(one) for one in tables)


def feature_column(layout: Layout) -> Column:
    """The view's column of one layout."""
    return Column(name=layout.name, type="DOUBLE" if layout.number else "VARCHAR")


def _select(table: Table, columns: LogColumns, features: Sequence[Layout]) -> str:
    if is_targets_log(table):
        return _select_targets(table, features)
    listed = "".join(f", {each}" for each in _plain(table, features))
    return (
        f"SELECT {key_of(table, columns.id)} AS id, {place_of(columns.row, 0)} AS place, "
        f"{microseconds(table, columns.time)} AS answered{listed} FROM {identifier(table.name)}"
    )


def _plain(table: Table, features: Sequence[Layout]) -> Iterator[str]:
    for place, one in enumerate(features):
        column = table.column(one.name)
        if column is None:
            yield f"CAST(NULL AS {feature_column(one).type}) AS feature{place}"
        elif one.number:
            yield f"TRY_CAST({identifier(one.name)} AS DOUBLE) AS feature{place}"
        else:
            yield f"{as_text(column)} AS feature{place}"


def _select_targets(table: Table, features: Sequence[Layout]) -> str:
    """Each input is parsed once for all of its members."""
    shape = json.dumps({one.name: feature_column(one).type for one in features})
    parsed = f"json_transform(CASE WHEN json_valid(input) THEN input END, {literal(shape)})"
    listed = "".join(f", {_member(one)} AS feature{place}" for place, one in enumerate(features))
    return (
        "SELECT request_id AS id, CAST(row AS BIGINT) AS place, "
        f"{microseconds(table, 'time')} AS answered{listed} "
        f"FROM (SELECT *, {parsed if features else 'NULL'} AS parsed "
        f"FROM {identifier(table.name)} WHERE {ANSWERED})"
    )


def _member(layout: Layout) -> str:
    member = f"struct_extract(parsed, {literal(layout.name)})"
    # A category 1 may be written as 1.0.
    return member if layout.number else f"regexp_replace({member}, '^(-?[0-9]+)\\.0$', '\\1')"
