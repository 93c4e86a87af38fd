"""Records on one branch: read whole, and appended to so that no writer undoes another.

An append is one commit and one push that names the commit it was made upon. Killed before the
push, it left nothing; killed after, the next try finds its own records there and adds none.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from assay.errors import InputError, IntegrityError, Location, OutsideError
from assay.git import Push, Refused, RemoteBranch, without_password

MARKER = "assay.json"
"""Stands at the root of every branch of ours, so that nobody else's is written to."""
SCHEMA = "assay/state/1"
MAX_FILE_BYTES = 4 * 1024 * 1024
TRIES = 8
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0

Files = Mapping[str, bytes]
Change = Callable[[Files], Files]
"""Given the files as they are, those to write; none where there is nothing to add."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The records at one commit; ``commit`` is None where there is no branch yet."""

    commit: str | None
    files: Files


@dataclass(frozen=True, kw_only=True)
class Appended:
    """What an append did: the commit that holds the records, and how many tries it took."""

    commit: str | None
    written: tuple[str, ...]
    tries: int


@dataclass(frozen=True, kw_only=True)
class StateBranch:
    """One branch of records. ``sleep`` (seconds) and ``jitter`` (0 to 1) space the tries."""

    branch: RemoteBranch
    sleep: Callable[[float], object] = field(default=time.sleep, repr=False)
    jitter: Callable[[], float] = field(default=random.random, repr=False)

    def read(self, prefix: str, *, wanted: Callable[[str], bool] = lambda _: True) -> Snapshot:
        """Return the files below ``prefix`` whose path is ``wanted``.

        Raises OutsideError where the remote is away, and InputError where the branch is not ours.
        """
        commit = self.branch.fetch()
        if commit is None:
            return Snapshot(commit=None, files={})
        self._check_ours(commit)
        files = self.branch.files(commit, prefix, most=MAX_FILE_BYTES, wanted=wanted)
        return Snapshot(commit=commit, files=files)

    def append(self, prefix: str, change: Change, *, message: str, tries: int = TRIES) -> Appended:
        """Write what ``change`` makes of the files below ``prefix``, upon the newest commit.

        Where another writer was first, or the remote does not answer, it begins again, at most
        ``tries`` times. Raises what stood in the way the last time, and Refused at once.
        """
        for attempt in range(1, tries + 1):
            try:
                done = self._try(prefix, change, message, attempt)
            except Refused:
                raise
            except OutsideError:
                if attempt == tries:
                    raise
                done = None
            if done is not None:
                return done
            if attempt < tries:
                self.sleep(self._pause(attempt))
        raise OutsideError(
            f"{self.branch.name} was moved by other writers {tries} times in a row.",
            remedy="Run it again: nothing was written, and nothing is lost.",
        )

    def _try(self, prefix: str, change: Change, message: str, attempt: int) -> Appended | None:
        found = self.read(prefix)
        wanted = dict(change(found.files))
        if not wanted:
            return Appended(commit=found.commit, written=(), tries=attempt)
        if found.commit is None:
            wanted[MARKER] = marker(self.branch.name)
        commit = self.branch.commit(found.commit, wanted, message=message)
        if self.branch.push(commit, expected=found.commit) is Push.LOST:
            return None
        return Appended(commit=commit, written=tuple(sorted(wanted)), tries=attempt)

    def _pause(self, attempt: int) -> float:
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (attempt - 1))
        return longest * (0.5 + self.jitter() / 2)

    def _check_ours(self, commit: str) -> None:
        content = self.branch.files(commit, MARKER, most=MAX_FILE_BYTES).get(MARKER)
        where = Location(file=f"{self.branch.name}:{MARKER}")
        if content is None:
            raise InputError(
                f"the branch {self.branch.name} of {without_password(self.branch.remote)} is not "
                "Assay's: it has no such file.",
                where=where,
                remedy="Rename that branch; Assay makes its own.",
            )
        try:
            schema = json.loads(content).get("schema")
        except (ValueError, AttributeError):
            schema = None
        if schema != SCHEMA:
            raise IntegrityError(
                f"this does not say {SCHEMA}, so the branch is another version's or damaged.",
                where=where,
                remedy="Look at the branch's last commits; nothing was written to it.",
            )


def marker(name: str) -> bytes:
    """Return the content of the file that makes a branch ours."""
    note = "Records of Assay, written by its commands alone; see docs/owners.md."
    facts = {"schema": SCHEMA, "branch": name, "note": note}
    return (json.dumps(facts, indent=2, sort_keys=True) + "\n").encode()
