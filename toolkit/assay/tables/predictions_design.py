"""How the joined rows were drawn: their cluster, stratum and weight, where columns say so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.config import Columns
from assay.errors import InputError
from assay.tables.predictions_columns import Side, canonical, number
from assay.tables.predictions_join import EXAMPLES, keyed
from assay.tables.predictions_slices import Truth, in_order
from assay.tables.source import Column, Engine
from assay.tables.sql import identifier

ROLES = ("entity", "stratum", "weight")
_USUAL_ENTITIES = frozenset(
    {
        "account_id", "client_id", "customer_id", "device_id", "entity", "entity_id", "group_id",
        "household_id", "member_id", "participant_id", "patient", "patient_id", "person_id",
        "session_id", "store_id", "subject", "subject_id", "user", "user_id",
    }
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Columns that say how the rows were drawn, and what they amount to over all joined rows."""

    columns: dict[str, str]
    """Role to column: entity, stratum, weight."""
    clusters: int | None
    strata: int | None
    notes: tuple[str, ...]


def design_columns(names: Columns, base: Side, head: Side, truth: Truth) -> list[str]:
    """SQL that adds the columns entity, stratum and weight to ``paired``, where declared.

    Entities and strata are numbers from 0 in the order of their text. Raises InputError where a
    named column is on neither side or holds nested values.
    """
    selected = []
    for role, sides in _declared(names, base, head, truth):
        written = [_value(role, side, column) for side, column in sides]
        value = written[0]
        if role == "weight":
            selected.append(f"{value} AS weight")
        else:
            rank = f"dense_rank() OVER (ORDER BY {value}) - 1"
            selected.append(f"CASE WHEN {value} IS NOT NULL THEN {rank} END AS {role}")
        selected.append(f"{value} IS DISTINCT FROM {written[-1]} AS {role}_differs")
    return selected


def drawn(engine: Engine, names: Columns, base: Side, head: Side, truth: Truth) -> Drawn | None:
    """What the design's columns hold; None where none is declared.

    Raises InputError where a row has no entity, stratum or weight, where a weight is negative or
    infinite, where all are 0, and where an entity lies in several strata.
    """
    found = dict(_declared(names, base, head, truth))
    if not found:
        return None
    for role, sides in found.items():
        bad = f"{role} IS NULL"
        if role == "weight":
            bad += " OR NOT isfinite(weight) OR weight < 0"
        _refuse(engine, role, sides[0], bad)
    if "weight" in found:
        (total,) = engine.row("SELECT max(weight) FROM paired")
        if not total:
            raise _error(found["weight"][0], "all weights are 0", "Weigh at least some rows.")
    if "entity" in found and "stratum" in found:
        (several,) = engine.row(
            "SELECT count(*) FROM (SELECT entity FROM paired GROUP BY entity "
            "HAVING min(stratum) <> max(stratum))"
        )
        if several:
            raise _error(
                found["entity"][0],
                f"{several:,} entities lie in several strata",
                "Draw a stratum's entities whole, or leave out columns.stratum.",
            )
    return Drawn(
        columns={role: sides[0][1].name for role, sides in found.items()},
        clusters=_distinct(engine, "entity") if "entity" in found else None,
        strata=_distinct(engine, "stratum") if "stratum" in found else None,
        notes=tuple(_disagreements(engine, found, truth)),
    )


def likely_entity(engine: Engine, side: Side, other: Side) -> str | None:
    """A note where a column that usually names an entity repeats and none is declared."""
    for each in (side, other):
        for column in each.table.columns:
            named = column.name.lower() in _USUAL_ENTITIES and column.kind != "other"
            if not named or column.name in each.taken():
                continue
            name = identifier(column.name)
            distinct, rows = engine.row(
                f"SELECT count(DISTINCT {name}), count({name}) FROM {keyed(each)}"
            )
            if 1 < distinct < rows:
                return (
                    f"{column.name!r} has {distinct:,} values on {rows:,} rows: rows of one are "
                    "probably not independent, and intervals then too narrow. Set "
                    f"columns.entity: {column.name} (--entity) if so."
                )
    return None


Named = list[tuple[Side, Column]]


def _declared(names: Columns, base: Side, head: Side, truth: Truth) -> Iterator[tuple[str, Named]]:
    """Each declared role with its column on the sides that have it, the truth's first."""
    for role in ROLES:
        name = getattr(names, role)
        if name is None:
            continue
        sides = [
            (side, column)
            for side in in_order(base, head, truth)
            if (column := side.table.column(name)) is not None
        ]
        if not sides:
            listed = ", ".join(repr(c.name[:60]) for c in head.table.columns[:20])
            raise InputError(
                f"there is no column {name[:100]!r} (columns.{role}).",
                where=head.table.where,
                remedy=f"The file has: {listed}.",
            )
        if sides[0][1].kind == "other":
            raise _error(sides[0], f"it holds {sides[0][1].type} values", "Write one per row.")
        yield role, sides


def _value(role: str, side: Side, column: Column) -> str:
    name = f"{side.table.name[0]}.{identifier(column.name)}"
    if role == "weight":
        return number(column, name)
    return canonical(column, name, truth_as_number=False)


def _refuse(engine: Engine, role: str, named: tuple[Side, Column], bad: str) -> None:
    rows = engine.rows(
        f"SELECT CAST(id AS VARCHAR) AS name, count(*) OVER () FROM paired WHERE {bad} "
        f"ORDER BY name LIMIT {EXAMPLES}"
    )
    if rows:
        shown = ", ".join(repr(row[0][:60]) for row in rows)
        what = "no number from 0 up" if role == "weight" else "missing"
        raise _error(
            named,
            f"it is {what} in {rows[0][1]:,} joined rows (ids {shown})",
            "Give every row one.",
        )


def _distinct(engine: Engine, column: str) -> int:
    (count,) = engine.row(f"SELECT count(DISTINCT {column}) FROM paired")
    return int(count)


def _disagreements(engine: Engine, found: dict[str, Named], truth: Truth) -> Iterator[str]:
    for role, sides in found.items():
        (count,) = engine.row(f"SELECT count(*) FILTER (WHERE {role}_differs) FROM paired")
        if count:
            yield (
                f"{sides[0][1].name!r} differs between base and head in {count:,} rows; "
                f"the {truth}'s value is used."
            )


def _error(named: tuple[Side, Column], why: str, remedy: str) -> InputError:
    side, column = named
    return InputError(f"the column {column.name!r}: {why}.", where=side.table.where, remedy=remedy)
