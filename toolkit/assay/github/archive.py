"""An artifact's zip file, read as what it is: data that somebody else packed."""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from assay.errors import IntegrityError, Location, OutsideError
from assay.evidence import write_atomically

_NAME = re.compile(r"(?:\w[\w.-]{0,99}/){0,4}\w[\w.-]{0,99}", re.ASCII)
_CHUNK = 1 << 16
_ENTRY = b"PK\x01\x02"
"""What each entry of a zip's directory begins with."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much of an archive is read: bytes packed, bytes unpacked, and files."""

    packed: int = 256 * 1024**2
    unpacked: int = 1024**3
    files: int = 500


def read_archive(
    data: bytes, *, name: str, limits: Limits, wanted: Callable[[str], bool]
) -> Iterator[tuple[str, bytes]]:
    """Yield the path and content of each wanted file.

    Every entry is checked, wanted or not. Raises IntegrityError for an archive that is none,
    for paths that leave it, links, files given twice, and for more than ``limits``, whatever
    sizes the archive itself states.
    """
    where = Location(file=name)
    if len(data) > limits.packed:
        raise IntegrityError(f"the artifact has over {limits.packed:,} bytes.", where=where)
    # Before the directory is read: a million empty entries fit into few bytes, and not into memory.
    if data.count(_ENTRY) > 4 * limits.files:
        raise IntegrityError(f"the artifact holds over {limits.files} files.", where=where)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = _checked(archive, where, limits)
            left = limits.unpacked
            for entry in entries:
                if wanted(entry.filename):
                    content = _content(archive, entry, left, where)
                    left -= len(content)
                    yield entry.filename, content
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        IndexError,
        OverflowError,
        RuntimeError,
        ValueError,
    ) as error:
        raise IntegrityError(
            f"the artifact cannot be unpacked ({str(error)[:120]}).", where=where
        ) from None


def _checked(archive: zipfile.ZipFile, where: Location, limits: Limits) -> list[zipfile.ZipInfo]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(archive.infolist()) > 2 * limits.files or len(entries) > limits.files:
        raise IntegrityError(f"the artifact holds over {limits.files} files.", where=where)
    seen: set[str] = set()
    for entry in entries:
        shown = entry.filename[:80]
        if not _NAME.fullmatch(entry.filename):
            raise IntegrityError(f"{shown!r} is no name of an evidence file.", where=where)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise IntegrityError(f"{shown!r} is packed in an unusual way.", where=where)
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise IntegrityError(f"{shown!r} is a link.", where=where)
        if entry.filename.lower() in seen:
            raise IntegrityError(f"{shown!r} is there twice.", where=where)
        seen.add(entry.filename.lower())
    return entries


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int, where: Location) -> bytes:
    content = bytearray()
    with archive.open(entry) as stream:
        while chunk := stream.read(_CHUNK):
            content += chunk
            if len(content) > left:
                raise IntegrityError("the artifact unpacks to more than evidence has.", where=where)
    return bytes(content)


def unpack(
    data: bytes, folder: Path, *, name: str, limits: Limits, wanted: Callable[[str], bool]
) -> tuple[str, ...]:
    """Write the wanted files below ``folder``; return their paths, sorted.

    Nothing is written where anything in the archive is refused.
    """
    files = dict(read_archive(data, name=name, limits=limits, wanted=wanted))
    for path, content in sorted(files.items()):
        target = folder / path
        if target.parent.resolve() != (folder.resolve() / path).parent:
            raise OutsideError(
                "a folder of the evidence is a link.", where=Location(file=target.as_posix())
            )
        write_atomically(target, content)
    return tuple(sorted(files))
