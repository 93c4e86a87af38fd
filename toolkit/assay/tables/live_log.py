"""Predictions that were logged in production, from many files, as one table that counts each once.

Files that cannot be read (half-written, another schema) are named and left out; the rest is read.
``answers`` has id (text, or whole numbers where all logs have them), place, answered (µs since
1970, UTC), version and predicted as text, score, and a column ``slice0``, ``slice1``, ... for each
that was asked for. It is a view, which takes no memory, where no prediction repeats, most rows are
used and reading them is cheap; else it is a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.tables.row_hashes import count_keys
from assay.tables.source import Engine, Table
from assay.tables.sql import identifier, literal

_TEXT = frozenset({"text"})
TARGETS_LOG = {
    "request_id": _TEXT,
    "row": frozenset({"integer"}),
    "version": _TEXT,
    "assigned": _TEXT,
    "mirrored": frozenset({"boolean"}),
    "time": frozenset({"time", "text", "integer", "float"}),
    "output": _TEXT,
}
"""The columns by which the delivery target's log (assay/predictions/1) is known; their kinds."""
_LONGEST = 3_660 * 86_400 * 1_000_000
"""A time so many µs, ten years, before the look is none that anything was answered at."""
ANSWERED = (
    "json_valid(output) AND NOT coalesce(mirrored, false) AND coalesce(assigned, version) = version"
)
"""Of the delivery target's log: callers were answered so, by the version that was to answer."""


@dataclass(frozen=True, kw_only=True)
class LogColumns:
    """What the columns of a log are called."""

    id: str
    row: str | None
    time: str
    version: str | None
    prediction: str
    score: str | None
    slices: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LogFacts:
    """What was read of the logs."""

    rows: int
    repeated: int
    """Rows that repeat a prediction: each counts once, the earliest."""
    unusable: int
    """Rows without an id, a place, or a time of the last ten years."""
    ahead: int
    """Rows dated later than the look, beyond what clocks differ by: not used yet."""
    last: int | None
    """When the newest prediction was answered, in µs."""
    strange: str | None = None
    """A value where a time should be, and is none."""


NOTHING = LogFacts(rows=0, repeated=0, unusable=0, ahead=0, last=None)
"""Where there is no file to read."""


def absent_columns(engine: Engine, names: Sequence[str], columns: Sequence[str]) -> frozenset[str]:
    """Those of the columns that no opened table of the log has; an input may have any member."""
    tables = [engine.tables[name] for name in names]
    if not tables or any(map(is_targets_log, tables)):
        return frozenset()
    return frozenset(columns) - {each.name for table in tables for each in table.columns}


def make_answers(
    engine: Engine, names: Sequence[str], columns: LogColumns, *, since: int, until: int
) -> LogFacts:
    """Make ``answers`` of the opened tables called `names`, for times in [since, until], in µs.

    Nothing is taken of more than ten years before `until`.

    The view ``dated`` is the same with the rows that are not used, which have no time there.
    """
    tables = [engine.tables[name] for name in names]
    whole = all(_is_whole(table, columns.id) for table in tables)
    parts = [_select(table, columns, whole=whole) for table in tables]
    union = " UNION ALL ".join(parts)
    engine.run(f"CREATE TEMP VIEW logged AS {union}")
    floor = until - _LONGEST
    begun = max(since, floor)
    usable = f"id IS NOT NULL AND place IS NOT NULL AND answered BETWEEN {begun} AND {until}"
    rows, unusable, ahead, last, kept = engine.row(
        f"SELECT count(*), count(CASE WHEN answered IS NULL OR answered < {floor} "
        f"OR (answered >= {since} AND (id IS NULL OR place IS NULL)) THEN 1 END), "
        f"count(CASE WHEN answered > {until} THEN 1 END), "
        f"max(CASE WHEN answered <= {until} THEN answered END), "
        f"count(CASE WHEN {usable} THEN 1 END) FROM logged"
    )
    engine.run(
        "CREATE TEMP VIEW dated AS SELECT * REPLACE "
        f"(CASE WHEN {usable} THEN answered END AS answered) FROM logged"
    )
    # What callers were answered is parsed out of JSON: once.
    parsed = any(map(is_targets_log, tables))
    kind = "TABLE" if parsed or 2 * kept < rows else "VIEW"
    engine.run(f"CREATE TEMP {kind} answers AS SELECT * FROM dated WHERE answered IS NOT NULL")
    once = count_keys(engine, "answers", int(kept))
    if kept != once:
        engine.run(
            "CREATE TEMP TABLE unique_answers AS SELECT * FROM answers "
            "QUALIFY row_number() OVER "
            "(PARTITION BY id, place ORDER BY answered, version, predicted) = 1"
        )
        engine.run(f"DROP {kind} answers")
        engine.run("ALTER TABLE unique_answers RENAME TO answers")
    return LogFacts(
        rows=int(rows),
        repeated=int(kept - once),
        unusable=int(unusable),
        ahead=int(ahead),
        last=None if last is None else int(last),
        strange=strange_time(engine, names, columns.time, floor=floor) if unusable else None,
    )


