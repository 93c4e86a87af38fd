"""The label ledger: every label that ever came, when it came, and which of them counts.

The ledger is a Parquet file with one row for each distinct (id, place, label, known): what a source
says again is no new entry, and what it takes back stays; ``seen`` is the first look that saw it.
The label that counts for a prediction is the one known last; two different ones known at the same
time contradict each other, and none counts until a later one settles it. ``place`` is −1 where
labels name no place in a request.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from assay.errors import InputError, IntegrityError, Location, OutsideError
from assay.tables.live_log import key_of, microseconds, normal, place_of, strange_time
from assay.tables.live_versions import is_known
from assay.tables.row_hashes import count_keys
from assay.tables.source import Engine, Table, open_tables
from assay.tables.sql import identifier, literal

LEDGER = "ledger"
"""The opened table that holds the ledger so far, where there is one."""
_EVERY_ROW = -1


@dataclass(frozen=True, kw_only=True)
class LabelColumns:
    """What the columns of the labels are called."""

    id: str
    row: str | None
    label: str
    time: str | None


@dataclass(frozen=True, kw_only=True)
class LabelFacts:
    """What has become of the labels."""

    known: int
    new: int
    corrected: int
    contradictory: int
    duplicates: int
    orphans: int
    ahead: int
    unusable: int
    strange: str | None
    """A value where the time should be at which a label became known, and is none."""
    last: int | None
    """When a label was last known, or first seen, in µs."""


def check_ledger(path: Path) -> None:
    """Raise IntegrityError where the ledger is not what was written."""
    try:
        with open_tables({LEDGER: path}) as engine:
            engine.row(f"SELECT bit_xor(hash(id, place, label, known, seen, met)) FROM {LEDGER}")
    except (InputError, duckdb.BinderException) as error:
        why = error.message if isinstance(error, InputError) else "it has other columns."
        raise IntegrityError(
            f"this is the label ledger, and {why}",
            where=Location(file=path.as_posix()),
            remedy="Restore it. Or remove it with state.json: then all logs and labels that are "
            "left are read again, and when each label came is lost.",
        ) from None


def make_labels(
    engine: Engine,
    names: Sequence[str],
    columns: LabelColumns,
    *,
    at: int,
    until: int,
) -> LabelFacts:
    """Make ``entries`` (the whole ledger) and ``truth`` (id, place, label, came), from ``answers``.

    Times are µs. `at` is now; labels known later than `until` wait for their time. Whether an id
    was ever that of a prediction is kept: old predictions are not read at each look.
    """
    rows, unusable, ahead, once = _make_arrived(engine, names, columns, until=until)
    _make_entries(engine, columns, at)
    _make_truth(engine)
    known, corrected, contradictory, orphans = engine.row(
        "SELECT count(*), count(*) FILTER (labels > 1 AND rivals = 1), "
        "count(*) FILTER (rivals > 1), count(*) FILTER (NOT met) FROM truth"
    )
    new, last = engine.row(
        f"SELECT count(*) FILTER (seen = {at}), max(coalesce(known, seen)) FROM entries"
    )
    return LabelFacts(
        known=int(known),
        new=int(new),
        corrected=int(corrected),
        contradictory=int(contradictory),
        duplicates=int(rows - unusable - ahead - once),
        orphans=int(orphans),
        ahead=int(ahead),
        unusable=int(unusable),
        strange=strange_time(engine, names, columns.time, floor=0)
        if unusable and columns.time
        else None,
        last=None if last is None else int(last),
    )


def _make_entries(engine: Engine, columns: LabelColumns, at: int) -> None:
    """Make ``entries``: the ledger so far, and what arrived that is not in it."""
    before = (
        f"SELECT id, place, label, known, seen, met FROM {LEDGER}"
        if LEDGER in engine.tables
        else "SELECT ''::VARCHAR AS id, 0::BIGINT AS place, ''::VARCHAR AS label, "
        "0::BIGINT AS known, 0::BIGINT AS seen, false AS met WHERE false"
    )
    engine.run(
        f"CREATE TEMP TABLE every_entry AS SELECT *, {_key(engine, 'id')} AS key FROM ({before} "
        "UNION ALL "
        f"SELECT id, place, label, known, {at} AS seen, false AS met FROM arrived a WHERE NOT "
        f"EXISTS (SELECT 1 FROM ({before}) b WHERE a.id = b.id AND a.place = b.place "
        "AND a.label = b.label AND a.known IS NOT DISTINCT FROM b.known))"
    )
    engine.run(
        "CREATE TEMP TABLE met AS SELECT id, place FROM answers a WHERE EXISTS ("
        f"SELECT 1 FROM every_entry e WHERE {_joined('a', 'e', columns)})"
    )
    engine.run(
        "CREATE TEMP TABLE entries AS SELECT id, place, label, known, seen, met OR EXISTS ("
        f"SELECT 1 FROM met a WHERE {_joined('a', 'e', columns)}) AS met FROM every_entry e"
    )
    for name in ("every_entry", "met", "arrived"):
        engine.run(f"DROP TABLE {name}")


def _make_truth(engine: Engine) -> None:
    """Make ``truth`` of ``entries``; mostly each prediction has one, which then is its truth."""
    dated = "SELECT *, coalesce(known, seen) AS came FROM entries"
    (rows,) = engine.row("SELECT count(*) FROM entries")
    if count_keys(engine, "entries", int(rows)) == rows:
        engine.run(
            "CREATE TEMP TABLE truth AS SELECT id, place, came, met, 1 AS labels, 1 AS rivals, "
            f"label, {_key(engine, 'id')} AS key FROM ({dated})"
        )
        return
    engine.run(
        f"CREATE TEMP TABLE truth AS WITH dated AS ({dated}), "
        "newest AS (SELECT id, place, max(came) AS latest, min(came) AS came, "
        "bool_or(met) AS met, count(DISTINCT label) AS labels FROM dated GROUP BY id, place) "
        "SELECT n.id, n.place, n.came, n.met, n.labels, count(DISTINCT d.label) AS rivals, "
        "CASE WHEN count(DISTINCT d.label) = 1 THEN any_value(d.label) END AS label, "
        f"{_key(engine, 'n.id')} AS key "
        "FROM newest n JOIN dated d ON d.id = n.id AND d.place = n.place AND d.came = n.latest "
        "GROUP BY ALL"
    )


def is_table(engine: Engine) -> bool:
    """Whether ``answers`` is a table rather than a view of the logs."""
    found = engine.rows("SELECT 1 FROM duckdb_tables() WHERE table_name = 'answers'")
    return bool(found)


def make_judged(engine: Engine, columns: LabelColumns | None, known: Collection[str] = ()) -> None:
    """Make ``judged``: every answer with its label and when that came; both NULL without one.

    `known` are the versions that are judged; none: all of them. A table has no ids, and takes the
    place of ``answers`` in memory.
    """
    held = is_table(engine)
    source = "answers" if held else "dated"
    if columns is None and held:
        engine.run(
            "CREATE TEMP VIEW judged AS SELECT *, NULL::VARCHAR AS label, NULL::BIGINT AS came "
            f"FROM answers WHERE {is_known(known)}"
        )
        return
    version = _one_version(engine, source)
    # What is not used is deleted, not filtered: of a filter the engine expects to leave so little
    # that it would hold the log in memory to look labels up in it, rather than the labels.
    listed = (
        f"SELECT a.* EXCLUDE (id, place{', version' if version else ''}) "
        f"REPLACE (CASE WHEN {is_known(known)} THEN answered END AS answered)"
    )
    if columns is None:
        rows, more = f"{listed} FROM dated a", ", NULL::VARCHAR AS label, NULL::BIGINT AS came"
    else:
        more = ""
        rows = (
            f"{listed}, t.label, t.came FROM {source} a LEFT JOIN truth t "
            f"ON {_joined('a', 't', columns)} AND t.label IS NOT NULL"
        )
    engine.run(f"CREATE TEMP TABLE judged_rows AS {rows}")
    engine.run("DELETE FROM judged_rows WHERE answered IS NULL")
    engine.run(f"DROP {'TABLE' if held else 'VIEW'} answers")
    if version:
        more += f", {version}::VARCHAR AS version"
    engine.run(f"CREATE TEMP VIEW judged AS SELECT *{more} FROM judged_rows")


def _one_version(engine: Engine, source: str) -> str | None:
    """SQL for the version of all rows, which is not held for each of them; None: they differ."""
    low, high, named, rows = engine.row(
        f"SELECT min(version), max(version), count(version), count(*) FROM {source}"
    )
    return literal(low) if low == high and named in {0, rows} else None


def write_ledger(engine: Engine, aside: Path) -> bool:
    """Write ``entries`` to `aside`, and drop them; False, and no file, where there is none."""
    (rows,) = engine.row("SELECT count(*) FROM entries")
    if rows:
        engine.run(
            "COPY (SELECT * FROM entries ORDER BY seen, id, place, known, label) "
            f"TO {literal(aside.as_posix())} (FORMAT parquet, COMPRESSION zstd)"
        )
    engine.run("DROP TABLE entries")
    return bool(rows)


def keep_ledger(aside: Path, ledger: Path) -> None:
    """Put what was written aside in the ledger's place."""
    try:
        with aside.open("rb") as stream:
            os.fsync(stream.fileno())
        aside.replace(ledger)
    except OSError as error:
        raise OutsideError(f"the label ledger cannot be written: {error.strerror}.") from None


