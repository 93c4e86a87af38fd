"""Join base and head rows by id, or by position where neither side has ids."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from assay.errors import InputError
from assay.tables.load import numbered_name
from assay.tables.predictions_columns import KEY_NAME, Side, canonical
from assay.tables.predictions_parts import ranges
from assay.tables.repeated_ids import average_repeats
from assay.tables.source import Engine
from assay.tables.sql import identifier, literal

EXAMPLES = 5
LONGEST_ID = 100
KEY = identifier(KEY_NAME)
BETWEEN = "chr(31)"
"""The unit separator, between a query and an item, or an id and a label."""
MOST_KEPT = 16_000_000
"""Rows of files in one order that are copied, so that queries need not read both files again."""
_FAR_APART = 0.05
"""In standard deviations of the head's labels."""


@dataclass(frozen=True, kw_only=True)
class Joined:
    """How many rows joined, and examples of those that did not."""

    rows: int
    base_only: int = 0
    head_only: int = 0
    base_only_examples: tuple[str, ...] = ()
    head_only_examples: tuple[str, ...] = ()
    by: str = "id"
    averaged: dict[str, int] = field(default_factory=dict)
    """How many ids of a side stood on several rows, which were averaged."""
    aligned: bool = False
    """Whether both files list the same ids in the same order."""
    ascending: bool = False
    """Whether they do so in strictly ascending order, which proves them unique."""

    @property
    def streamed(self) -> bool:
        """Whether the joined rows are read anew by every query, rather than kept."""
        return self.aligned and self.rows > MOST_KEPT


def join_keys(engine: Engine, base: Side, head: Side, *, average: bool = False) -> Joined:
    """Make the tables ``base keyed`` and ``head keyed``, with a unique ``assay key`` each.

    ``average``: numbers of rows with one id are averaged, such as the grades of several judges.
    Raises InputError for repeated and missing ids, for ids on one side only, for no common id,
    and for sides without ids that have different numbers of rows.
    """
    if (base.id is None) != (head.id is None):
        without, other = (base, head) if base.id is None else (head, base)
        name = other.id.name if other.id else ""
        raise InputError(
            f"there is no id column, while the other side has {name!r}.",
            where=without.table.where,
            remedy="Write the same ids into both files, or name the column (--id).",
        )
    for side, other in ((base, head), (head, base)):
        _keyed(engine, side, other)
    if base.id is None:
        return _by_position(base, head)
    equal, ascending = _same_order(engine, base, head)
    if ascending:
        return Joined(rows=base.table.rows, aligned=True, ascending=True)
    averaged = {}
    for side in (base, head):
        if average and (repeated := average_repeats(engine, side, KEY, keyed(side))):
            averaged[side.table.name] = repeated
        _check_ids(engine, side)
    if equal and not averaged:
        return Joined(rows=base.table.rows, aligned=True)
    return _counted(engine, base, head, averaged)


def _same_order(engine: Engine, base: Side, head: Side) -> tuple[bool, bool]:
    """Whether all ids are equal row by row, and whether they are strictly ascending as well."""
    if base.table.rows != head.table.rows or not engine.has_order:
        return False, False

    def in_range(part: range | None) -> tuple[bool, bool]:
        equal, ascending = (engine if part is None else engine.beside()).row(
            "SELECT count(base_key) = count(*) AND bool_and(base_key = head_key), "
            "bool_and(coalesce(head_key > before, true)) FROM (SELECT "
            f"{key_sql(base, head, 'b')} AS base_key, {key_sql(head, base, 'h')} AS head_key, "
            f"lag({key_sql(head, base, 'h')}) OVER () AS before "
            f"FROM {side_by_side(base, head, part)})"
        )
        return bool(equal), bool(equal and ascending)

    rows = base.table.rows
    if rows <= MOST_KEPT or not engine.has_numbers():
        return in_range(None)
    # Each range but the first begins with the row before it, whose id must be less.
    parts = [range(max(0, part.start - 1), part.stop) for part in ranges(rows)]
    with ThreadPoolExecutor(len(parts)) as pool:
        equal, ascending = zip(*pool.map(in_range, parts), strict=True)
    return all(equal), all(ascending)


def side_by_side(base: Side, head: Side, rows: range | None = None) -> str:
    """The rows of both files, or some ``rows`` of two Parquet files, paired by place as b and h."""
    if rows is None:
        return f"{base.alias} AS b POSITIONAL JOIN {head.alias} AS h"
    parts = [
        f"(SELECT * FROM {identifier(numbered_name(side.table.name))} "
        f"WHERE file_row_number BETWEEN {rows.start} AND {rows.stop - 1})"
        for side in (base, head)
    ]
    return f"{parts[0]} AS b POSITIONAL JOIN {parts[1]} AS h"


def key_sql(side: Side, other: Side, alias: str) -> str:
    """SQL for the value that joins a row of ``side``; ``alias`` is the side in the query."""
    if side.id is None:
        return "row_number() OVER ()"
    name = f"{alias}.{identifier(side.id.name)}"
    whole = all(each.id and each.id.kind == "integer" for each in (side, other))
    if whole and side.within is None and other.within is None:
        return name
    key = canonical(side.id, name, truth_as_number=False)
    if side.within is None:
        return key
    query = f"{alias}.{identifier(side.within.name)}"
    return f"{canonical(side.within, query, truth_as_number=False)} || {BETWEEN} || {key}"


def _keyed(engine: Engine, side: Side, other: Side) -> None:
    key = key_sql(side, other, side.alias)
    engine.run(
        f"CREATE TEMP TABLE {keyed(side)} AS SELECT *, {key} AS {KEY} FROM {side.alias}"
        if side.id is None
        else f"CREATE TEMP VIEW {keyed(side)} AS SELECT *, {key} AS {KEY} FROM {side.alias}"
    )


