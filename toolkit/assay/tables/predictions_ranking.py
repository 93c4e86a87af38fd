"""Rankings: rows are items of a query, and the table ``paired`` gets one row per query.

Its columns, for each side: ``base_gains`` (the relevance expected at each rank), ``base_hits`` (the
chance that the item at each rank is relevant), and of the first group of equal scores that holds
a relevant item, ``base_above`` (items above it), ``base_tied`` (its items) and ``base_found`` (the
relevant ones). For both: ``ideal`` (relevance in falling order) and ``relevant`` (how many items
are). Where scores tie every order of the tied items is as likely, and the metrics are expected
values over those orders (McSherry and Najork 2008, ECIR, as scikit-learn's ndcg_score).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from assay.config import Columns
from assay.errors import InputError, Location
from assay.tables.predictions_columns import Side, canonical, existing
from assay.tables.predictions_groups import Group
from assay.tables.predictions_join import EXAMPLES, Joined
from assay.tables.predictions_slices import AND
from assay.tables.source import Column, Engine
from assay.tables.sql import identifier

_QUERIES = ("query_id", "query", "qid")
_ITEMS = ("item_id", "item", "doc_id", "document_id", "docid")
_RELEVANCE = ("relevance", "rel", "grade")


def ranking_side(side: Side, names: Columns) -> Side:
    """The side as a ranking reads it: ``within`` is the query, ``id`` the item in it.

    Its ``prediction`` is the score that the items are ordered by. Raises InputError where there is
    no query, or no score.
    """
    query = existing(side.table, names.query) if names.query else _usual(side, _QUERIES)
    if query is None:
        raise _lacking(side, "query", "--query")
    score = side.score if names.score or names.prediction is None else side.prediction
    score = score or side.prediction
    if score is None:
        raise _lacking(side, "score", "--score")
    return replace(
        side,
        within=query,
        id=side.id or _usual(side, _ITEMS),
        label=side.label or _usual(side, _RELEVANCE),
        prediction=score,
        score=None,
        scores={},
    )


def looks_ranked(side: Side) -> bool:
    """Whether the side has no label, but a query and a relevance by their usual names."""
    return side.label is None and bool(_usual(side, _QUERIES) and _usual(side, _RELEVANCE))


def _usual(side: Side, usual: tuple[str, ...]) -> Column | None:
    by_lower = {column.name.lower(): column for column in side.table.columns}
    return next((by_lower[name] for name in usual if name in by_lower), None)


def _lacking(side: Side, role: str, option: str) -> InputError:
    listed = ", ".join(repr(c.name[:60]) for c in side.table.columns[:20])
    return InputError(
        f"no {role} column was recognised, which the task ranking needs.",
        where=side.table.where,
        remedy=f"Name it under columns ({option}). The file has: {listed}.",
    )


def query_columns(base: Side, head: Side) -> list[str]:
    """The columns ``query`` and ``query_differs`` of a ranking's items; none for other tasks."""
    written = [
        canonical(side.within, f"{alias}.{identifier(side.within.name)}", truth_as_number=False)
        for side, alias in ((head, "h"), (base, "b"))
        if side.within is not None
    ]
    if not written:
        return []
    return [
        f"{written[0]} AS query",
        f"{written[0]} IS DISTINCT FROM {written[1]} AS query_differs",
    ]


def by_query(
    engine: Engine,
    joined: Joined,
    head: Side,
    groups: Sequence[Group],
    design: Mapping[str, str],
) -> list[str]:
    """Turn the items in ``paired`` into one row per query, and return notes about them.

    ``groups`` are the ways in which the rows are divided, ``design`` the roles and columns that
    say how they were drawn. Queries without a
    relevant item are left out: no order of their items is better than another. Raises InputError
    where sides have other items, a query is missing, relevance is negative, a slice divides a
    query, and no query is left.
    """
    where = head.table.where
    slices = [(g.key, AND.join(each.asked.column for each in g.columns)) for g in groups]
    slices += design.items()
    _refuse_other_items(joined, where)
    _refuse_rows(engine, where)
    _refuse_divided(engine, slices, where)
    engine.run("CREATE TEMP TABLE items AS SELECT * FROM paired")
    (kind,) = engine.row(
        "SELECT table_type FROM information_schema.tables WHERE table_name = 'paired'"
    )
    engine.run(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} paired")
    engine.run(_paired([key for key, _ in slices]))
    queries, items, alone = engine.row(
        "SELECT count(*), sum(items), count(*) FILTER (WHERE items = 1) FROM paired"
    )
    (every,) = engine.row("SELECT count(DISTINCT query) FROM items")
    if queries == 0:
        raise InputError(
            "no query has a relevant item (a label above 0).",
            where=where,
            remedy="Check the relevance column (--label).",
        )
    notes = [f"The unit is the query: {queries:,} queries with {items:,} items."]
    if every > queries:
        notes.append(f"{every - queries:,} queries have no relevant item and are left out.")
    if alone:
        notes.append(f"{alone:,} queries have one item, which nothing can rank: they count as 1.")
    return notes


