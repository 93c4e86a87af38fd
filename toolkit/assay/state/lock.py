"""One controller at a time: an flock for as long as the process lives, and a persisted epoch.

The kernel lets the flock go when its holder dies, however it dies. The epoch goes up at each start
and never down, so that every decision says which life of the controller made it, and a process
that lost its place can see so.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.errors import InputError, IntegrityError, Location
from assay.state.disk import sync_folder, write_at

_WORDS = 255
"""Always so many bytes, so that a full disk takes them in place of the last holder's."""


class Held(InputError):
    """Another process controls this target."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who holds a lock, by its own words."""

    pid: int | None
    role: str
    since: str


class Lock:
    """The lock of a state folder, held until :meth:`release` or the end of the process."""

    def __init__(self, handle: int, folder: Path, epoch: int) -> None:
        self._handle: int | None = handle
        self._folder = folder
        self.epoch = epoch

    def still_ours(self) -> bool:
        """Say whether nobody raised the epoch since."""
        return self._handle is not None and read_epoch(self._folder) == self.epoch

    def raise_above(self, epoch: int) -> None:
        """Raise the epoch above one that the journal has seen: this host may be a new one."""
        self.epoch = max(self.epoch, epoch + 1)
        _write_epoch(self._folder, self.epoch)

    def release(self) -> None:
        """Let the next one in."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def take(folder: Path, *, role: str, since: str) -> Lock:
    """Take the lock of a state folder and raise its epoch.

    Raises Held naming who holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _held(folder, holder_in(folder)) from None
        epoch = read_epoch(folder) + 1
        _write_epoch(folder, epoch)
        facts = {"pid": os.getpid(), "role": role, "since": since}
        write_at(handle, json.dumps(facts).ljust(_WORDS).encode(), 0)
    except BaseException:
        os.close(handle)
        raise
    return Lock(handle, folder, epoch)


def is_held(folder: Path) -> bool:
    """Say whether a living process holds the lock of a state folder."""
    try:
        handle = os.open(folder / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def holder_in(folder: Path) -> Holder:
    """Say who wrote itself into the lock last."""
    facts: Mapping[str, Any] = {}
    try:
        read = json.loads((folder / "lock").read_bytes())
        facts = read if isinstance(read, dict) else {}
    except (OSError, ValueError):
        pass
    pid = facts.get("pid")
    return Holder(
        pid=pid if type(pid) is int else None,
        role=str(facts.get("role", "a process"))[:40],
        since=str(facts.get("since", "an unknown time"))[:40],
    )


def _held(folder: Path, holder: Holder) -> Held:
    pid = "" if holder.pid is None else f", process {holder.pid}"
    return Held(
        f"this target is controlled already: by {holder.role}{pid}, since {holder.since}.",
        where=Location(file=(folder / "lock").as_posix()),
        remedy="Talk to that one (assay status), or stop it first.",
    )


def read_epoch(folder: Path) -> int:
    """Return the epoch of a state folder, 0 for a new one; raises IntegrityError for no number."""
    path = folder / "epoch"
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return 0
    if not text.isdigit():
        raise IntegrityError(
            "this file holds the epoch of the controller, and it is no number.",
            where=Location(file=path.as_posix()),
            remedy="Write the greatest epoch of the journal into it (assay history --json).",
        )
    return int(text)


def _write_epoch(folder: Path, epoch: int) -> None:
    """Write it in place, always as long as before: a full disk takes that too."""
    handle = os.open(folder / "epoch", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        write_at(handle, f"{epoch:019d}\n".encode(), 0)
        os.fsync(handle)
    finally:
        os.close(handle)
    sync_folder(folder)
