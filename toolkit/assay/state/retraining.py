"""The book of retrainings: one file for each model, one line for each thing that happened.

``retraining/<model>.jsonl`` holds JSON objects, oldest first. Lines are only added. A reservation
is live from when it was written until it is said to have ended, or until its own time is up: a
run that was killed blocks nobody for longer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from assay.state.branch import Files, StateBranch
from assay.state.lines import MODEL, TIME, damaged, line_of, lines_in

FOLDER = "retraining/"
KINDS = ("counted", "reserved", "ended")
OUTCOMES = ("proposed", "unchanged", "failed", "closed")
_REMEDY = "delete the file: cooldown and budget then count from there on."
_ID = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line: rows that were counted, a reservation, or how one ended.

    Raises ValueError for anything that is not of its form.
    """

    kind: str
    id: str
    at: str
    until: str | None = None
    rows: int | None = None
    outcome: str | None = None
    pull: int | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be read back."""
        wrong = (
            self.kind not in KINDS
            or not _ID.fullmatch(self.id)
            or not all(found is None or TIME.fullmatch(found) for found in (self.at, self.until))
            or (self.kind == "reserved") != (self.until is not None)
            or (self.outcome in OUTCOMES) != (self.kind == "ended")
            or not all(
                number is None or (type(number) is int and 0 <= number < 2**63)
                for number in (self.rows, self.pull)
            )
        )
        if wrong:
            raise ValueError("this is no entry")

    def line(self) -> bytes:
        """The line that it is."""
        return line_of(asdict(self))


def live(book: tuple[Entry, ...], now: datetime) -> tuple[Entry, ...]:
    """Return the reservations that still hold: not said to have ended, and within their time."""
    last = {entry.id: entry for entry in book if entry.kind != "counted"}
    return tuple(
        entry for entry in last.values() if entry.until is not None and time_of(entry.until) > now
    )


def time_of(text: str) -> datetime:
    """Read a time of the book, which is UTC."""
    return datetime.fromisoformat(text)


def path_of(model: str) -> str:
    """Return the path of a model's book; raises ValueError for what is no model's name."""
    if not MODEL.fullmatch(model):
        raise ValueError(f"{model[:80]!r} is no model's name")
    return f"{FOLDER}{model}.jsonl"


def entries_in(files: Files, model: str) -> tuple[Entry, ...]:
    """Read a model's book; raises IntegrityError naming the line that is none."""
    path = path_of(model)
    found = []
    for number, line in lines_in(path, files.get(path, b""), remedy=_REMEDY):
        try:
            found.append(Entry(**json.loads(line)))
        except (ValueError, TypeError, RecursionError):
            raise damaged(path, number, "this line is no entry", remedy=_REMEDY) from None
    return tuple(found)


def read_book(branch: StateBranch, model: str) -> tuple[Entry, ...]:
    """Fetch a model's book; empty where there is none yet."""
    path = path_of(model)
    return entries_in(branch.read(path, wanted=lambda name: name == path).files, model)


def write_book(
    branch: StateBranch, model: str, add: Callable[[tuple[Entry, ...]], tuple[Entry, ...]]
) -> tuple[Entry, ...]:
    """Add what ``add`` makes of the book as it is now; return what was added.

    Where another writer was first, ``add`` is asked again with what they wrote: of two that
    reserve at once one sees the other's reservation.
    """
    path = path_of(model)
    added: tuple[Entry, ...] = ()

    def change(files: Files) -> Files:
        nonlocal added
        added = add(entries_in(files, model))
        if not added:
            return {}
        return {path: files.get(path, b"") + b"".join(entry.line() for entry in added)}

    branch.append(path, change, message=f"{model}: retraining")
    return added
