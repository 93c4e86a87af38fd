"""A sign of life in the state folder: the watchdog sees it change, or sees that it does not."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from assay.state.disk import write_at

FILE = "alive"
_WIDTH = 63


class Heart:
    """Beats in place, always as many bytes, so that a full disk does not look like a death."""

    def __init__(self, folder: Path, epoch: int) -> None:
        self._path, self._epoch, self._beats = folder / FILE, epoch, 0

    def beat(self) -> None:
        """Give a sign; a disk that does not take it is no reason to stop."""
        self._beats += 1
        sign(self._path, f"{self._epoch} {self._beats}")


def sign(path: Path, text: str) -> None:
    """Write a short text in place of the last one; a disk that does not take it stops nothing."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            write_at(handle, (text.ljust(_WIDTH) + "\n").encode(), 0)
        finally:
            os.close(handle)


class Pulse:
    """Counts for how long no sign was given, in the running time of the process that looks.

    It compares what it reads with what it read before, so a clock that jumps, a restart of the
    machine and another process's idea of time do not matter.
    """

    def __init__(self, folder: Path, running: Callable[[], float]) -> None:
        self._path, self._running = folder / FILE, running
        self.seen = b""
        """The last sign; empty where there never was one."""
        self._since = running()

    def silent(self) -> float:
        """Return the seconds since the last sign was seen."""
        try:
            found = self._path.read_bytes()
        except OSError:
            found = b""
        now = self._running()
        if found != self.seen:
            self.seen, self._since = found, now
        return now - self._since

    def forget(self) -> None:
        """Begin to count anew."""
        self._since = self._running()