def strange_time(engine: Engine, names: Sequence[str], column: str, *, floor: int) -> str | None:
    """A value of the tables' time column that is no time, or one before `floor`, in µs."""
    for name in names:
        table = engine.tables[name]
        found = "time" if is_targets_log(table) else column
        at = microseconds(table, found)
        value = f"CAST({identifier(found)} AS VARCHAR)"
        rows = engine.rows(
            f"SELECT {value} FROM {identifier(name)} WHERE {identifier(found)} IS NOT NULL "
            f"AND coalesce({at} < {floor}, true) LIMIT 1"
        )
        if rows:
            return str(rows[0][0])
    return None


def make_no_answers(engine: Engine, columns: LogColumns) -> LogFacts:
    """Make an empty ``answers``, where no file is left to read."""
    sliced = "".join(f", slice{place} VARCHAR" for place in range(len(columns.slices)))
    engine.run(
        "CREATE TEMP TABLE answers (id VARCHAR, place BIGINT, answered BIGINT, version VARCHAR, "
        f"predicted VARCHAR, score DOUBLE{sliced})"
    )
    return NOTHING


def microseconds(table: Table, name: str) -> str:
    """SQL for a time as µs since 1970: a timestamp, text in ISO 8601, or a number.

    A number is of seconds, or, where it is too large for that, of the first of milli-, micro- and
    nanoseconds that puts it before the year 5138.
    """
    column, found = identifier(name), table.column(name)
    kind = found.kind if found else "text"
    if kind == "time":
        return f"epoch_us({column})"
    if kind in {"integer", "float"}:
        number = f"CAST({column} AS DOUBLE)"
        factor = (
            f"CASE WHEN abs({number}) < 1e11 THEN 1e6 WHEN abs({number}) < 1e14 THEN 1e3 "
            f"WHEN abs({number}) < 1e17 THEN 1 ELSE 1e-3 END"
        )
        return f"TRY_CAST({number} * {factor} AS BIGINT)"
    return f"epoch_us(TRY_CAST({column} AS TIMESTAMPTZ))"


def key_of(table: Table, name: str) -> str:
    """SQL for an id as text: 7 and, in a column of floats, 7.0 are one; what is no number is none.

    A column of whole numbers of which some are missing becomes one of floats in many hands.
    """
    column, found = identifier(name), table.column(name)
    if found is None or found.kind != "float":
        return f"CAST({column} AS VARCHAR)"
    return f"CASE WHEN isfinite(CAST({column} AS DOUBLE)) THEN {normal(column)} END"


def place_of(name: str | None, otherwise: int) -> str:
    """SQL for a prediction's place in its request; `otherwise` where no column says it."""
    return str(otherwise) if name is None else f"TRY_CAST({identifier(name)} AS BIGINT)"


