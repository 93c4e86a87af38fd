"""Draw rows worth labelling out of logged predictions: mistakes, doubts, and some of the others.

Rows are drawn from each stratum without replacement, every row with the same chance, so a row's
weight is the stratum's rows over those drawn (Horvitz and Thompson, 1952): weighted sums over the
sample estimate those over the log. The draw is a function of ids and seed alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from assay.errors import InputError
from assay.tables.live_log import normal
from assay.tables.source import Column, Engine
from assay.tables.sql import identifier, literal

MISTAKE, DOUBT, OTHER = "mistake", "low-confidence", "other"
ADDED = ("stratum", "weight")


@dataclass(frozen=True, kw_only=True)
class Draw:
    """Which columns say what, and how many rows of each stratum are wanted.

    ``band``: a row without label whose score is so near to one half is a doubt.
    """

    id: str
    prediction: str
    label: str
    score: str | None = None
    band: float = 0.1
    mistakes: int = 500
    doubts: int = 500
    others: int = 100
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """How many rows a stratum has, and how many were drawn."""

    name: str
    rows: int
    drawn: int


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The rows that were drawn, by column name; ordered by stratum and draw."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    strata: tuple[Stratum, ...]


def draw(engine: Engine, wanted: Draw) -> Sample:
    """Draw from the tables ``predictions`` and ``labels``, which are joined by id.

    Raises InputError for a column that is missing, or an id that stands twice in a file.
    """
    predictions, labels = engine.tables["predictions"], engine.tables["labels"]
    known = _column(engine, "predictions", wanted.prediction)
    true = _column(engine, "labels", wanted.label)
    key = _key("p", _column(engine, "predictions", wanted.id))
    known_as = _key("l", _column(engine, "labels", wanted.id))
    for name in ("predictions", "labels"):
        _refuse_repeats(engine, name, wanted.id)
    kept = [one.name for one in predictions.columns if one.name not in (*ADDED, wanted.label)]
    score = "NULL"
    if wanted.score is not None:
        _column(engine, "predictions", wanted.score)
        score = f"p.{identifier(wanted.score)}"
    label = f"l.{identifier(wanted.label)}"
    shown = ", ".join(f"p.{identifier(name)}" for name in kept)
    engine.run(f"""
        CREATE OR REPLACE TEMP TABLE feedback AS
        SELECT {shown}, {label} AS {identifier(wanted.label)}, CASE
            WHEN {label} IS NOT NULL AND {_differ(known, true)} THEN {literal(MISTAKE)}
            WHEN {label} IS NOT NULL THEN NULL
            WHEN abs(CAST({score} AS DOUBLE) - 0.5) <= {wanted.band:.17g} THEN {literal(DOUBT)}
            ELSE {literal(OTHER)} END AS stratum,
            md5({literal(f"{wanted.seed}:")} || {key}) AS place, {key} AS name
        FROM {predictions.name} p LEFT JOIN {labels.name} l
        ON {key} = {known_as}""")
    columns = (*kept, wanted.label, *ADDED)
    return _sample(engine, wanted, columns)


def _sample(engine: Engine, wanted: Draw, columns: tuple[str, ...]) -> Sample:
    most = {MISTAKE: wanted.mistakes, DOUBT: wanted.doubts, OTHER: wanted.others}
    found = dict(
        engine.rows("SELECT stratum, count(*) FROM feedback WHERE stratum IS NOT NULL GROUP BY 1")
    )
    strata = tuple(
        Stratum(name=name, rows=found.get(name, 0), drawn=min(found.get(name, 0), number))
        for name, number in most.items()
    )
    plain = ", ".join(identifier(name) for name in columns if name not in ADDED)
    rows: list[tuple[Any, ...]] = []
    for one in strata:
        if not one.drawn:
            continue
        taken = engine.rows(
            f"SELECT {plain} FROM feedback WHERE stratum = {literal(one.name)} "
            f"ORDER BY place, name LIMIT {one.drawn}"
        )
        rows += [(*row, one.name, one.rows / one.drawn) for row in taken]
    return Sample(columns=columns, rows=tuple(rows), strata=strata)


def _key(side: str, id_: Column) -> str:
    """An id as text: 7 and, in a column of floats, 7.0 are one."""
    value = f"{side}.{identifier(id_.name)}"
    return normal(value) if id_.kind == "float" else f"CAST({value} AS VARCHAR)"


def _differ(known: Column, true: Column) -> str:
    """Whether an answer is another than the label: 1, 1.0, '1' and true are one class."""
    left, right = f"p.{identifier(known.name)}", f"l.{identifier(true.name)}"
    return f"{normal(left)} IS DISTINCT FROM {normal(right)}"


def _column(engine: Engine, table: str, name: str) -> Column:
    found = engine.tables[table].column(name)
    if found is None:
        raise InputError(
            f"there is no column {name[:80]!r}.",
            where=engine.tables[table].where,
            remedy=f"It has {', '.join(one.name for one in engine.tables[table].columns)[:300]}.",
        )
    return found


def _refuse_repeats(engine: Engine, table: str, name: str) -> None:
    column = identifier(name)
    twice = engine.rows(
        f"SELECT CAST({column} AS VARCHAR) FROM {engine.tables[table].name} "
        f"GROUP BY {column} HAVING count(*) > 1 ORDER BY 1 LIMIT 1"
    )
    if twice:
        raise InputError(
            f"the id {str(twice[0][0])[:80]!r} stands there twice.",
            where=engine.tables[table].where,
            remedy="Keep one row for each id: the newest label, say.",
        )
