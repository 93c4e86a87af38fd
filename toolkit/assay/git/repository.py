"""A git repository, read through git itself; a branch name is never taken for an option."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from assay.errors import InputError, OutsideError
from assay.git.command import (
    LOCAL_SECONDS,
    NETWORK_SECONDS,
    Finished,
    Runner,
    git_arguments,
    git_environment,
    message_of,
    run_process,
)

_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_PARENT_OF = re.compile(rf"(?P<commit>{_SHA.pattern})\^(?P<number>[1-9])")
_DEEPEN_BY = (50, 200, 1000, 5000)
# Evidence, and what every run of Python or pytest leaves, ignored or not.
_NOT_THEIRS = tuple(
    f":(exclude,top,glob)**/{name}/**" for name in (".assay", "__pycache__", ".pytest_cache")
)


@dataclass(frozen=True, kw_only=True)
class Revision:
    """A commit and its tree, both in full hex."""

    commit: str
    tree: str


@dataclass(frozen=True)
class Repository:
    """The repository whose work tree is ``root``.

    ``environment`` is the whole environment git gets (PATH, HOME, credentials); ``run`` starts
    it. Every method raises OutsideError with git's own message where git fails.
    """

    root: Path
    environment: Mapping[str, str] = field(repr=False)
    run: Runner = field(default=run_process, repr=False)

    @classmethod
    def find(
        cls, folder: Path, environment: Mapping[str, str], run: Runner = run_process
    ) -> Repository:
        """Return the repository that ``folder`` lies in; raises InputError where there is none."""
        if not folder.is_dir():
            raise InputError(f"there is no folder {folder.as_posix()!r}.")
        found = cls(folder, environment, run)._git("rev-parse", "--show-toplevel")
        if found.code:
            said = message_of(found)
            if "not a git repository" in said:
                raise InputError(
                    f"{folder.as_posix()} lies in no git repository.",
                    remedy="Run this inside a checkout, or name one with --working-directory.",
                )
            raise OutsideError(f"git cannot read {folder.as_posix()}: {said}.")
        top = found.stdout.decode(errors="surrogateescape").removesuffix("\n")
        return cls(Path(top), environment, run)

    def resolve(self, ref: str) -> Revision:
        """Return the commit that ``ref`` names, and its tree."""
        found = self.try_resolve(ref)
        if found is None:
            raise OutsideError(
                f"git knows no commit {ref[:200]!r}.",
                remedy="Fetch it first (in a workflow: `fetch-depth: 0` at the checkout), "
                "or name another.",
            )
        return found

    def try_resolve(self, ref: str) -> Revision | None:
        """Return the commit that ``ref`` names and its tree, or None where there is none."""
        if not ref or "\0" in ref or "\n" in ref:
            return None
        commit = self._parse(f"{ref}^{{commit}}")
        tree = self._parse(f"{commit}^{{tree}}") if commit else None
        return Revision(commit=commit, tree=tree) if commit and tree else None

    def parents(self, commit: str) -> tuple[str, ...]:
        """Return the commits that ``commit`` was made from, also beyond a shallow boundary."""
        raw = self._must("cat-file", "commit", "--end-of-options", self.resolve(commit).commit)
        header = raw.split(b"\n\n", 1)[0].decode(errors="replace")
        return tuple(
            line.removeprefix("parent ")
            for line in header.splitlines()
            if line.startswith("parent ")
        )

    def parent(self, commit: str, number: int = 1) -> Revision | None:
        """Return the ``number``-th parent (from 1), fetched where a shallow clone lacks it."""
        parents = self.parents(commit)
        return self.obtain(parents[number - 1]) if len(parents) >= number else None

    def obtain(self, name: str) -> Revision:
        """Resolve ``name``; a full commit id that a shallow clone lacks is fetched first.

        ``<commit>^1`` is the first parent of ``<commit>``, obtained in the same way.
        """
        found = self.try_resolve(name)
        child = _PARENT_OF.fullmatch(name)
        if found is None and child:
            self.obtain(child["commit"])
            found = self.parent(child["commit"], int(child["number"]))
        elif found is None and _SHA.fullmatch(name):
            self._must(
                "fetch", "--quiet", "--no-tags", "--depth=1", "--end-of-options",
                self._remote(), name,
                timeout=NETWORK_SECONDS,
                doing=f"fetching commit {name[:12]}",
            )  # fmt: skip
        return found or self.resolve(name)

    def merge_base(self, one: str, other: str) -> Revision | None:
        """Return the best common ancestor, deepening a shallow clone as far as it takes.

        None where the two share no history.
        """
        ends = (self.resolve(one).commit, self.resolve(other).commit)
        for depth in (0, *_DEEPEN_BY, None):
            if depth != 0:
                self._deepen(ends, depth)
            found = self._git("merge-base", "--end-of-options", *ends)
            if found.code == 0:
                return self.resolve(found.stdout.decode().split()[0])
            if found.code != 1:
                raise OutsideError(f"git merge-base failed: {message_of(found)}.")
            if not self.is_shallow():
                return None
        return None

    def is_shallow(self) -> bool:
        """Whether history was cut off when this repository was fetched."""
        return self._must("rev-parse", "--is-shallow-repository").strip() == b"true"

    def changed_paths(self, base: str, head: str) -> tuple[str, ...]:
        """Return the paths that differ between two commits, sorted; both names of a rename.

        Bytes of a name that are no UTF-8 are shown as ``\\xNN``.
        """
        ends = (self.resolve(base).commit, self.resolve(head).commit)
        return _names(
            self._must("diff-tree", "-r", "-z", "--name-only", "--no-renames", *ends, "--")
        )

    def uncommitted_paths(self) -> tuple[str, ...]:
        """Return the paths of the work tree that differ from HEAD, untracked ones included."""
        changed = self._must("diff", "-z", "--name-only", "--no-renames", "--no-ext-diff",
                             "HEAD", "--", ":/", *_NOT_THEIRS)  # fmt: skip
        untracked = self._must(
            "ls-files", "-z", "--others", "--exclude-standard", "--full-name", "--", ":/",
            *_NOT_THEIRS,
        )  # fmt: skip
        return tuple(sorted({*_names(changed), *_names(untracked)}))

    def is_dirty(self) -> bool:
        """Whether the work tree differs from HEAD (`.assay` and caches of Python do not count)."""
        return bool(self.uncommitted_paths())

    def show_file(self, ref: str, path: str, *, filters: bool = False) -> bytes | None:
        """Return a file's bytes at ``ref``, None where there is no such file.

        ``path`` is relative to the root. With ``filters`` the content is what a checkout would
        hold (a file of Git LFS instead of its pointer); without, what git stores.
        """
        if "\0" in path or "\n" in path:
            return None
        name = f"{self.resolve(ref).commit}:{path}"
        kind = self._git("cat-file", "-t", name)
        if kind.code or kind.stdout.strip() != b"blob":
            return None
        how = "--filters" if filters else "blob"
        return self._must("cat-file", how, name, timeout=NETWORK_SECONDS)

    def holds(self, path: Path) -> bool:
        """Whether HEAD has something at ``path``, or reaches it through a link or a submodule.

        What lies there may then be what the commit's author put there. Paths outside the work
        tree are not held.
        """
        place = os.path.normpath(self.root / path)
        try:
            inside = Path(place).relative_to(self.root)
        except ValueError:
            return False
        names = [part.as_posix() for part in (inside, *inside.parents) if part.parts]
        if not names:
            return True
        found = self._must("--literal-pathspecs", "ls-tree", "-z", "HEAD", "--", *names)
        for entry in found.decode(errors="surrogateescape").split("\0")[:-1]:
            facts, _, name = entry.partition("\t")
            if name == names[0] or (name in names and facts.split()[1] != "tree"):
                return True
        return False

    def commit_time(self, commit: str) -> int:
        """Return the committer's time, in seconds since 1970."""
        sha = self.resolve(commit).commit
        return int(self._must("show", "--no-patch", "--format=%ct", sha).split()[-1])

    def default_branch(self) -> str | None:
        """Return the ref of the branch changes are merged into, None where none is found."""
        remote = self._git("symbolic-ref", "--quiet", "refs/remotes/origin/HEAD")
        named = [remote.stdout.decode(errors="replace").strip()] if remote.code == 0 else []
        usual = [f"refs/{place}/{name}" for place in ("remotes/origin", "heads")
                 for name in ("main", "master")]  # fmt: skip
        return next((ref for ref in (*named, *usual) if self.try_resolve(ref)), None)

    def remote_url(self, name: str = "origin", *, as_used: bool = False) -> str | None:
        """Return a remote's address without any user name or password, None where none is set.

        ``as_used`` keeps them, and names a folder in full: for git alone, never to be shown.
        """
        found = self._git("remote", "get-url", "--", name)
        address = found.stdout.decode(errors="surrogateescape").strip()
        if found.code or not as_used:
            return None if found.code else _USERINFO.sub("", address)
        return str(self.root / address) if (self.root / address).is_dir() else address

    @contextmanager
    def worktree(self, commit: str, destination: Path) -> Iterator[Path]:
        """Check ``commit`` out into ``destination`` for as long as the context lasts.

        Git LFS files are fetched as this checkout's configuration says (its smudge filter
        runs), submodules where this checkout has them. ``destination`` must not exist; it is
        removed whatever happens.
        """
        sha = self.resolve(commit).commit
        try:
            self._must(
                "worktree", "add", "--quiet", "--force", "--detach", "--end-of-options",
                destination.absolute().as_posix(), sha,
                timeout=NETWORK_SECONDS, doing=f"checking out {sha[:12]} beside this checkout",
            )  # fmt: skip
            if (destination / ".gitmodules").is_file() and self._has_submodules():
                inside = Repository(destination, self.environment, self.run)
                inside._must("submodule", "--quiet", "update", "--init", "--recursive",
                             timeout=NETWORK_SECONDS, doing="fetching submodules")  # fmt: skip
            yield destination
        finally:
            # `worktree remove` refuses folders with submodules; pruning forgets what is gone.
            shutil.rmtree(destination, ignore_errors=True)
            self._git("worktree", "prune")

    def _has_submodules(self) -> bool:
        status = self._git("submodule", "status")
        return any(line and line[:1] != b"-" for line in status.stdout.splitlines())

    def _deepen(self, commits: tuple[str, ...], depth: int | None) -> None:
        how = "--unshallow" if depth is None else f"--deepen={depth}"
        self._must(
            "fetch", "--quiet", "--no-tags", how, "--end-of-options", self._remote(), *commits,
            timeout=NETWORK_SECONDS, doing="deepening the shallow clone to find the merge base",
        )  # fmt: skip

    def _remote(self) -> str:
        names = self._must("remote").decode(errors="replace").split()
        if not names:
            raise OutsideError(
                "history is cut off here and there is no remote to fetch the rest from.",
                remedy="Clone it in full (in a workflow: `fetch-depth: 0` at the checkout).",
            )
        return "origin" if "origin" in names else names[0]

    def _parse(self, expression: str) -> str | None:
        found = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", expression)
        words = found.stdout.decode(errors="replace").split()
        return words[-1] if found.code == 0 and words and _SHA.fullmatch(words[-1]) else None

    def _git(self, *arguments: str, timeout: float = LOCAL_SECONDS) -> Finished:
        return self.run(
            git_arguments(arguments), self.root, git_environment(self.environment), timeout
        )

    def _must(
        self, *arguments: str, timeout: float = LOCAL_SECONDS, doing: str | None = None
    ) -> bytes:
        finished = self._git(*arguments, timeout=timeout)
        if finished.code:
            what = doing or f"git {arguments[0]}"
            raise OutsideError(f"{what} failed: {_USERINFO.sub('', message_of(finished))}.")
        return finished.stdout


def _names(output: bytes) -> tuple[str, ...]:
    names = (name.decode(errors="backslashreplace") for name in output.split(b"\0") if name)
    return tuple(sorted(set(names)))