def normal(value: str) -> str:
    """SQL for a class or number as text in which 1, 1.0, '1' and true are one value."""
    text = f"CAST({value} AS VARCHAR)"
    number = f"TRY_CAST({text} AS DOUBLE)"
    return (
        f"CASE lower({text}) WHEN 'true' THEN '1' WHEN 'false' THEN '0' ELSE "
        f"CASE WHEN {number} = trunc({number}) AND abs({number}) < 1e15 "
        f"THEN CAST(CAST({number} AS BIGINT) AS VARCHAR) ELSE {text} END END"
    )


def _normal(table: Table, name: str) -> str:
    """The same of a column: a whole number is written as it is."""
    column = table.column(name)
    whole = column is not None and column.kind == "integer"
    return f"CAST({identifier(name)} AS VARCHAR)" if whole else normal(identifier(name))


def is_targets_log(table: Table) -> bool:
    """Whether a table is the delivery target's log."""
    return {column.name for column in table.columns} >= TARGETS_LOG.keys()


def _is_whole(table: Table, name: str) -> bool:
    """Whether ids are whole numbers of at most 64 bits: compared as such in half of the time."""
    found = table.column(name)
    types = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT"}
    return not is_targets_log(table) and found is not None and found.type in types


def _select(table: Table, columns: LogColumns, *, whole: bool) -> str:
    if is_targets_log(table):
        return _select_targets(table, columns)
    present = {column.name for column in table.columns}
    version = columns.version if columns.version in present else None
    id_ = f"CAST({identifier(columns.id)} AS BIGINT)" if whole else key_of(table, columns.id)
    sliced = "".join(
        f", CAST({identifier(each) if each in present else 'NULL'} AS VARCHAR) AS slice{place}"
        for place, each in enumerate(columns.slices)
    )
    return (
        f"SELECT {id_} AS id, {place_of(columns.row, 0)} AS place, "
        f"{microseconds(table, columns.time)} AS answered, "
        f"{f'CAST({identifier(version)} AS VARCHAR)' if version else 'NULL'} AS version, "
        f"{_normal(table, columns.prediction)} AS predicted, "
        f"{f'TRY_CAST({identifier(columns.score)} AS DOUBLE)' if columns.score else 'NULL'} "
        f"AS score{sliced} FROM {identifier(table.name)}"
    )


def _select_targets(table: Table, columns: LogColumns) -> str:
    """What callers were answered, without mirrored answers and those that stood in for another."""
    predicted, score = answer_of(columns.prediction, columns.score)
    sliced = "".join(
        f", json_extract_string(input, {literal(f'$.{_quoted(each)}')}) AS slice{place}"
        for place, each in enumerate(columns.slices)
    )
    return (
        "SELECT request_id AS id, CAST(row AS BIGINT) AS place, "
        f"{microseconds(table, 'time')} AS answered, version, {predicted} AS predicted, "
        f"{score} AS score{sliced} FROM {identifier(table.name)} WHERE {ANSWERED}"
    )


def answer_of(prediction: str, score: str | None) -> tuple[str, str]:
    """SQL for what an `output` of the delivery target's log says, and for its probability.

    An output is one value, an object with these members, or a list of probabilities by class.
    """
    list_of = "CAST(output AS DOUBLE[])"
    predicted = (
        "CASE json_type(output) WHEN 'OBJECT' THEN "
        f"json_extract_string(output, {literal(f'$.{_quoted(prediction)}')}) "
        f"WHEN 'ARRAY' THEN CAST(list_position({list_of}, list_max({list_of})) - 1 AS VARCHAR) "
        "ELSE json_extract_string(output, '$') END"
    )
    member = ""
    if score:
        path = literal(f"$.{_quoted(score)}")
        member = f"WHEN 'OBJECT' THEN TRY_CAST(json_extract_string(output, {path}) AS DOUBLE) "
    return normal(predicted), (
        f"CASE json_type(output) {member}WHEN 'ARRAY' THEN CASE WHEN json_array_length(output) = 2 "
        f"THEN {list_of}[2] END END"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
