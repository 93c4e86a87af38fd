"""Where logs and labels lie, to local files: a folder, a glob, an address of fsspec, a table."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from glob import glob
from pathlib import Path
from typing import Any

from assay.config import Labels, Logs, Monitoring
from assay.errors import AssayError, InputError, Location, OutsideError
from assay.tables.formats import suffix_of

SUFFIXES = frozenset({".parquet", ".pq", ".csv", ".tsv", ".jsonl", ".ndjson", ".json"})
_COMPRESSED = frozenset({".gz", ".bz2", ".xz", ".zst", ".zip"})
_ADDRESS = re.compile(r"^[a-z][a-z0-9+.-]*(::|://)", re.IGNORECASE)
_PATTERN = re.compile(r"[*?\[]")


def find_files(source: str, *, root: Path, cache: Path, setting: str) -> tuple[Path, ...]:
    """Return the data files of a source, sorted; none where a folder is still empty.

    Files behind an address are copied into `cache` once for each version of them, and what is no
    longer there is removed. Hidden files are being written and are left out. Raises InputError for
    a folder that is not there, OutsideError where an address cannot be read.
    """
    if is_address(source):
        return _fetched(source, cache, setting)
    place = root / source
    if _PATTERN.search(source):
        found = [Path(name) for name in glob(place.as_posix(), recursive=True)]
    elif place.is_file():
        return (place,)
    elif place.is_dir():
        found = [path for path in place.rglob("*") if _is_data(path.relative_to(place).as_posix())]
    else:
        raise InputError(
            f"{setting}: there is no such folder or file.",
            where=Location(file=place.as_posix()),
            remedy="Name the folder of the log, a glob, or an address such as s3://bucket/folder.",
        )
    return tuple(sorted(path for path in found if path.is_file() and _is_data(path.name)))


def find_source(
    wanted: Logs | Labels, *, root: Path, cache: Path, setting: str, since: int
) -> tuple[Path, ...]:
    """Return the files of logs or labels; of a table of a database its rows, copied into one file.

    Of a table rows dated before `since` (µs since 1970) are left out, where it has a time, and
    there is no file without a row. Raises what `find_files` raises, and the same of a database.
    """
    if not wanted.in_database:
        return find_files(wanted.source, root=root, cache=cache, setting=setting)
    from assay.tables.database import DatabaseTable, export_rows

    table = DatabaseTable(address=wanted.source, table=wanted.table or "", setting=setting)
    newer = None if wanted.time is None else (wanted.time, since)
    file = cache / "rows.parquet"
    return (file,) if export_rows(table, root=root, since=newer, to=file) else ()


def is_address(source: str) -> bool:
    """Say whether a source is an address of fsspec rather than a path."""
    return _ADDRESS.match(source) is not None


def is_elsewhere(monitoring: Monitoring) -> bool:
    """Say whether a source is behind an address that the environment `sources` reads."""
    sources = [monitoring.logs, *([monitoring.labels] if monitoring.labels else [])]
    return any(
        "://" in one.source and not one.source.startswith(("file://", "sqlite://"))
        for one in sources
    )


def _is_data(name: str) -> bool:
    """Whether a file may hold rows; a compressed one is among them, so that it is named."""
    hidden = any(part.startswith((".", "_")) for part in name.split("/"))
    last = suffix_of(Path(name))
    if last in _COMPRESSED:
        last = suffix_of(Path(name).with_suffix(""))
    return not hidden and last in SUFFIXES


def _fetched(source: str, cache: Path, setting: str) -> tuple[Path, ...]:
    with reaching(source, setting) as (system, path):
        return _copied(system, path, cache)


@contextmanager
def reaching(source: str, setting: str, **options: str) -> Iterator[tuple[Any, str]]:
    """Yield the file system of an address and the path on it; ``options`` are the file system's.

    Whatever it raises inside becomes InputError, where its package is missing, or OutsideError.
    """
    try:
        import fsspec
    except ImportError:
        raise InputError(
            f"{setting}: an address needs fsspec, which this environment has not.",
            remedy="Run the command by toolkit/bin/assay, or copy the files into a folder.",
        ) from None
    try:
        yield fsspec.core.url_to_fs(source, **options)
    except AssayError:
        raise
    except ImportError as error:
        raise InputError(
            f"{setting}: this kind of address needs another package: {error}.",
            remedy="Run it with ASSAY_ENVIRONMENT=sources (in a workflow: buckets: true), which "
            "has those of S3, Google and Azure, or copy the files into a folder.",
        ) from None
    except Exception as error:  # noqa: BLE001 -- each file system has exceptions of its own
        raise OutsideError(
            f"{setting}: {_words(error)}.",
            remedy="Check the address and its credentials. Nothing is lost: it is read the next "
            "time.",
        ) from None


def listed(system: Any, path: str) -> dict[str, Mapping[str, Any]]:
    """Return the data files under a path, or those that a pattern names, with their facts."""
    found: Mapping[str, Mapping[str, Any]]
    if _PATTERN.search(path):
        found = system.glob(path, detail=True)
    elif system.isfile(path):
        found = {path: system.info(path)}
    elif system.exists(path):
        found = system.find(path, detail=True)
    else:
        raise FileNotFoundError("nothing is there, or it does not answer")
    return {
        name: facts
        for name, facts in sorted(found.items())
        # What was named itself is read, whatever folder it lies in.
        if facts.get("type") == "file"
        and _is_data(name.removeprefix(path) or name.rsplit("/", 1)[-1])
    }


def _copied(system: Any, path: str, cache: Path) -> tuple[Path, ...]:
    cache.mkdir(parents=True, exist_ok=True)
    kept = []
    for name, facts in listed(system, path).items():
        copy = cache / f"{_stamp(name, facts)}{Path(name).suffix.lower()}"
        if not copy.is_file():
            partial = cache / f".{copy.name}.new"
            system.get_file(name, partial.as_posix())
            partial.replace(copy)
        kept.append(copy)
    for old in set(cache.iterdir()) - set(kept):
        old.unlink()
    return tuple(kept)


def _stamp(name: str, facts: Mapping[str, Any]) -> str:
    """The same for the same content, as far as the file system says."""
    known = ("size", "ETag", "etag", "md5Hash", "mtime", "LastModified", "updated", "created")
    text = "\n".join([name, *(str(facts[key]) for key in known if key in facts)])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _words(error: Exception) -> str:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return f"the address cannot be read ({type(error).__name__}: {first[:200].rstrip('.')})"
