"""Join base and head rows by id, or by position where neither side has ids."""

from __future__ import annotations

from dataclasses import dataclass, field

from assay.errors import InputError, Location
from assay.tables.predictions_columns import KEY_NAME, Side, canonical
from assay.tables.repeated_ids import average_repeats
from assay.tables.source import Engine
from assay.tables.sql import identifier, literal

EXAMPLES = 5
LONGEST_ID = 100
KEY = identifier(KEY_NAME)
BETWEEN = "chr(31)"
"""The unit separator, between a query and an item, or an id and a label."""
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
            where=_at(without),
            remedy="Write the same ids into both files, or name the column (--id).",
        )
    numbers = all(
        side.id and side.id.kind == "integer" and side.within is None for side in (base, head)
    )
    for side in (base, head):
        _keyed(engine, side, numbers=numbers)
    if base.id is None:
        return _by_position(base, head)
    averaged = {}
    for side in (base, head):
        if average and (repeated := average_repeats(engine, side, KEY, keyed(side))):
            averaged[side.table.name] = repeated
        _check_ids(engine, side)
    return _counted(engine, base, head, averaged)


def _keyed(engine: Engine, side: Side, *, numbers: bool) -> None:
    if side.id is None:
        key = "row_number() OVER ()"
    elif numbers:
        key = identifier(side.id.name)
    else:
        key = canonical(side.id, identifier(side.id.name), truth_as_number=False)
    if side.id is not None and side.within is not None:
        outer = canonical(side.within, identifier(side.within.name), truth_as_number=False)
        key = f"{outer} || {BETWEEN} || {key}"
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
            where=_at(side),
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
            where=_at(side),
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
            where=_at(head),
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
            where=_at(head),
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


def check_positions(engine: Engine, joined: Joined, head: Side) -> int:
    """Return how many joined rows have another label on the other side.

    Raises InputError where rows were joined by position and labels disagree, and where most
    labels disagree: predictions of another target would look like bad ones.
    """
    (changed,) = engine.row("SELECT count(*) FILTER (WHERE label_changed) FROM paired")
    if joined.by == "position" and changed:
        raise InputError(
            f"neither side has an id column, and {changed:,} of {joined.rows:,} rows at the "
            "same position have different labels.",
            where=_at(head),
            remedy="Write an id column (id or row_id) into both files, or name it (--id).",
        )
    if 2 * changed > joined.rows:
        _refuse_another_target(engine, joined, head)
    return int(changed or 0)


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
            where=_at(head),
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


def _at(side: Side) -> Location:
    return Location(file=side.table.path.as_posix())
