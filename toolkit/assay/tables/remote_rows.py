"""How many rows lie in files of another file system: of Parquet only the footers are read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import duckdb

from assay.errors import InputError, Location, OutsideError
from assay.tables.source import open_tables

PARQUET = frozenset({".parquet", ".pq"})


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file by its path on a file system, and by the name that says what it is."""

    path: str
    name: str

    @property
    def suffix(self) -> str:
        """The name's suffix, in small letters."""
        return PurePosixPath(self.name).suffix.lower()


def count_remote_rows(system: Any, files: Sequence[RemoteFile]) -> int:
    """Count the rows of ``files`` on the fsspec file system ``system``.

    CSV and JSON lines are copied, one after the other. Raises InputError for a file that is not
    what its suffix says, OutsideError where the file system fails in between.
    """
    footers = [file for file in files if file.suffix in PARQUET]
    whole = [file for file in files if file.suffix not in PARQUET]
    return sum(_footers(system, footers)) + sum(_copied(system, whole))


def _copied(system: Any, files: Sequence[RemoteFile]) -> Iterator[int]:
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            copy = Path(folder) / f"rows{file.suffix}"
            system.get_file(file.path, copy.as_posix())
            try:
                with open_tables({"data": copy}) as engine:
                    yield engine.tables["data"].rows
            except InputError as error:
                line = error.where.line if error.where else None
                where = Location(file=file.name, line=line)
                raise InputError(error.message, where=where, remedy=error.remedy) from None
            copy.unlink()


def _footers(system: Any, files: Sequence[RemoteFile]) -> Iterator[int]:
    """Read through the file system, by an engine that may load nothing else for it."""
    with duckdb.connect(
        config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    ) as connection:
        connection.register_filesystem(system)
        for file in files:
            address = system.unstrip_protocol(file.path)
            where = Location(file=file.name)
            try:
                found = connection.execute(
                    "SELECT num_rows FROM parquet_file_metadata(?)", [address]
                ).fetchone()
            except duckdb.IOException as error:
                raise OutsideError(f"cannot be read: {_first(error)}.", where=where) from None
            except duckdb.Error as error:
                raise InputError(
                    f"this is no Parquet file: {_first(error)}.", where=where
                ) from None
            yield int(found[0]) if found else 0


def _first(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200].rstrip(".")
