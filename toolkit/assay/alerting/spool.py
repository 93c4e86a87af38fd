"""Messages that wait for their receiver: written before they are sent, removed when they arrived.

One file each, in a folder. Who sends takes a file by renaming it, so that two who look at once do
not send it twice. Killed while it sends, nobody knows whether it arrived: it is sent again after
:data:`TAKEN_SECONDS`, for a message too many is better than a problem nobody hears of.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.errors import Location, OutsideError
from assay.evidence import write_atomically

TAKEN_SECONDS = 600.0
MOST_WAITING = 1_000
_SENT = "sent"
_KEEP_SENT = 30 * 86_400.0


@dataclass(frozen=True, kw_only=True)
class Flushed:
    """How many messages went, how many wait, and why."""

    sent: int
    waiting: int
    trouble: str | None = None


def put(spool: Path, key: str, message: dict[str, Any]) -> None:
    """Keep a message under ``key``; one that waits or was sent under the same key is the same.

    Raises OutsideError where the disk does not take it, or where too many wait.
    """
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    if (spool / _SENT / name).exists() or any(spool.glob(f"*-{name}.*")):
        return
    waiting = len(list(_waiting(spool)))
    if waiting >= MOST_WAITING:
        raise OutsideError(
            f"{waiting:,} messages wait.",
            where=Location(file=spool.as_posix()),
            remedy="Repair the receiver's address, or remove what need not be sent any more.",
        )
    number = f"{time.time_ns():020d}"
    write_atomically(spool / f"{number}-{name}.json", json.dumps(message, sort_keys=True))


def flush(spool: Path, send: Callable[[dict[str, Any]], None]) -> Flushed:
    """Send what waits, the oldest first, until one does not go (OutsideError)."""
    _give_back(spool)
    sent = 0
    for file in list(_waiting(spool)):
        taken = file.with_suffix(".taken")
        try:
            file.rename(taken)
            taken.touch()
        except FileNotFoundError:
            continue  # another sender has it
        try:
            send(json.loads(taken.read_bytes()))
        except OutsideError as error:
            taken.rename(file)
            return Flushed(sent=sent, waiting=len(list(_waiting(spool))), trouble=error.message)
        sent += 1
        write_atomically(spool / _SENT / file.stem.partition("-")[2], b"")
        taken.unlink()
    _forget(spool)
    return Flushed(sent=sent, waiting=len(list(_waiting(spool))))


def _waiting(spool: Path) -> Iterator[Path]:
    return iter(sorted(spool.glob("[0-9]*-*.json")))


def _give_back(spool: Path) -> None:
    """Let go of what a sender that died had taken."""
    for taken in spool.glob("*.taken"):
        name = taken.stem.partition("-")[2]
        if (spool / _SENT / name).exists():
            taken.unlink(missing_ok=True)
        elif time.time() - taken.stat().st_mtime > TAKEN_SECONDS:
            taken.rename(taken.with_suffix(".json"))


def _forget(spool: Path) -> None:
    """Remove the marks of messages that no look could send again."""
    for mark in (spool / _SENT).glob("*"):
        if time.time() - mark.stat().st_mtime > _KEEP_SENT:
            mark.unlink(missing_ok=True)
