"""The write-ahead log: what is about to be done stands on the disk before it is done.

One JSON object a line, each with a checksum, then padding of spaces that is written beforehand:
an entry overwrites padding, so a reserve of it is left where the disk is full. Only an ``urgent``
entry (a rollback) may use that reserve. A line that was half written counts as never written.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from assay.errors import IntegrityError, Location, OutsideError
from assay.state.disk import sync_folder, write_at

RESERVE = 64 * 1024
"""Bytes that only urgent entries may use: several rollbacks."""
_GROWTH = 64 * 1024
_NOTHING = b" \0"

Sync = Callable[[int], None]


class Full(OutsideError):
    """The disk takes no more entries; those of a rollback still find their reserved place."""


class Wal:
    """The log at ``path``, opened and repaired. One process writes it: hold the lock first."""

    def __init__(self, path: Path, *, reserve: int = RESERVE, sync: Sync = os.fdatasync) -> None:
        self._path, self._reserve, self._sync = path, reserve, sync
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        content = path.read_bytes()
        self._entries, self._end = _read(content, path)
        self._size = len(content)
        # The rest of a half-written line must not be taken for the end of a later, shorter one.
        rest = content[self._end :]
        if rest.strip(_NOTHING):
            self._put(b" " * len(rest), self._end)
            self._sync(self._handle)
        self._grow(0)

    @property
    def entries(self) -> tuple[Mapping[str, Any], ...]:
        """Every entry, oldest first."""
        return tuple(self._entries)

    @property
    def room(self) -> int:
        """Bytes that are reserved behind the last entry."""
        return self._size - self._end

    def append(self, entry: Mapping[str, Any], *, urgent: bool = False) -> None:
        """Write an entry and wait until the disk has it.

        Raises Full where it would need the reserve and is not ``urgent``; nothing is written then.
        """
        line = _line(entry)
        if not self._grow(len(line)) and len(line) > self.room - (0 if urgent else self._reserve):
            raise Full(
                "the disk is full: only what is reserved for a rollback is left.",
                where=Location(file=self._path.as_posix()),
                remedy="Free some space; nothing is promoted until then.",
            )
        try:
            self._put(line, self._end)
            self._sync(self._handle)
        except OSError as error:
            raise Full(
                f"cannot be written: {error.strerror}.",
                where=Location(file=self._path.as_posix()),
                remedy="Look at the disk: nothing is done that could not be written down first.",
            ) from None
        self._end += len(line)
        self._entries.append(json.loads(json.dumps(entry)))

    def compact(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Put ``entries`` in place of all that stand there, whole or not at all.

        Where the disk has no room for that, the log stays as it is.
        """
        kept = list(entries)
        data = b"".join(map(_line, kept))
        fresh = self._path.with_name(f"{self._path.name}.new")
        size = len(data) + self._reserve + _GROWTH
        try:
            handle = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
            try:
                write_at(handle, data + b" " * (size - len(data)), 0)
                self._sync(handle)
            except OSError:
                os.close(handle)
                raise
            fresh.replace(self._path)
            sync_folder(self._path.parent)
        except OSError:
            fresh.unlink(missing_ok=True)
            return
        os.close(self._handle)
        self._handle, self._size, self._end = handle, size, len(data)
        self._entries = [json.loads(json.dumps(entry)) for entry in kept]

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)

    def _grow(self, needed: int) -> bool:
        """Have the padding cover ``needed`` bytes beside the reserve; say whether it does."""
        if self.room >= needed + self._reserve:
            return True
        wanted = self._end + needed + self._reserve + _GROWTH
        try:
            self._put(b" " * (wanted - self._size), self._size)
            self._sync(self._handle)
        except OSError:
            # What was written of the padding is there; it counts no further than it got.
            self._size = max(self._size, os.fstat(self._handle).st_size)
            return self.room >= needed + self._reserve
        self._size = wanted
        return True

    def _put(self, data: bytes, place: int) -> None:
        write_at(self._handle, data, place)


def _line(entry: Mapping[str, Any]) -> bytes:
    body = json.dumps(entry, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"{zlib.crc32(body.encode()):08x} {body}\n".encode()


def _read(content: bytes, path: Path) -> tuple[list[Mapping[str, Any]], int]:
    """Return the entries, and where they end.

    Raises IntegrityError where a damaged line is followed by a whole one: that was no crash.
    """
    entries: list[Mapping[str, Any]] = []
    end = 0
    damaged: int | None = None
    for number, line in enumerate(content.splitlines(keepends=True), start=1):
        entry = _entry(line)
        if entry is None:
            damaged = damaged or number
            continue
        if damaged is not None:
            raise IntegrityError(
                "this line of the write-ahead log is damaged, and whole ones follow it.",
                where=Location(file=path.as_posix(), line=damaged),
                remedy="The disk or somebody altered it: move the state folder away and start "
                "again; the controller then takes the journal's chain from its branch.",
            )
        entries.append(entry)
        end += len(line)
    return entries, end


def _entry(line: bytes) -> Mapping[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    told, _, body = line.rstrip(b"\n").partition(b" ")
    if told != f"{zlib.crc32(body):08x}".encode():
        return None
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