def _refuse_other_items(joined: Joined, where: Location) -> None:
    alone = joined.base_only + joined.head_only
    if alone:
        examples = (*joined.base_only_examples, *joined.head_only_examples)[:EXAMPLES]
        shown = ", ".join(repr(example.replace("\x1f", " / ")[:60]) for example in examples)
        raise InputError(
            f"{alone:,} items (query / item) are on one side only: {shown}.",
            where=where,
            remedy="Both sides must score the same items: write what a side did not retrieve "
            "with a score below all others.",
        )


def _refuse_rows(engine: Engine, where: Location) -> None:
    for bad, what, remedy in (
        ("query IS NULL", "the query is missing", "Every item needs its query."),
        (
            "query_differs",
            "the query differs between base and head",
            "Write an item column (item_id) into both files, or name it (--id).",
        ),
        ("label < 0", "the relevance is negative", "Relevance is a number from 0 up."),
    ):
        rows = engine.rows(
            f"SELECT CAST(id AS VARCHAR) AS name, count(*) OVER () FROM paired WHERE {bad} "
            f"ORDER BY name LIMIT {EXAMPLES}"
        )
        if rows:
            shown = ", ".join(repr(row[0].replace("\x1f", " / ")[:60]) for row in rows)
            raise InputError(
                f"{what} in {rows[0][1]:,} joined rows ({shown}).", where=where, remedy=remedy
            )


def _refuse_divided(engine: Engine, slices: list[tuple[str, str]], where: Location) -> None:
    for key, name in slices:
        (divided,) = engine.row(
            f"SELECT count(*) FROM (SELECT query FROM paired GROUP BY query HAVING "
            f"count({key}) NOT IN (0, count(*)) OR min({key}) <> max({key}))"
        )
        if divided:
            raise InputError(
                f"{name[:100]!r} differs among the items of {divided:,} queries.",
                where=where,
                remedy="Slices and clusters of a ranking are of whole queries: name a column of "
                "the query.",
            )


_WHOLE = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"


def _ranked(side: str) -> str:
    """Each item's place, and what its group of equal scores holds."""
    tied = f"(PARTITION BY query, {side} ORDER BY label, id {_WHOLE})"
    return (
        f"{side}_ranked AS (SELECT query, "
        f"row_number() OVER (PARTITION BY query ORDER BY {side} DESC, id) AS place, "
        f"rank() OVER (PARTITION BY query ORDER BY {side} DESC) - 1 AS above, "
        f"count(*) OVER {tied} AS tied, avg(label) OVER {tied} AS gain, "
        f"count(*) FILTER (WHERE label > 0) OVER {tied} AS found FROM items)"
    )


def _of_side(side: str) -> str:
    first = "FILTER (WHERE found > 0)"
    return (
        f"{side}_lists AS (SELECT query, list(gain ORDER BY place) AS {side}_gains, "
        f"list(found / tied ORDER BY place) AS {side}_hits, min(above) {first} AS {side}_above, "
        f"arg_min(tied, place) {first} AS {side}_tied, "
        f"arg_min(found, place) {first} AS {side}_found FROM {side}_ranked GROUP BY query)"
    )


def _paired(keys: list[str]) -> str:
    sliced = "".join(f", min({key}) AS {key}" for key in keys)
    parts = [text for side in ("base", "head") for text in (_ranked(side), _of_side(side))]
    return (
        f"CREATE TEMP TABLE paired AS WITH {', '.join(parts)}, queries AS (SELECT query, "
        "list(label ORDER BY label DESC) AS ideal, count(*) AS items, "
        "count(*) FILTER (WHERE label > 0) AS relevant, bool_or(label_changed) AS label_changed"
        f"{sliced} FROM items GROUP BY query) "
        "SELECT query AS id, * EXCLUDE (query) FROM queries JOIN base_lists USING (query) "
        "JOIN head_lists USING (query) WHERE relevant > 0"
    )
