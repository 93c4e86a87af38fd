"""Counts of logged columns and of scores by window, and the file that keeps them without rows.

The file holds for each window one row of all predictions' features, and one for each version of
what it answered and of the labels that came. Its cells are those of one reference: under another
one nothing of it is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from assay.errors import InputError, IntegrityError, Location, OutsideError
from assay.tables.column_counts import ColumnCounts, Layout, aggregates, read_counts
from assay.tables.live_features import feature_column
from assay.tables.source import Column, Engine, open_tables
from assay.tables.sql import literal

KEPT = "kept"
"""The opened table that holds what was counted before, where there is one."""
_ALL = "features"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is counted: layouts by the columns of ``features`` and ``judged``."""

    key: str
    """Of the reference and of the windows' length."""
    features: tuple[Layout, ...]
    logged: tuple[str, ...]
    """The features' names in the log."""
    answers: tuple[Layout, ...]
    label: Layout | None
    score: Layout | None
    positive: str | None
    length: int

    def parts(self) -> Iterator[tuple[str, tuple[tuple[Layout, Column], ...]]]:
        """The layouts that share a count of rows, by its column, each with its source's column."""
        yield "feature_rows", tuple((one, feature_column(one)) for one in self.features)
        yield "answer_rows", tuple((one, _judged_column(one)) for one in self.answers)
        if self.label is not None:
            yield "label_rows", ((self.label, _judged_column(self.label)),)


@dataclass(frozen=True, kw_only=True)
class ScoredBin:
    """Predictions of one bin of the score, said positive and negative; and what was true of them.

    `total` is the sum of the scores. The right ones are among labelled predictions.
    """

    total: float
    positives: int
    negatives: int
    labelled_total: float
    labelled_positives: int
    labelled_negatives: int
    hits: int
    """Said positive, and so."""
    misses: int
    """Said negative, and positive."""


@dataclass(frozen=True, kw_only=True)
class WindowCounts:
    """One window, by the layouts' names; scores by bin, and the predictions without one."""

    columns: dict[str, ColumnCounts]
    scored: tuple[ScoredBin, ...] = ()
    unscored: int = 0


def kept_key(path: Path) -> str | None:
    """The key under which a file was counted; None where there is no such file.

    Raises IntegrityError where it is not what was written.
    """
    if not path.exists():
        return None
    try:
        with open_tables({KEPT: path}) as engine:
            keys = engine.rows(f"SELECT DISTINCT key FROM {KEPT} LIMIT 2")
            engine.row(f"SELECT bit_xor(hash(t)) FROM {KEPT} t")
    except (InputError, duckdb.BinderException) as error:
        why = error.message if isinstance(error, InputError) else "it has other columns."
        raise IntegrityError(
            f"this holds what was counted of earlier windows, and {why}",
            where=Location(file=path.as_posix()),
            remedy="Restore it, or remove it: then the logs of the last weeks are counted again.",
        ) from None
    return str(keys[0][0]) if len(keys) == 1 else None


def count_windows(engine: Engine, asked: Asked, *, since: int, end: int, oldest: int) -> None:
    """Make ``windows``: what is counted of [since, end), in µs, and what was kept before it.

    Windows before the number `oldest` are left out.
    """
    within = f"WHERE answered >= {since} AND answered < {end}"
    number, only = _windows_of(engine, asked.length, within)
    parts = dict(asked.parts())
    features = _listed("feature_rows", parts["feature_rows"])
    answers = _listed("answer_rows", parts["answer_rows"])
    labels = _listed("label_rows", parts.get("label_rows", ()), "label IS NOT NULL")
    scored = _scored(asked, within)
    engine.run(
        f"CREATE TEMP TABLE counted AS SELECT {number} AS number, {literal(_ALL)} AS part, "
        f"NULL::VARCHAR AS served, {features} FROM features {within} {only} "
        f"UNION ALL BY NAME SELECT * FROM (SELECT answered // {asked.length} AS number, "
        "'answers' AS part, "
        f"coalesce(version, '') AS served, {answers}, {labels} FROM judged {within} "
        f"GROUP BY number, served) LEFT JOIN ({scored}) USING (number, served)"
    )
    kept = ""
    if KEPT in engine.tables:
        first = since // asked.length
        kept = (
            f"UNION ALL BY NAME SELECT * FROM {KEPT} WHERE key = {literal(asked.key)} "
            f"AND number < {first} AND number >= {oldest}"
        )
    engine.run(
        f"CREATE TEMP TABLE windows AS SELECT *, {literal(asked.key)} AS key FROM counted "
        f"WHERE number >= {oldest} {kept}"
    )


def _windows_of(engine: Engine, length: int, within: str) -> tuple[str, str]:
    """SQL for the number of a prediction's window, and what groups by it.

    Counting a single window without groups takes less than half of the time.
    """
    number = f"answered // {length}"
    first, last = engine.row(f"SELECT min({number}), max({number}) FROM features {within}")
    if first is None or first != last:
        return number, "GROUP BY number"
    return f"{first}::BIGINT", ""


