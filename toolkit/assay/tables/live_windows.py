"""Count the windows of a log: its features in one scan, and what was answered in another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from assay.tables.column_counts import Layout, Scan, aggregates
from assay.tables.live_columns import ALL, KEPT, OF_WINDOW, Asked
from assay.tables.live_counts import keys_of
from assay.tables.live_new_values import name_new_values
from assay.tables.source import Column, Engine
from assay.tables.sql import literal

_Part = Sequence[tuple[Layout, Column]]


def count_windows(engine: Engine, asked: Asked, *, since: int, end: int, oldest: int) -> None:
    """Make ``windows``: what is counted of [since, end), in µs, and what was kept before it.

    Reads ``features`` and ``judged``. Windows before the number `oldest` are left out.
    """
    within = f"WHERE answered >= {since} AND answered < {end}"
    _count_features(engine, asked, within)
    _count_answers(engine, asked, within)
    kept = ""
    if KEPT in engine.tables:
        first = since // asked.length
        kept = (
            f"UNION ALL BY NAME SELECT * FROM {KEPT} WHERE key = {literal(asked.key)} "
            f"AND number >= {oldest} AND (number < {first} "
            "OR number NOT IN (SELECT number FROM counted_features))"
        )
    counted = (
        f"SELECT *, {literal(ALL)} AS part, NULL::VARCHAR AS served FROM counted_features "
        "UNION ALL BY NAME SELECT *, 'answers' AS part FROM counted_answers"
    )
    engine.run(
        f"CREATE TEMP TABLE windows AS SELECT *, {literal(asked.key)} AS key FROM ({counted}) "
        f"WHERE number >= {oldest} {kept}"
    )


def _count_features(engine: Engine, asked: Asked, within: str) -> None:
    """Make ``counted_features``: a row for each window.

    Numbers are taken for finite, which saves a look at each. A column whose mean is not finite had
    some that are not, and is counted again without them.
    """
    listed = dict(asked.parts())["feature_rows"]
    by = {"number": f"answered // {asked.length}"}
    keys, grouped = keys_of(engine, "features", by, within)
    scan = replace(OF_WINDOW, coded=asked.coded)

    def count(table: str, part: _Part, scan: Scan) -> None:
        counts = ", ".join([keys, "count(*) AS feature_rows", *_listed(part, scan)])
        engine.run(f"CREATE TEMP TABLE {table} AS SELECT {counts} FROM features {within} {grouped}")

    numbers = [each for each in listed if each[0].number]
    texts = [each for each in listed if not each[0].number]
    apart = asked.coded and bool(texts)
    count("counted_features", numbers if apart else listed, replace(scan, finite=True))
    again = _not_finite(engine, [one for one, _ in numbers])
    if again:
        part = [each for each in numbers if each[0].name in again]
        count("counted_again", part, scan)
        names = [f"{one.name}_{at}" for one, _ in part for at in range(len(one.edges) + 2)]
        replaced = ", ".join(f"a.{name} AS {name}" for name in names)
        _change(engine, f"f.* REPLACE ({replaced})", "counted_again")
    if apart:
        # In one scan with numbers they take twice the time, and gigabytes.
        count("counted_texts", texts, scan)
        _change(engine, "f.*, a.* EXCLUDE (number, feature_rows)", "counted_texts")
    name_new_values(
        engine,
        "counted_features",
        "features",
        texts,
        keys=by,
        within=within,
        share=asked.unseen,
    )


def _change(engine: Engine, selected: str, other: str) -> None:
    """Select ``counted_features``, called f, and another table of the same windows, called a."""
    engine.run(
        f"CREATE OR REPLACE TEMP TABLE counted_features AS SELECT {selected} "
        f"FROM counted_features f JOIN {other} a ON f.number = a.number"
    )


def _not_finite(engine: Engine, numbers: Sequence[Layout]) -> set[str]:
    """The columns with a mean that is not finite in some window of ``counted_features``."""
    if not numbers:
        return set()
    means = ", ".join(f"{one.name}_{len(one.edges) + 1}" for one in numbers)
    found = engine.rows(f"SELECT {means} FROM counted_features")
    return {
        one.name
        for row in found
        for one, mean in zip(numbers, row, strict=True)
        if mean is not None and not math.isfinite(mean)
    }


def _count_answers(engine: Engine, asked: Asked, within: str) -> None:
    """Make ``counted_answers``: a row for each window and version."""
    parts = dict(asked.parts())
    by = {"number": f"answered // {asked.length}", "served": "coalesce(version, '')"}
    keys, grouped = keys_of(engine, "judged", by, within)
    # No label is NULL, which nothing counts.
    counts = ", ".join(
        [
            "count(*) AS answer_rows",
            *_listed(parts["answer_rows"], OF_WINDOW),
            "count(label) AS label_rows",
            *_listed(parts.get("label_rows", ()), OF_WINDOW),
        ]
    )
    scored = _scored(asked, within, keys, grouped)
    engine.run(
        f"CREATE TEMP TABLE counted_answers AS SELECT * FROM (SELECT {keys}, {counts} "
        f"FROM judged {within} {grouped}) LEFT JOIN ({scored}) USING (number, served)"
    )
    name_new_values(
        engine,
        "counted_answers",
        "judged",
        [*parts["answer_rows"], *parts.get("label_rows", ())],
        keys=by,
        within=within,
        share=asked.unseen,
    )


def _listed(part: _Part, scan: Scan) -> list[str]:
    """The aggregates of one part, with the names that ``live_columns.read_windows`` reads."""
    return [
        f"{sql} AS {one.name}_{at}"
        for one, column in part
        for at, sql in enumerate(aggregates(one, column, scan))
    ]


def _scored(asked: Asked, within: str, keys: str, grouped: str) -> str:
    """SQL for a list of counts by bin of the score; -1 is the bin of those without one."""
    if asked.score is None or asked.positive is None:
        return (
            "SELECT NULL::BIGINT AS number, NULL::VARCHAR AS served, NULL::STRUCT(bin INTEGER)[] "
            "AS scored WHERE false"
        )
    steps = "".join(
        f" WHEN score <= {literal(edge)} THEN {place}"
        for place, edge in enumerate(asked.score.edges)
    )
    said, true = (f"{name} = {literal(asked.positive)}" for name in ("predicted", "label"))
    return (
        "SELECT number, served, list({'bin': bin, 'n': n, 'total': total, 'said': said, "
        "'labelled': labelled, 'labelled_said': labelled_said, 'labelled_total': labelled_total, "
        "'hits': hits, 'misses': misses} ORDER BY bin) AS scored FROM ("
        f"SELECT {keys}, "
        "CASE WHEN score IS NULL OR NOT isfinite(score) OR predicted IS NULL THEN -1"
        f"{steps} ELSE {len(asked.score.edges)} END AS bin, count(*) AS n, "
        f"coalesce(sum(score), 0) AS total, {_number_of(said)} AS said, "
        "count(label) AS labelled, "
        f"{_number_of(f'{said} AND label IS NOT NULL')} AS labelled_said, "
        "sum(CASE WHEN label IS NOT NULL THEN score END) AS labelled_total, "
        f"{_number_of(f'{said} AND {true}')} AS hits, "
        f"{_number_of(f'NOT {said} AND {true}')} AS misses "
        f"FROM judged {within} {grouped or 'GROUP BY'}{', ' if grouped else ' '}bin) "
        "GROUP BY number, served"
    )


def _number_of(condition: str) -> str:
    """SQL for the number of rows; a FILTER takes several times as long."""
    return f"count(CASE WHEN {condition} THEN 1 END)"
