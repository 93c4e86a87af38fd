"""Who hears of nothing until when: silences and acknowledgements, journaled on ``assay/desired``.

``silences/<model>.jsonl`` holds JSON objects, oldest first; lines are only added, and the newest
one about a problem counts. They hold back messages and nothing else: no guard, verdict or rollback
reads them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from assay.errors import InputError
from assay.state.branch import MAX_FILE_BYTES, Appended, Files, StateBranch
from assay.state.desired import DESIRED
from assay.state.lines import MODEL, TIME, damaged, line_of

FOLDER = "silences/"
LONGEST = timedelta(days=31)
MOST_ENTRIES = 10_000
_PROBLEM = re.compile(r"[a-z-]{1,30}:\S[^\x00-\x1f\x7f]{0,299}")
Kind = Literal["silence", "ack", "lift"]
KINDS: tuple[Kind, ...] = ("silence", "ack", "lift")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line: ``problem`` is ``kind:subject``; times are UTC (ISO 8601, whole seconds).

    A silence ends at ``until``. An acknowledgement also ends when the problem passes: one that
    begins after it is news. Raises InputError for anything that could not be written or read back.
    """

    kind: Kind
    model: str
    problem: str
    by: str
    at: str
    reason: str
    until: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is of another form."""
        if not MODEL.fullmatch(self.model) or self.kind not in KINDS:
            raise InputError(f"{self.model[:80]!r} is no model.")
        if not _PROBLEM.fullmatch(self.problem):
            raise InputError(
                f"{self.problem[:80]!r} is no problem.",
                remedy="Write kind:subject as a look shows it, such as quality:f1.",
            )
        for name, value in (("--by", self.by), ("--reason", self.reason)):
            if not value.strip() or len(value) > 500:
                raise InputError(f"{name} is empty, or longer than 500 characters.")
        if not TIME.fullmatch(self.at) or not TIME.fullmatch(self.until or self.at):
            raise InputError("a time is not UTC as 2026-03-09T10:00:00Z.")
        if self.kind == "silence" and self.until is None:
            raise InputError("a silence has an end.", remedy="Name it with --until.")
        if self.until is not None and not self.at < self.until <= stamp(_read(self.at) + LONGEST):
            raise InputError(
                f"--until {self.until} is not within {LONGEST.days} days from now.",
                remedy="Nobody remembers a longer silence: renew it.",
            )

    def line(self) -> bytes:
        """The line that it is."""
        facts = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "model"}
        return line_of(facts)


def stamp(moment: datetime) -> str:
    """Return a time as an entry has it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


def in_force(entries: Iterable[Entry], problem: str, *, since: str, now: datetime) -> Entry | None:
    """Return what holds messages about a problem back, which began ``since``; None: nothing."""
    newest = None
    for entry in entries:
        if entry.problem == problem:
            newest = entry
    if newest is None or newest.kind == "lift":
        return None
    if newest.until is not None and _read(newest.until) <= now:
        return None
    if newest.kind == "ack" and _read(since) > _read(newest.at):
        return None
    return newest


def entries_in(model: str, content: bytes) -> tuple[Entry, ...]:
    """Read one file; raises IntegrityError naming the line that is none."""
    path = f"{FOLDER}{model}.jsonl"
    found = []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            facts = json.loads(line)
            found.append(Entry(model=model, **facts))
        except (InputError, ValueError, TypeError, RecursionError):
            raise damaged(
                path, number, "this line is no silence", remedy="delete the line."
            ) from None
    return tuple(found)


def read_silences(branch: StateBranch, model: str) -> tuple[Entry, ...]:
    """Read what was written about a model, oldest first."""
    path = f"{FOLDER}{model}.jsonl"
    content = branch.read(FOLDER, wanted=lambda found: found == path).files.get(path, b"")
    return entries_in(model, content)


def append_silence(branch: StateBranch, entry: Entry) -> Appended:
    """Add one line; where another writer is first it begins again. The same line is added once."""
    path = f"{FOLDER}{entry.model}.jsonl"

    def change(files: Files) -> Files:
        content = files.get(path, b"")
        known = entries_in(entry.model, content)
        if entry in known:
            return {}
        if len(known) >= MOST_ENTRIES or len(content) + len(entry.line()) > MAX_FILE_BYTES:
            raise InputError(
                f"{path} is full.", remedy=f"Move old lines away by a commit to {DESIRED}."
            )
        return {path: content + entry.line()}

    return branch.append(FOLDER, change, message=f"{entry.kind} {entry.problem} of {entry.model}")