def _make_arrived(
    engine: Engine, names: Sequence[str], columns: LabelColumns, *, until: int
) -> tuple[int, int, int, int]:
    """Make ``arrived`` of the sources; rows, unusable, ahead of the clock, and distinct ones."""
    parts = []
    for name in names:
        table = engine.tables[name]
        known = microseconds(table, columns.time) if columns.time else "NULL::BIGINT"
        parts.append(
            f"SELECT {key_of(table, columns.id)} AS id, "
            f"{place_of(columns.row, _EVERY_ROW)} AS place, "
            f"{_label(table, columns.label)} AS label, {known} AS known FROM {identifier(name)}"
        )
    source = " UNION ALL ".join(parts) or (
        "SELECT ''::VARCHAR AS id, 0::BIGINT AS place, ''::VARCHAR AS label, 0::BIGINT AS known "
        "WHERE false"
    )
    unusable = "id IS NULL OR place IS NULL OR label IS NULL"
    if columns.time:
        unusable += " OR known IS NULL"
    engine.run(f"CREATE TEMP VIEW labelled AS {source}")
    engine.run(
        f"CREATE TEMP TABLE arrived AS SELECT DISTINCT id, place, label, known FROM labelled "
        f"WHERE NOT ({unusable}) AND (known IS NULL OR known <= {until})"
    )
    rows, lost, ahead = engine.row(
        f"SELECT count(*), count(*) FILTER ({unusable}), "
        f"count(*) FILTER (NOT ({unusable}) AND known > {until}) FROM labelled"
    )
    (once,) = engine.row("SELECT count(*) FROM arrived")
    return int(rows), int(lost), int(ahead), int(once)


def _label(table: Table, name: str) -> str:
    """SQL for a label as text; NaN, and its name, is none."""
    label, found = identifier(name), table.column(name)
    if found is None or found.kind not in {"float", "text"}:
        return normal(label)
    missing = f"coalesce(isnan(TRY_CAST({label} AS DOUBLE)), false)"
    return f"CASE WHEN NOT {missing} THEN {normal(label)} END"


def _key(engine: Engine, id_: str) -> str:
    """SQL for what is compared with the ids of ``answers``: a label's id, or its whole number."""
    if ("id", "BIGINT") not in [row[:2] for row in engine.rows("DESCRIBE answers")]:
        return id_
    # Of the text 007 no number is the id.
    number = f"TRY_CAST({id_} AS BIGINT)"
    return f"CASE WHEN CAST({number} AS VARCHAR) = {id_} THEN {number} END"


def _joined(answers: str, truth: str, columns: LabelColumns) -> str:
    by_row = f" AND {answers}.place = {truth}.place" if columns.row else ""
    return f"{answers}.id = {truth}.key{by_row}"
