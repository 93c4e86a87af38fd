"""How many rows a source of new data has, as this machine sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.errors import InputError, Location

if TYPE_CHECKING:
    from assay.retraining.tracked import ReadText, Tracked

SUFFIXES = (".parquet", ".csv", ".jsonl", ".json")
_MOST_FILES = 10_000
_GLOB = set("*?[")
_SETTING = "retrain.new_data.source"


@dataclass(frozen=True, kw_only=True)
class Commit:
    """The files of the commit that is decided about; what DVC tracks is read from them.

    ``folder`` is that of assay.yaml, from the repository's root, and ``root`` where the repository
    is checked out; None: nowhere.
    """

    read: ReadText
    folder: str = ""
    root: Path | None = None


def count_rows(source: str, commit: Commit | None = None) -> int:
    """Count the rows of a file, of a folder's files, or of those that a glob names.

    ``source`` is a path, an address that fsspec knows, or ``dvc:PATH``, what DVC tracks there in
    ``commit``. Raises InputError where there are none, too many, or one that cannot be read, and
    OutsideError where a bucket fails.
    """
    from assay.monitoring.sources import is_address, listed, reaching
    from assay.retraining.tracked import SCHEME
    from assay.tables.remote_rows import RemoteFile, count_remote_rows

    if source.startswith(SCHEME) and commit is not None:
        return _tracked_rows(source.removeprefix(SCHEME), commit)
    if not is_address(source):
        return _local_rows(source)
    with reaching(source, _SETTING) as (system, path):
        files = [RemoteFile(path=name, name=name) for name in listed(system, path)]
        _refuse_number(len(files), source)
        return count_remote_rows(system, files)


def _tracked_rows(path: str, commit: Commit) -> int:
    """The rows that `dvc pull` would bring: of the data as the commit names it, from the remote."""
    from assay.monitoring.sources import SUFFIXES as READABLE
    from assay.monitoring.sources import reaching
    from assay.retraining.tracked import find_remote, find_tracked
    from assay.tables.remote_rows import RemoteFile, count_remote_rows

    tracked = find_tracked(commit.read, commit.folder, path)
    remote = find_remote(commit.read, commit.folder)
    address = remote.address
    if "://" not in address:
        address = (commit.root / address if commit.root else Path(address)).as_posix()
    with reaching(address, _SETTING, **remote.options) as (system, top):
        objects: Sequence[tuple[str, str]] = [(tracked.object, tracked.path)]
        _refuse_absent(system, f"{top}/{tracked.object}", tracked.path)
        if tracked.is_folder:
            objects = _members(system, top, tracked)
        files = [RemoteFile(path=f"{top}/{key}", name=name) for key, name in objects]
        readable = [one for one in files if one.suffix in READABLE]
        _refuse_number(len(readable), tracked.path)
        return count_remote_rows(system, readable)


def _members(system: Any, top: str, tracked: Tracked) -> Sequence[tuple[str, str]]:
    from assay.retraining.tracked import objects_in

    return objects_in(system.cat_file(f"{top}/{tracked.object}"), tracked)


def _refuse_absent(system: Any, place: str, path: str) -> None:
    from assay.errors import OutsideError

    if not system.exists(place):
        raise OutsideError(
            "the DVC remote does not hold it as this commit names it.",
            where=Location(file=path),
            remedy="dvc push",
        )


def _local_rows(source: str) -> int:
    from assay.tables.source import open_tables

    total = 0
    for path in _files(source):
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
    _refuse_number(len(files), source)
    return files


def _refuse_number(files: int, source: str) -> None:
    if not 0 < files <= _MOST_FILES:
        raise InputError(
            f"{files:,} files of Parquet, CSV or JSON lines are there.",
            where=Location(file=source),
            remedy=f"Name a file, a folder or a glob of 1 to {_MOST_FILES:,} files that the job "
            "which decides can read.",
        )
