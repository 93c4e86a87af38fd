"""Many small Parquet files of one schema, as loggers leave them, copied together into few.

Whoever opens files one by one pays for each, however few rows it has; a copy of hundreds costs
little more than one of them. Values and types are those of the parts.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from assay.errors import InputError
from assay.tables.damage import translated
from assay.tables.formats import Format, detect_format
from assay.tables.load import choose_columns, top_level
from assay.tables.source import Column, Table, connected, linked, scratch_folder
from assay.tables.sql import identifier, literal

FEWEST = 16
"""Parts of one schema that are worth a copy."""
_SMALL = 16 * 1024 * 1024
"""Bytes that a part has at most."""
_TOGETHER = 128 * 1024 * 1024
"""Bytes of the parts in one copy, about."""
_FILE = "assay file"
_SCHEMA = "name, num_children, type, type_length, converted_type, scale, precision, logical_type"


@dataclass(frozen=True, kw_only=True)
class Merged:
    """Copies, each with the parts that it stands for, and files that are in none."""

    copies: Mapping[Path, tuple[Path, ...]]
    alone: tuple[Path, ...]
    """They are large, of another format, damaged, or few of their schema."""


def merge_parts(files: Sequence[Path], folder: Path, *, since: Since | None = None) -> Merged:
    """Copy small Parquet files of one schema together, into `folder`.

    `since` leaves out parts that have nothing so new. A part that is damaged is alone: whoever
    opens it says so. Raises OutsideError where disk or memory do not suffice.
    """
    small = [path for path in files if _is_small(path)]
    if len(small) < FEWEST:
        return Merged(copies={}, alone=tuple(files))
    left = set(files)
    copies: dict[Path, tuple[Path, ...]] = {}
    target = folder / "together.parquet"
    with scratch_folder() as scratch:
        links = {
            linked(scratch, f"part{place}", path, Format.PARQUET): path
            for place, path in enumerate(small)
        }
        with connected(scratch, [*links, target]) as connection:
            for group in _schemas(connection, list(links)):
                newer = _newer(connection, group, since) if since else group
                left -= {links[each] for each in set(group) - set(newer)}
                for chunk in _chunks(newer):
                    for parts in _copied(connection, chunk, target):
                        copy = target.with_name(f"{secrets.token_hex(8)}.parquet")
                        target.rename(copy)
                        copies[copy] = tuple(links[each] for each in parts)
                        left.difference_update(copies[copy])
    return Merged(copies=copies, alone=tuple(path for path in files if path in left))


@dataclass(frozen=True, kw_only=True)
class Since:
    """From when rows are wanted: SQL for a row's time, by its table, and the least it may be."""

    time: Callable[[Table], str]
    least: int


def _is_small(path: Path) -> bool:
    try:
        return path.stat().st_size <= _SMALL and detect_format(path) is Format.PARQUET
    except (OSError, InputError):
        return False


def _listed(links: Sequence[Path]) -> str:
    return f"[{', '.join(literal(each.as_posix()) for each in links)}]"


def _schemas(connection: duckdb.DuckDBPyConnection, links: Sequence[Path]) -> Iterator[list[Path]]:
    """Groups of at least so many files whose columns have the same names and types."""
    found: defaultdict[tuple[Any, ...], list[Path]] = defaultdict(list)
    for link, columns in _columns(connection, links):
        names = [name.lower() for name in top_level([each[:2] for each in columns])]
        if len(set(names)) == len(names):
            found[columns].append(link)
    yield from (group for group in found.values() if len(group) >= FEWEST)


def _columns(
    connection: duckdb.DuckDBPyConnection, links: Sequence[Path]
) -> Iterator[tuple[Path, tuple[Any, ...]]]:
    """The columns of each file; one without a readable footer is found by halves, and left out."""
    try:
        rows = connection.execute(
            f"SELECT file_name, {_SCHEMA} FROM parquet_schema({_listed(links)})"
        ).fetchall()
    except duckdb.Error:
        for half in _halves(links):
            yield from _columns(connection, half)
        return
    columns: defaultdict[str, list[Any]] = defaultdict(list)
    for file, *column in rows:
        columns[file].append(tuple(column))
    yield from ((link, tuple(columns[link.as_posix()])) for link in links)


def _halves(links: Sequence[Path]) -> tuple[Sequence[Path], ...]:
    middle = len(links) // 2
    return (links[:middle], links[middle:]) if middle else ()


def _newer(connection: duckdb.DuckDBPyConnection, links: list[Path], since: Since) -> list[Path]:
    """Those that have a row as new as is asked for, or of which nobody can tell."""
    file = f"read_parquet({_listed(links)}, hive_partitioning = false, filename = {literal(_FILE)})"
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {file}").fetchall()
        columns = tuple(Column(name=name, type=kind) for name, kind, *_ in described)
        table = Table(name="", path=links[0], format=Format.PARQUET, columns=columns, rows=0)
        last = connection.execute(
            f"SELECT {identifier(_FILE)}, max({since.time(table)}) FROM {file} GROUP BY ALL"
        ).fetchall()
    except duckdb.Error:
        return links
    old = {file for file, newest in last if newest is not None and newest < since.least}
    return [each for each in links if each.as_posix() not in old]


def _chunks(links: Sequence[Path]) -> Iterator[list[Path]]:
    chunk: list[Path] = []
    size = 0
    for link in links:
        chunk.append(link)
        size += link.stat().st_size
        if size >= _TOGETHER:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _copied(
    connection: duckdb.DuckDBPyConnection, links: Sequence[Path], target: Path
) -> Iterator[Sequence[Path]]:
    """The parts that are in `target` now; one that is damaged is found by halves, and left out."""
    file = f"read_parquet({_listed(links)}, hive_partitioning = false)"
    try:
        with translated(target.as_posix()):
            chosen = choose_columns(connection, file)
            connection.execute(
                f"COPY (SELECT {chosen} FROM {file}) TO {literal(target.as_posix())} "
                "(FORMAT parquet)"
            )
    except (InputError, duckdb.Error):
        for half in _halves(links):
            yield from _copied(connection, half, target)
    else:
        yield links
