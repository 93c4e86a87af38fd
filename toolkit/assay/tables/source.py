"""Open data files as tables of one embedded engine, DuckDB, and put queries to them.

Parquet is read in place; CSV and JSON are loaded once, with types that all their rows bear out.
The engine can read the named files and nothing else: no other path, no network, no extension.
"""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError, Location, OutsideError
from assay.tables.damage import translated
from assay.tables.formats import Format, detect_format
from assay.tables.load import load_csv, load_json, load_parquet, numbered_name
from assay.tables.sql import identifier, literal

_INTEGERS = frozenset(
    f"{sign}{size}" for sign in ("", "U") for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
) | {"HUGEINT", "UHUGEINT"}
_MEMORY = "60%"
_NAMED = 5
"""Files that one message names."""
_OF_EACH = 4
"""Descriptors that may be open for a file at once."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column: its name as in the file, DuckDB's type, and the kind of values it holds."""

    name: str
    type: str

    @property
    def kind(self) -> str:
        """One of integer, float, boolean, text, time and other (nested or binary)."""
        if self.type in _INTEGERS:
            return "integer"
        if self.type in {"FLOAT", "DOUBLE"} or self.type.startswith("DECIMAL"):
            return "float"
        if self.type == "BOOLEAN":
            return "boolean"
        # A Parquet column of nothing but missing values has the type "NULL".
        if self.type in {"VARCHAR", "UUID", '"NULL"'} or self.type.startswith("ENUM"):
            return "text"
        return "time" if self.type.startswith(("DATE", "TIME")) else "other"


@dataclass(frozen=True, kw_only=True)
class Table:
    """An opened file: query it by ``name`` (already a safe identifier)."""

    name: str
    path: Path
    format: Format
    columns: tuple[Column, ...]
    rows: int

    @property
    def where(self) -> Location:
        """The file, as a message about it names it."""
        return Location(file=self.path.as_posix())

    def column(self, name: str) -> Column | None:
        """Return the column called exactly ``name``."""
        return next((column for column in self.columns if column.name == name), None)


class Engine:
    """One DuckDB connection with the opened tables; made by :func:`open_tables`."""

    has_order = True
    """Whether a table's rows have places, by which two tables can be read side by side."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, tables: dict[str, Table], scratch: Path
    ) -> None:
        self._connection = connection
        self.tables = tables
        self.hashes: dict[str, NDArray[np.uint64]] = {}
        """Hashes of rows that are asked for again, by the query that made them."""
        self.scratch = scratch
        """A folder for files that outgrow memory; it is removed with the engine."""

    def beside(self) -> Engine:
        """Another connection to the same tables, for another thread; temporary ones stay here."""
        return Engine(self._connection.cursor(), self.tables, self.scratch)

    def has_numbers(self) -> bool:
        """Whether rows can be read by their number: all files are Parquet, read in place."""
        return all(self.is_numbered(name) for name in self.tables)

    def is_numbered(self, name: str) -> bool:
        """Whether one table's rows can be read by their number in its Parquet file."""
        views = self.rows("SELECT view_name FROM duckdb_views()")
        return (numbered_name(name),) in views

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query and return its rows.

        Raises InputError for a damaged file and OutsideError for a full disk or memory; errors
        of the query itself (binder, parser, conversion) stay ``duckdb.Error``.
        """
        with translated(self._files()):
            return self._connection.execute(sql).fetchall()

    def row(self, sql: str) -> tuple[Any, ...]:
        """Run a query that returns exactly one row."""
        (row,) = self.rows(sql)
        return row

    def arrays(self, sql: str) -> dict[str, NDArray[Any]]:
        """Run a query and return its columns as numpy arrays, each of shape (rows,)."""
        with translated(self._files()):
            columns = self._connection.execute(sql).fetchnumpy()
        return {name: np.ma.getdata(values) for name, values in columns.items()}

    def present(self, sql: str) -> dict[str, NDArray[Any]]:
        """Run a query and return each column's values that are not NULL, of shape (values,)."""
        with translated(self._files()):
            columns = self._connection.execute(sql).fetchnumpy()
        return {name: np.ma.compressed(values) for name, values in columns.items()}

    def run(self, sql: str) -> None:
        """Run a statement, such as CREATE TEMP TABLE, for later queries."""
        with translated(self._files()):
            self._connection.execute(sql)

    def _files(self) -> str:
        names = sorted({table.path.as_posix() for table in self.tables.values()})
        more = [f"{len(names) - _NAMED} others"] if len(names) > _NAMED else []
        return " or ".join([*names[:_NAMED], *more])