def keyed(side: Side) -> str:
    """The side's rows with their key, as a name in queries."""
    return identifier(f"{side.table.name} keyed")


def _check_ids(engine: Engine, side: Side) -> None:
    name = side.id.name if side.id else ""
    (missing,) = engine.row(f"SELECT count(*) FROM {keyed(side)} WHERE {KEY} IS NULL")
    if missing:
        raise InputError(
            f"the id column {name!r} is empty in {missing:,} of {side.table.rows:,} rows.",
            where=side.table.where,
            remedy="Give every row an id.",
        )
    repeated = engine.rows(
        f"SELECT CAST({KEY} AS VARCHAR) AS key, count(*) AS times, count(*) OVER () AS ids "
        f"FROM {keyed(side)} GROUP BY {KEY} HAVING count(*) > 1 ORDER BY key LIMIT {EXAMPLES}"
    )
    if repeated:
        shown = ", ".join(f"{key[:60]!r} ({times} times)" for key, times, _ in repeated)
        raise InputError(
            f"{repeated[0][2]:,} ids of the column {name!r} stand on several rows: {shown}.",
            where=side.table.where,
            remedy="Ids join base and head rows, so each must be unique. Where one patient or "
            "user has several rows, give each row its own id and name that column in "
            "columns.entity; where rows differ by the training's seed, name its column in "
            "columns.seed (--seed-column).",
        )


def _by_position(base: Side, head: Side) -> Joined:
    if base.table.rows != head.table.rows:
        raise InputError(
            f"neither side has an id column, and the base has {base.table.rows:,} rows where "
            f"the head has {head.table.rows:,}.",
            where=head.table.where,
            remedy="Write an id column (id or row_id) into both files, or name it (--id).",
        )
    return Joined(rows=base.table.rows, by="position")


def _counted(engine: Engine, base: Side, head: Side, averaged: dict[str, int]) -> Joined:
    (joined,) = engine.row(f"SELECT count(*) FROM {keyed(base)} JOIN {keyed(head)} USING ({KEY})")
    base_only, head_only = (_ids(engine, side, averaged) - joined for side in (base, head))
    base_examples = _lonely(engine, base, head) if base_only else ()
    head_examples = _lonely(engine, head, base) if head_only else ()
    if joined == 0:
        raise InputError(
            "base and head have no id in common: the base's look like "
            f"{base_examples[0][:60]!r}, the head's like {head_examples[0][:60]!r}.",
            where=head.table.where,
            remedy="Compare predictions on the same test rows.",
        )
    return Joined(
        rows=joined,
        base_only=base_only,
        head_only=head_only,
        base_only_examples=base_examples,
        head_only_examples=head_examples,
        averaged=averaged,
    )


def _ids(engine: Engine, side: Side, averaged: dict[str, int]) -> int:
    if side.table.name not in averaged:
        return side.table.rows
    (count,) = engine.row(f"SELECT count(*) FROM {keyed(side)}")
    return int(count)


def _lonely(engine: Engine, side: Side, other: Side) -> tuple[str, ...]:
    """The first ids that only ``side`` has."""
    rows = engine.rows(
        f"SELECT CAST({KEY} AS VARCHAR) FROM {keyed(side)} "
        f"ANTI JOIN {keyed(other)} USING ({KEY}) ORDER BY {KEY} LIMIT {EXAMPLES}"
    )
    return tuple(row[0][:LONGEST_ID] for row in rows)


def check_positions(engine: Engine, joined: Joined, head: Side, changed: int) -> None:
    """Raise InputError where rows were joined by position and labels disagree, or most disagree.

    ``changed`` is the number of rows that have another label on the other side: predictions of
    another target would look like bad ones.
    """
    if joined.by == "position" and changed:
        raise InputError(
            f"neither side has an id column, and {changed:,} of {joined.rows:,} rows at the "
            "same position have different labels.",
            where=head.table.where,
            remedy="Write an id column (id or row_id) into both files, or name it (--id).",
        )
    if 2 * changed > joined.rows:
        _refuse_another_target(engine, joined, head)


def _refuse_another_target(engine: Engine, joined: Joined, head: Side) -> None:
    """Raise InputError unless most labels that disagree are close, as rounded ones are."""
    (apart,) = engine.row(
        "SELECT count(*) FILTER (WHERE label_changed AND coalesce(label_gap > "
        f"{_FAR_APART} * (SELECT stddev_pop(label) FROM paired WHERE label_gap IS NOT NULL), "
        "true)) FROM paired"
    )
    if 2 * apart > joined.rows:
        raise InputError(
            f"{apart:,} of {joined.rows:,} joined rows have another label on the base: the two "
            "sides were not asked the same question.",
            where=head.table.where,
            remedy="Write the labels on both sides alike; where they were made anew, let the base "
            "predict again.",
        )


def value_table(values: list[str]) -> str:
    """A table of (value, code) rows, as a subquery."""
    if not values:
        return "(SELECT NULL AS value, NULL AS code WHERE false)"
    # One long text: thousands of VALUES take seconds to parse.
    separator = _separator(values)
    return (
        f"(SELECT unnest(string_split({literal(separator.join(values))}, {literal(separator)})) "
        f"AS value, unnest(range({len(values)})) AS code)"
    )


def _separator(values: list[str]) -> str:
    """A text that stands in none of the values, nor across the border to the next one."""
    joined = "".join(values)
    number = 0
    while (found := f"\x1f{number}\x1e") in joined:
        number += 1
    return found
