"""Copy the newest rows of a database's table into a Parquet file, which is queried like any other.

SQLAlchemy reads (SQLite with Python alone, PostgreSQL by psycopg), in one read-only transaction and
a few thousand rows at a time; the embedded engine writes the file. Credentials are the driver's
matter: for PostgreSQL PGPASSWORD, PGPASSFILE or PGSERVICE.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import URL, Connection, types
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.expression import ColumnClause

from assay.errors import InputError, Location, OutsideError
from assay.tables.source import connected, scratch_folder
from assay.tables.sql import identifier, literal

_ROWS = 5_000
_NULL = "\\N"
_SECONDS = 15
_STATEMENT_SECONDS = 600
_REMEDY = (
    "Check the address, the network and the credentials. Nothing is lost: the next look reads on "
    "from the last one."
)


@dataclass(frozen=True, kw_only=True)
class DatabaseTable:
    """A table or view, ``name`` or ``schema.name``, at SQLAlchemy's address of a database."""

    address: str
    table: str
    setting: str
    """The setting that names it, for messages."""


def export_rows(
    wanted: DatabaseTable, *, root: Path, since: tuple[str, int] | None, to: Path
) -> bool:
    """Write the rows into the Parquet file `to`, by rename; False, and no file, without a row.

    `since` is a time column, and from when on rows are wanted, in µs since 1970; rows without a
    time come too. A relative SQLite file is relative to `root`. Raises InputError for an address or
    a table that cannot be, and OutsideError where the database fails.
    """
    url = _url(wanted, root)
    to.parent.mkdir(parents=True, exist_ok=True)
    with _translated(wanted), scratch_folder() as scratch:
        engine = sqlalchemy.create_engine(url, **_options(url))
        try:
            with engine.connect() as connection:
                kinds = _columns(connection, wanted)
                rows = _select(connection, wanted, kinds, since)
                text = scratch / "rows.csv"
                if not _write(text, rows):
                    to.unlink(missing_ok=True)
                    return False
        finally:
            engine.dispose()
        _convert(text, kinds, to, scratch)
    return True


def _url(wanted: DatabaseTable, root: Path) -> URL:
    try:
        url = make_url(wanted.address)
    except ArgumentError:
        raise InputError(
            f"{wanted.setting}: this is no address of a database.",
            remedy="Write sqlite:///FILE or postgresql://HOST/DATABASE.",
        ) from None
    if url.get_backend_name() == "sqlite":
        path = root / (url.database or "")
        if not path.is_file():
            raise InputError(
                f"{wanted.setting}: there is no such SQLite file.",
                where=Location(file=path.as_posix()),
            )
        return url.set(database=f"file:{path.as_posix()}", query={"mode": "ro", "uri": "true"})
    return url.set(drivername="postgresql+psycopg")


def _options(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"poolclass": NullPool, "connect_args": {"timeout": _SECONDS}}
    limits = f"-c statement_timeout={_STATEMENT_SECONDS * 1000}"
    return {
        "poolclass": NullPool,
        "connect_args": {"connect_timeout": _SECONDS, "options": limits},
        "execution_options": {"postgresql_readonly": True},
    }


def _columns(connection: Connection, wanted: DatabaseTable) -> dict[str, str]:
    """The readable columns, and DuckDB's type of each."""
    schema, _, name = wanted.table.rpartition(".")
    try:
        found = sqlalchemy.inspect(connection).get_columns(name, schema=schema or None)
    except NoSuchTableError:
        raise InputError(
            f"{wanted.setting}: the database has no table {wanted.table[:80]!r}.",
            remedy="Name a table or a view that this user may read, as NAME or SCHEMA.NAME.",
        ) from None
    kinds = {str(column["name"]): _kind(column["type"]) for column in found}
    return {name: kind for name, kind in kinds.items() if kind}


def _kind(found: Any) -> str:
    """DuckDB's type for a column; empty for what holds no value to compare."""
    pairs: tuple[tuple[type[Any], str], ...] = (
        (types.LargeBinary, ""),
        (types.Boolean, "BOOLEAN"),
        (types.Integer, "BIGINT"),
        (types.Numeric, "DOUBLE"),
        (types.Float, "DOUBLE"),
        # SQLite keeps times as text or as numbers; text is read as either.
        (types.DateTime, "TIMESTAMP"),
        (types.Date, "DATE"),
    )
    return next((kind for one, kind in pairs if isinstance(found, one)), "VARCHAR")


