"""Reads a growing log of JSON lines on, across its rotations and the reader's own restarts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Mark:
    """How far a log has been read: a file by its inode, and a byte in it."""

    inode: int
    offset: int


@dataclass(frozen=True, kw_only=True)
class LogFiles:
    """A log's file, and the names that it gets when it is rotated, the oldest first."""

    current: Path
    rotated: str
    """A glob beside ``current``; names in the order of time."""

    def since(self, mark: Mark | None) -> list[Path]:
        """The files from the marked one on; all of them where it is gone."""
        older = sorted(self.current.parent.glob(self.rotated))
        files = [*older, self.current] if self.current.exists() else older
        for place, file in enumerate(files):
            if mark is not None and file.stat().st_ino == mark.inode:
                return files[place:]
        return files


def read_on(files: LogFiles, mark: Mark | None) -> tuple[list[dict[str, Any]], Mark | None]:
    """Return the complete lines behind ``mark``, and the mark behind them.

    A line that is no JSON object (a disk that was full cut it) is passed over.
    """
    lines: list[dict[str, Any]] = []
    for file in files.since(mark):
        with file.open("rb") as handle:
            inode = os.fstat(handle.fileno()).st_ino
            start = mark.offset if mark is not None and mark.inode == inode else 0
            handle.seek(start)
            found = handle.read()
        whole = found[: found.rfind(b"\n") + 1]
        lines += _objects(whole)
        mark = Mark(inode=inode, offset=start + len(whole))
    return lines, mark


def _objects(whole: bytes) -> Iterator[dict[str, Any]]:
    for line in whole.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            yield found
