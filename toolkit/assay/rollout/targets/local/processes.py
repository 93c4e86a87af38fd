"""Programs that outlive the controller, in sessions of their own, found again after a restart.

Each writes its own birth record (its line of /proc, which holds its id and start time, and the
boot's id) before it becomes the program. An id alone may belong to somebody else by now; id, start
time and boot together do not, and a signal goes through a pidfd that was opened before the check.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from assay.errors import OutsideError

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_RECORD = (
    'cat "/proc/$$/stat" /proc/sys/kernel/random/boot_id >"$0.new" && mv "$0.new" "$0" && exec "$@"'
)
_RECORD_SECONDS = 5.0
_STATE, _START_TIME = 0, 19
"""Places in /proc/<pid>/stat behind the program's name (proc_pid_stat(5), fields 3 and 22)."""


@dataclass(frozen=True, kw_only=True)
class Birth:
    """Who a process is, for as long as this machine runs."""

    pid: int
    start_time: int
    boot: str


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What is started: its command and folder, and what it prints goes to ``log``.

    ``reads`` and ``writes`` are all that it needs of the file system, where that can be held to.
    """

    command: Sequence[str]
    cwd: Path
    log: Path
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    port: int | None = None
    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()


class Supervised(Protocol):
    """Something that runs beside the controller, and longer than it. Raises OutsideError."""

    def start(self, launch: Launch) -> None:
        """Start it; returns once it would be found again."""

    def alive(self) -> bool:
        """Whether what was started last still runs."""

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and to nobody else; nothing where it does not run."""

    def forget(self) -> None:
        """Remove what is left of it, once it has ended."""


class Program:
    """One supervised program and its record.

    ``record`` is the file of its birth. Methods are safe to call from any number of restarts of
    the controller, one at a time.
    """

    def __init__(self, record: Path) -> None:
        self.record = record
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, launch: Launch) -> None:
        """Start it; returns once it is recorded."""
        self.forget()
        with launch.log.open("ab") as output:
            try:
                self._child = subprocess.Popen(
                    ["/bin/sh", "-c", _RECORD, str(self.record), *launch.command],
                    cwd=launch.cwd,
                    env=dict(launch.variables),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            except OSError as error:
                raise OutsideError(f"{launch.command[0]} cannot be started: {error}.") from error
        deadline = time.monotonic() + _RECORD_SECONDS
        while not self.record.exists() and self._child.poll() is None:
            if time.monotonic() > deadline:
                break
            time.sleep(0.001)

    def alive(self) -> bool:
        """Whether the program that was started last still runs."""
        if self._child is not None:
            return self._child.poll() is None
        birth = self._birth()
        return birth is not None and _is(birth)

    def ended(self) -> int | None:
        """The exit code, where this controller started it and it has ended."""
        return self._child.poll() if self._child is not None else None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        birth = self._birth()
        return birth.pid if birth and self.alive() else None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program and to nobody else; nothing where it does not run."""
        birth = self._birth()
        if birth is None:
            if self._child is not None and self._child.poll() is None:
                self._child.send_signal(number)
            return
        try:
            handle = os.pidfd_open(birth.pid)
        except OSError:
            return
        try:
            if _is(birth):
                signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return
        finally:
            os.close(handle)

    def forget(self) -> None:
        """Remove its record."""
        self.record.unlink(missing_ok=True)

    def _birth(self) -> Birth | None:
        try:
            text = self.record.read_text()
        except FileNotFoundError:
            return None
        line, _, boot = text.rstrip().rpartition("\n")
        if boot != _BOOT.read_text().rstrip():
            return None
        pid, fields = _read(line)
        return Birth(pid=pid, start_time=int(fields[_START_TIME]), boot=boot)


def _is(birth: Birth) -> bool:
    try:
        _, fields = _read(Path(f"/proc/{birth.pid}/stat").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return False
    return int(fields[_START_TIME]) == birth.start_time and fields[_STATE] not in {"Z", "X"}


def _read(stat: str) -> tuple[int, list[str]]:
    """Split a line of /proc/<pid>/stat; the name in brackets may hold spaces and brackets."""
    head, _, tail = stat.rpartition(")")
    return int(head.split(" ", 1)[0]), tail.split()
