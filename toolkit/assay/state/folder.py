"""One folder of a branch that belongs to others: replaced whole, by compare-and-swap.

Nothing outside the folder is touched, and a folder that has files but no marker of ours is left
alone. Other writers of the branch are no conflict: what is written goes upon what they wrote.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from assay.errors import InputError, Location, OutsideError
from assay.git import Push, Refused, RemoteBranch, open_branch, without_password
from assay.state.branch import MAX_FILE_BYTES, Files
from assay.state.desired import Remote

TRIES = 8
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0


@dataclass(frozen=True, kw_only=True)
class Written:
    """The folder at one commit of the branch; paths are relative to it.

    ``new`` says that the commit was made just now.
    """

    commit: str
    files: Files
    new: bool = False


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """The files that the folder shall have, all of them, and the commit's message."""

    files: Files
    message: str


Change = Callable[[Written], Proposal]


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder of a branch; ``marker`` is the file in it that says that it is ours."""

    branch: RemoteBranch
    path: str
    marker: str
    sleep: Callable[[float], object] = field(default=time.sleep, repr=False)
    jitter: Callable[[], float] = field(default=random.random, repr=False)

    def read(self) -> Written:
        """Return the folder as it is on the remote.

        Raises OutsideError where the remote is away, and InputError where there is no such branch
        or the folder is not ours.
        """
        commit = self.branch.fetch()
        if commit is None:
            raise InputError(
                f"{without_password(self.branch.remote)} has no branch {self.branch.name}.",
                remedy="Create it; Assay writes one folder of a branch and makes none.",
            )
        prefix = f"{self.path}/"
        found = self.branch.files(commit, self.path, most=MAX_FILE_BYTES)
        files = {path.removeprefix(prefix): data for path, data in found.items()}
        if files and self.marker not in files:
            raise InputError(
                "this folder has files, and none that says that Assay wrote them.",
                where=Location(file=f"{self.branch.name}:{self.path}"),
                remedy="Name another folder, or remove what is in this one.",
            )
        return Written(commit=commit, files=files)

    def replace(self, change: Change, *, tries: int = TRIES) -> Written:
        """Make the folder what ``change`` makes of it; where that is what it is, write nothing.

        Where another writer was first, or the remote does not answer, it begins again, at most
        ``tries`` times. Raises what stood in the way the last time, and Refused at once.
        """
        for attempt in range(1, tries + 1):
            try:
                done = self._try(change)
            except Refused:
                raise
            except OutsideError:
                if attempt == tries:
                    raise
                done = None
            if done is not None:
                return done
            if attempt < tries:
                longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (attempt - 1))
                self.sleep(longest * (0.5 + self.jitter() / 2))
        raise OutsideError(
            f"{self.branch.name} was moved by other writers {tries} times in a row.",
            remedy="Run it again: nothing was written, and nothing is lost.",
        )

    def _try(self, change: Change) -> Written | None:
        found = self.read()
        wanted = change(found)
        if dict(wanted.files) == dict(found.files):
            return found
        gone: Mapping[str, bytes | None] = dict.fromkeys(set(found.files) - set(wanted.files))
        files = {
            f"{self.path}/{path}": data
            for path, data in {**gone, **wanted.files}.items()
            if data != found.files.get(path)
        }
        commit = self.branch.commit(found.commit, files, message=wanted.message)
        if self.branch.push(commit, expected=found.commit) is Push.LOST:
            return None
        return Written(commit=commit, files=wanted.files, new=True)


@contextmanager
def open_folder(remote: Remote, name: str, path: str, marker: str) -> Iterator[Folder]:
    """Open a folder of the branch ``name`` of ``remote``; its scratch repository goes with it."""
    ref = f"refs/heads/{name}"
    with open_branch(remote.address, ref, remote.variables) as branch:
        yield Folder(branch=branch, path=path, marker=marker)
