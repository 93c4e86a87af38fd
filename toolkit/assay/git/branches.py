"""One branch of a remote, read and appended to in a scratch repository, without a work tree.

The push names the commit that the branch must still be at (``--force-with-lease``), and what is
pushed is a child of that commit: it is a compare-and-swap and can overwrite nothing.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from assay.errors import OutsideError
from assay.git.command import (
    LOCAL_SECONDS,
    Finished,
    Runner,
    git_arguments,
    git_environment,
    message_of,
    run_process,
)

REMOTE_SECONDS = 60.0
"""These branches are small: a remote that takes longer is away, and a plan must not wait for it."""
_IDENTITY = ("-c", "user.name=Assay", "-c", "user.email=assay@localhost")
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_LOST = re.compile(
    r"stale info|fetch first|non-fast-forward|cannot lock ref|failed to update ref|"
    r"incorrect old value|already exists|reference already"
)
"""What git says where somebody else moved the branch first; anything else is a refusal."""
_FETCHED = "refs/fetched"


class Push(Enum):
    """How a push ended that reached the remote and was not refused for good."""

    DONE = "done"
    LOST = "lost"
    """Another writer was first: fetch, and append to what they wrote."""


class Refused(OutsideError):
    """The remote takes no push to this branch from us: a protection, a hook, a permission."""


def authorised(environment: Mapping[str, str], server_url: str, basic: str) -> dict[str, str]:
    """Return ``environment`` in which git sends a Basic header to one server, out of any argument.

    Settings that the environment gives git already stay.
    """
    known = environment.get("GIT_CONFIG_COUNT", "")
    place = int(known) if known.isascii() and known.isdigit() else 0
    return {
        **environment,
        "GIT_CONFIG_COUNT": str(place + 1),
        f"GIT_CONFIG_KEY_{place}": f"http.{server_url.rstrip('/')}/.extraheader",
        f"GIT_CONFIG_VALUE_{place}": f"Authorization: Basic {basic}",
    }


def without_password(remote: str) -> str:
    """Return the address of a remote as it may be shown."""
    return _USERINFO.sub("", remote)


@dataclass(frozen=True, kw_only=True)
class RemoteBranch:
    """The branch ``ref`` of ``remote`` (an address or a path); ``scratch`` is a repository of ours.

    Made by :func:`open_branch`. Every method raises OutsideError where git or the remote fails.
    """

    remote: str = field(repr=False)
    ref: str
    """The branch's full name, such as refs/heads/assay/desired."""
    scratch: Path
    environment: Mapping[str, str] = field(repr=False)
    run: Runner = field(default=run_process, repr=False)

    @property
    def name(self) -> str:
        """The branch's short name."""
        return self.ref.removeprefix("refs/heads/").removeprefix("refs/remotes/")

    def tip(self) -> str | None:
        """Return the branch's commit on the remote, and bring nothing; None: no such branch."""
        listed = self._must("ls-remote", self.remote, self.ref, doing=self._doing("asking"))
        names = [line.partition("\t") for line in listed.decode(errors="replace").splitlines()]
        return next((commit for commit, _, name in names if name == self.ref), None)

    def fetch(self) -> str | None:
        """Bring the branch here; return its commit, or None where the remote has no such branch."""
        if self.tip() is None:
            return None
        target = f"+{self.ref}:{_FETCHED}"
        self._must(
            "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--end-of-options",
            self.remote, target, doing=self._doing("fetching"),
        )  # fmt: skip
        return self._must("rev-parse", "--verify", _FETCHED).decode().strip()

    def bring(self, commit: str) -> None:
        """Bring one commit of the remote here, by its id and without its history."""
        self._must(
            "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--depth=1",
            "--end-of-options", self.remote, commit, doing=f"fetching {commit[:12]}",
        )  # fmt: skip

    def facts(self, commit: str) -> tuple[str, str, str]:
        """Return tree, first parent (or nothing) and the author's address of a commit."""
        shown = self._must("log", "-1", "--format=%T%x00%ae", commit).decode(errors="replace")
        tree, _, author = shown.strip().partition("\0")
        raw = self._must("cat-file", "commit", commit).decode(errors="replace").splitlines()
        parent = next((line[7:] for line in raw if line.startswith("parent ")), "")
        return tree, parent, author

    def files(
        self,
        commit: str,
        prefix: str = "",
        *,
        most: int,
        wanted: Callable[[str], bool] = lambda _: True,
    ) -> dict[str, bytes]:
        """Return the content of the plain files below ``prefix`` that are ``wanted``, by path.

        Files of more than ``most`` bytes are cut off after one more: nothing is read whole that
        the caller would refuse.
        """
        where = [prefix] if prefix else []
        raw = self._must(
            "--literal-pathspecs", "ls-tree", "-r", "-z", "--long", "--full-tree", commit, "--",
            *where,
        )  # fmt: skip
        found = {}
        for entry in raw.decode(errors="surrogateescape").split("\0")[:-1]:
            facts, _, path = entry.partition("\t")
            mode, _, blob, size = facts.split()
            if mode.startswith("100") and wanted(path):
                large = int(size) > most
                found[path] = b"\0" * (most + 1) if large else self._must("cat-file", "blob", blob)
        return found

    def commit(self, parent: str | None, files: Mapping[str, bytes | None], *, message: str) -> str:
        """Make a commit upon ``parent`` (or a first one) in which ``files`` are as given.

        A file that is given as None is not in it.
        """
        if parent is None:
            self._must("read-tree", "--empty")
        else:
            self._must("read-tree", parent)
        content = self.scratch / "content"
        for path, data in files.items():
            if data is None:
                self._must("update-index", "--force-remove", "--", path)
                continue
            content.write_bytes(data)
            blob = self._must("hash-object", "-w", "--no-filters", str(content)).decode().strip()
            self._must("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
        tree = self._must("write-tree").decode().strip()
        parents = ["-p", parent] if parent else []
        made = self._must(*_IDENTITY, "commit-tree", tree, *parents, "-m", message)
        return made.decode().strip()

    def push(self, commit: str, *, expected: str | None) -> Push:
        """Move the branch from ``expected`` (None: it does not exist) to ``commit``.

        Records are appended to, so there it is a child; a proposal is replaced.

        Raises Refused where the remote takes no push to this branch.
        """
        lease = f"--force-with-lease={self.ref}:{expected or ''}"
        done = self._git(
            "push", "--porcelain", "--no-follow-tags", lease, "--end-of-options", self.remote,
            f"{commit}:{self.ref}", timeout=REMOTE_SECONDS,
        )  # fmt: skip
        if done.code == 0:
            return Push.DONE
        lines = done.stdout.decode(errors="replace").splitlines()
        rejected = [line.split("\t")[-1] for line in lines if line.startswith("!")]
        if not rejected:
            raise OutsideError(f"{self._doing('pushing')} failed: {_said(done)}.")
        if _LOST.search(rejected[0]):
            return Push.LOST
        raise Refused(
            f"{without_password(self.remote)} takes no push to {self.name}: "
            f"{rejected[0][:200]} ({_said(done)}).",
            remedy="Give a token that may write this branch past its ruleset (docs/owners.md).",
        )

    def _doing(self, what: str) -> str:
        return f"{what} {self.name} of {without_password(self.remote)}"

    def _git(self, *arguments: str, timeout: float = LOCAL_SECONDS) -> Finished:
        environment = git_environment(self.environment)
        return self.run(git_arguments(arguments), self.scratch, environment, timeout)

    def _must(self, *arguments: str, doing: str | None = None) -> bytes:
        finished = self._git(*arguments, timeout=REMOTE_SECONDS if doing else LOCAL_SECONDS)
        if finished.code:
            raise OutsideError(f"{doing or f'git {arguments[0]}'} failed: {_said(finished)}.")
        return finished.stdout


def _said(finished: Finished) -> str:
    return _USERINFO.sub("", message_of(finished))


@contextmanager
def open_branch(
    remote: str,
    ref: str,
    environment: Mapping[str, str],
    *,
    temporary: Path | None = None,
    run: Runner = run_process,
) -> Iterator[RemoteBranch]:
    """Open a branch of ``remote`` in a scratch repository that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="assay-branch-", dir=temporary) as folder:
        branch = RemoteBranch(
            remote=remote, ref=ref, scratch=Path(folder), environment=environment, run=run
        )
        branch._must("init", "--quiet", "--initial-branch=scratch")
        yield branch