@contextmanager
def open_tables(
    files: Mapping[str, Path],
    *,
    writes: Sequence[Path] = (),
    compared: Collection[str] | None = None,
    rowless: bool = False,
) -> Iterator[Engine]:
    """Open each file as a table called by its key, a plain word such as ``base``.

    A query may write to the paths in `writes`, and to no other. Parquet's numbers are looked
    through for NaN, without which a comparison may be answered wrongly; `compared` are the columns
    that queries compare, where that is not all of them.

    Raises InputError for every file that is missing, empty, broken, of no readable format, or
    has column names that differ at most in case, and for one with columns but no rows, unless
    `rowless`; OutsideError where disk or permissions fail.
    """
    formats = {name: detect_format(path) for name, path in files.items()}
    _make_room(len(files))
    with scratch_folder() as scratch:
        links = {name: linked(scratch, name, files[name], formats[name]) for name in files}
        with connected(scratch, [*links.values(), *writes]) as connection:
            tables: dict[str, Table] = {}
            engine = Engine(connection, tables, scratch)
            for name, path in files.items():
                with translated(path.as_posix()):
                    table = _open(
                        connection, name, path, links[name], formats[name], compared=compared
                    )
                tables[name] = table if rowless else with_rows(table)
            yield engine


def _make_room(files: int) -> None:
    """Let this process open so many files at once, as far as its hard limit allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OF_EACH * files + 256
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for one engine's files; raises OutsideError where none can be made."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="assay-", ignore_cleanup_errors=True)
    except OSError as error:
        raise OutsideError(
            f"no scratch folder can be made in {tempfile.gettempdir()}: {error.strerror}.",
            remedy="Free some space, or point TMPDIR at a folder that can be written.",
        ) from None
    with folder as name:
        yield Path(name)


def linked(scratch: Path, name: str, path: Path, kind: Format) -> Path:
    """Give the file a name without the characters that DuckDB takes for a pattern or a URL."""
    link = scratch / f"{name}.{kind.value.lower()}"
    try:
        link.symlink_to(path.resolve())
    except OSError as error:
        raise OutsideError(f"cannot be written: {error.strerror}.", where=_at(link)) from None
    return link


def cores() -> int:
    """How many threads may run at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 4


@contextmanager
def connected(scratch: Path, reachable: Sequence[Path]) -> Iterator[duckdb.DuckDBPyConnection]:
    """One connection that reaches these paths and nothing else; it is closed with the block."""
    connection = duckdb.connect(":memory:")
    try:
        _seal(connection, scratch, reachable)
        yield connection
    finally:
        connection.close()


def _seal(connection: duckdb.DuckDBPyConnection, scratch: Path, reachable: Sequence[Path]) -> None:
    spill = scratch / "spill"
    paths = ", ".join(literal(path.as_posix()) for path in reachable)
    for setting in (
        f"threads = {cores()}",
        f"memory_limit = '{_MEMORY}'",
        f"temp_directory = {literal(spill.as_posix())}",
        "preserve_insertion_order = true",
        # Times that name no zone are UTC, whatever this machine's is.
        "TimeZone = 'UTC'",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        f"allowed_paths = [{paths}]",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")


def _open(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    path: Path,
    link: Path,
    kind: Format,
    *,
    compared: Collection[str] | None,
) -> Table:
    if kind is Format.PARQUET:
        load_parquet(connection, name, path, link, compared=compared)
    else:
        load = load_csv if kind is Format.CSV else load_json
        load(connection, name, path, link)
    described = connection.execute(f"DESCRIBE {identifier(name)}").fetchall()
    columns = tuple(Column(name=row[0], type=row[1]) for row in described)
    counted = connection.execute(f"SELECT count(*) FROM {identifier(name)}").fetchone()
    rows = int(counted[0]) if counted else 0
    return Table(name=name, path=path, format=kind, columns=columns, rows=rows)


def with_rows(table: Table) -> Table:
    """The table; raises InputError where it has no rows."""
    if table.rows == 0:
        raise InputError(
            "the file has columns but no rows.",
            where=table.where,
            remedy="The step that writes it found nothing to predict, or did not finish.",
        )
    return table


def _at(path: Path) -> Location:
    return Location(file=path.as_posix())