def _select(
    connection: Connection,
    wanted: DatabaseTable,
    kinds: Mapping[str, str],
    since: tuple[str, int] | None,
) -> Iterable[Sequence[Any]]:
    schema, _, name = wanted.table.rpartition(".")
    columns: list[ColumnClause[Any]] = [sqlalchemy.column(each) for each in kinds]
    asked = sqlalchemy.select(*columns).select_from(
        sqlalchemy.table(name, *columns, schema=schema or None)
    )
    if since is not None and since[0] in kinds:
        column: ColumnElement[Any] = sqlalchemy.column(since[0])
        newer = _newer(connection.dialect.name, column, kinds[since[0]], since[1])
        asked = asked.where(newer | column.is_(None))
    return connection.execution_options(yield_per=_ROWS).execute(asked)


def _newer(dialect: str, column: ColumnElement[Any], kind: str, since: int) -> ColumnElement[bool]:
    """Whether a time is not before `since`; of text, not before the day before it."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=since)
    day = (at - timedelta(days=1)).date().isoformat() if since else ""
    if dialect == "sqlite":
        is_text = sqlalchemy.func.typeof(column) == "text"
        return sqlalchemy.case((is_text, column >= day), else_=column >= since / 1e6)
    if kind == "TIMESTAMP":
        return column >= at
    if kind in {"BIGINT", "DOUBLE"}:
        return column >= since / 1e6
    return column >= (at.date() if kind == "DATE" else day)


def _write(path: Path, rows: Iterable[Sequence[Any]]) -> int:
    count = 0
    with path.open("w", newline="", encoding="utf-8") as stream:
        out = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for row in rows:
            out.writerow([_plain(value) for value in row])
            count += 1
    return count


def _plain(value: Any) -> Any:
    """A value as text that DuckDB reads back; times in UTC."""
    if value is None:
        return _NULL
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).replace(tzinfo=None).isoformat()
    if isinstance(value, bool | date | Decimal | int | float | str):
        return value
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _convert(text: Path, kinds: Mapping[str, str], to: Path, scratch: Path) -> None:
    """CSV to Parquet; what does not have its column's type is missing, and is counted as such."""
    aside = to.with_name(f".{to.name}.new")
    declared = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in kinds)
    typed = ", ".join(
        f"{_cast(identifier(name), kind)} AS {identifier(name)}" for name, kind in kinds.items()
    )
    source = (
        f"read_csv({literal(text.as_posix())}, auto_detect = false, header = false, delim = ',', "
        f"quote = '\"', escape = '\"', new_line = '\\n', nullstr = {literal(_NULL)}, "
        f"parallel = false, max_line_size = 67108864, columns = {{{declared}}})"
    )
    with connected(scratch, [text, aside]) as connection:
        connection.execute(
            f"COPY (SELECT {typed} FROM {source}) TO {literal(aside.as_posix())} "
            "(FORMAT parquet, COMPRESSION zstd)"
        )
    aside.replace(to)


def _cast(column: str, kind: str) -> str:
    if kind != "TIMESTAMP":
        return f"TRY_CAST({column} AS {kind})"
    seconds = f"make_timestamp(CAST(TRY_CAST({column} AS DOUBLE) * 1e6 AS BIGINT))"
    return f"coalesce(TRY_CAST({column} AS TIMESTAMPTZ) AT TIME ZONE 'UTC', {seconds})"


@contextmanager
def _translated(wanted: DatabaseTable) -> Iterator[None]:
    try:
        yield
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise InputError(
            f"{wanted.setting}: this environment cannot speak to such a database ({error}).",
            remedy="Run it as ASSAY_ENVIRONMENT=sources assay monitor.",
        ) from None
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        first = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
        raise OutsideError(
            f"{wanted.setting}: the database does not answer ({first[:200].rstrip('.')}).",
            remedy=_REMEDY,
        ) from None