def write_windows(engine: Engine, aside: Path, path: Path) -> None:
    """Write ``windows`` by rename; `aside` is a path that the engine was opened to write."""
    (rows,) = engine.row("SELECT count(*) FROM windows")
    if rows == 0:
        return
    engine.run(
        "COPY (SELECT * FROM windows ORDER BY number, part, served) "
        f"TO {literal(aside.as_posix())} (FORMAT parquet, COMPRESSION zstd)"
    )
    try:
        aside.replace(path)
    except OSError as error:
        raise OutsideError(
            f"what was counted of windows cannot be written: {error.strerror}."
        ) from None


def first_windows(engine: Engine, version: str) -> dict[str, int]:
    """The first window with rows, by their column: of all predictions, a version's, its labels."""
    found = engine.row(
        "SELECT min(number) FILTER (feature_rows > 0), "
        f"min(number) FILTER (served = {literal(version)} AND answer_rows > 0), "
        f"min(number) FILTER (served = {literal(version)} AND label_rows > 0) FROM windows"
    )
    names = ("feature_rows", "answer_rows", "label_rows")
    return {name: int(at) for name, at in zip(names, found, strict=True) if at is not None}


def read_windows(
    engine: Engine, asked: Asked, *, numbers: Sequence[int], version: str
) -> dict[int, WindowCounts]:
    """What was counted of these windows: all predictions' features, and what a version answered."""
    parts = tuple(asked.parts())
    names = ["number", "part", "scored"]
    for rows, listed in parts:
        names += [rows, *(f"{one.name}_{at}" for one, c in listed for at in range(_width(one, c)))]
    found = engine.rows(
        f"SELECT {', '.join(names)} FROM windows WHERE number IN ({_list(numbers)}) "
        f"AND (part = {literal(_ALL)} OR served = {literal(version)})"
    )
    result: dict[int, WindowCounts] = {}
    for row in found:
        values = dict(zip(names, row, strict=True))
        before = result.get(int(values["number"]), WindowCounts(columns={}))
        bins = values["scored"] or []
        result[int(values["number"])] = WindowCounts(
            columns=before.columns | _columns(parts, values, whole=values["part"] == _ALL),
            scored=before.scored or tuple(_bin(one) for one in bins if one["bin"] >= 0),
            unscored=before.unscored + sum(one["n"] for one in bins if one["bin"] < 0),
        )
    return result


def _columns(
    parts: Sequence[tuple[str, tuple[tuple[Layout, Column], ...]]],
    values: Mapping[str, Any],
    *,
    whole: bool,
) -> dict[str, ColumnCounts]:
    found = {}
    for rows, listed in parts:
        if (rows == "feature_rows") is not whole or not values[rows]:
            continue
        for one, column in listed:
            own = [values[f"{one.name}_{at}"] for at in range(_width(one, column))]
            if own[0] is None:
                continue
            found[one.name] = read_counts(one, int(values[rows]), own)
    return found


def _bin(found: Mapping[str, Any]) -> ScoredBin:
    return ScoredBin(
        total=float(found["total"]),
        positives=int(found["said"]),
        negatives=int(found["n"] - found["said"]),
        labelled_total=float(found["labelled_total"] or 0),
        labelled_positives=int(found["labelled_said"]),
        labelled_negatives=int(found["labelled"] - found["labelled_said"]),
        hits=int(found["hits"]),
        misses=int(found["misses"]),
    )


def _listed(rows: str, part: Sequence[tuple[Layout, Column]], where: str = "") -> str:
    """The aggregates of one part, with the names that :func:`read_windows` reads."""
    only = f" FILTER (WHERE {where})" if where else ""
    found = [f"count(*){only} AS {rows}"]
    for one, column in part:
        found += [
            f"{sql}{only} AS {one.name}_{at}" for at, sql in enumerate(aggregates(one, column))
        ]
    return ", ".join(found)


def _width(layout: Layout, column: Column) -> int:
    return sum(1 for _ in aggregates(layout, column))


def _scored(asked: Asked, within: str) -> str:
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
        f"SELECT answered // {asked.length} AS number, coalesce(version, '') AS served, "
        "CASE WHEN score IS NULL OR NOT isfinite(score) OR predicted IS NULL THEN -1"
        f"{steps} ELSE {len(asked.score.edges)} END AS bin, count(*) AS n, "
        f"coalesce(sum(score), 0) AS total, count(*) FILTER (WHERE {said}) AS said, "
        "count(label) AS labelled, "
        f"count(*) FILTER (WHERE {said} AND label IS NOT NULL) AS labelled_said, "
        "sum(score) FILTER (label IS NOT NULL) AS labelled_total, "
        f"count(*) FILTER (WHERE {said} AND {true}) AS hits, "
        f"count(*) FILTER (WHERE NOT {said} AND {true}) AS misses "
        f"FROM judged {within} GROUP BY number, served, bin) GROUP BY number, served"
    )


def _judged_column(layout: Layout) -> Column:
    kind = "DOUBLE" if layout.number and layout.name == "score" else "VARCHAR"
    return Column(name=layout.name, type=kind)


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "NULL"
