"""How many rows a source of new data has, as this machine sees it."""

from __future__ import annotations

from pathlib import Path

from assay.errors import InputError, Location

SUFFIXES = (".parquet", ".csv", ".jsonl", ".json")
_MOST_FILES = 10_000
_GLOB = set("*?[")


def count_rows(source: str) -> int:
    """Count the rows of a file, of a folder's files, or of those that a glob names.

    Raises InputError where there are none, too many, or one that cannot be read.
    """
    from assay.tables.source import open_tables

    files = _files(source)
    total = 0
    for path in files:
        with open_tables({"data": path}) as engine:
            total += engine.tables["data"].rows
    return total


def _files(source: str) -> list[Path]:
    place = Path(source)
    if place.is_file():
        return [place]
    fixed = next(one for one in place.parents if not _GLOB & set(str(one)))
    pattern = "**/*" if place.is_dir() else place.relative_to(fixed).as_posix()
    found = (place if place.is_dir() else fixed).glob(pattern)
    files = sorted(path for path in found if path.suffix in SUFFIXES and path.is_file())
    if not files or len(files) > _MOST_FILES:
        raise InputError(
            f"{len(files):,} files of Parquet, CSV or JSON lines are there.",
            where=Location(file=source),
            remedy=f"Name a file, a folder or a glob of 1 to {_MOST_FILES:,} files that the job "
            "which decides can read.",
        )
    return files
