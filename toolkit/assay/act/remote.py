"""The git remote that stands for GitHub: one bare repository with branches and pull refs."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.act.gitcli import git, run_git, unconfigured
from assay.errors import InputError, OutsideError

AUTHOR = "assay act"
EMAIL = "assay-act@localhost"
SERVER_URL = re.compile(
    r"(?:(?:https?|ssh)://[^/]+/|[^/@]+@[^/:]+:)([\w.-]+)/([\w.-]+?)(?:\.git)?/?"
)
UNFIT = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A bare repository at ``path`` for ``slug``.

    git runs in it with ``env``, and with ``source_env`` where it reads the user's repository.
    """

    path: Path
    slug: str
    env: Mapping[str, str]
    source_env: Mapping[str, str]

    def git(self, *arguments: str) -> str:
        return git(self.path, *arguments, env=self.env)

    def fetch(self, source: Path, *refspecs: str) -> None:
        words = ["fetch", "--quiet", "--no-tags", str(source), *refspecs]
        git(self.path, *words, env=self.source_env)

    def commit_of(self, name: str) -> str:
        """The commit that a branch, ref or SHA names; InputError if there is none."""
        for candidate in (f"refs/heads/{name}", name):
            done = run_git(
                self.path,
                "rev-parse",
                "--verify",
                "--quiet",
                candidate + "^{commit}",
                env=self.env,
                check=False,
            )
            if done.returncode == 0:
                return done.stdout.decode().strip()
        branches = self.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()
        raise InputError(
            f"the repository has no branch or commit '{name}'.",
            remedy=f"Branches: {', '.join(branches) or 'none'}.",
        )

    def set_ref(self, ref: str, commit: str) -> None:
        self.git("update-ref", ref, commit)

    def commit_tree(self, tree: str, *parents: str, message: str) -> str:
        """A commit dated as its last parent, so that the same content gives the same SHA."""
        date = self.git("show", "--no-patch", "--format=%ct +0000", parents[-1])
        identity = {
            "GIT_AUTHOR_NAME": AUTHOR,
            "GIT_AUTHOR_EMAIL": EMAIL,
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_NAME": AUTHOR,
            "GIT_COMMITTER_EMAIL": EMAIL,
            "GIT_COMMITTER_DATE": date,
        }
        chain = [word for parent in parents for word in ("-p", parent)]
        return git(
            self.path, "commit-tree", tree, *chain, "-m", message, env={**self.env, **identity}
        )

    def contains(self, commit: str, ancestor: str) -> bool:
        """Whether ``ancestor`` is ``commit`` or in its history."""
        words = ["merge-base", "--is-ancestor", ancestor, commit]
        return run_git(self.path, *words, env=self.env, check=False).returncode == 0

    def merge(self, base: str, head: str, *, message: str) -> str:
        """The merge commit of ``base`` and ``head``, as GitHub makes it; first parent is base."""
        done = run_git(
            self.path, "merge-tree", "--write-tree", base, head, env=self.env, check=False
        )
        if done.returncode == 1:
            words = done.stdout.decode(errors="replace").strip().splitlines()
            conflicts = [line for line in words if line.startswith("CONFLICT")]
            raise InputError(
                "the pull request conflicts with its base, and GitHub starts no run for one:"
                f" {'; '.join(conflicts)}",
                remedy="Merge or rebase onto the base first.",
            )
        if done.returncode:
            raise OutsideError(
                f"git merge-tree failed: {done.stderr.decode(errors='replace').strip()}",
                remedy="It needs git 2.38 or later.",
            )
        tree = done.stdout.decode().split()[0]
        return self.commit_tree(tree, base, head, message=message)


def top_level(folder: Path, env: Mapping[str, str]) -> Path:
    """The top of the working tree that ``folder`` lies in; InputError if it lies in none."""
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}.")
    done = run_git(folder, "rev-parse", "--show-toplevel", env=env, check=False)
    if done.returncode:
        raise InputError(
            f"{folder} is not in a git repository.",
            remedy="Run it in a clone of the repository, or 'git init' and commit first.",
        )
    return Path(done.stdout.decode().strip())


def slug_of(folder: Path, env: Mapping[str, str]) -> str:
    """``owner/name`` of ``origin``, if that is on a server; else ``octo/<name of the folder>``."""
    done = run_git(folder, "config", "remote.origin.url", env=env, check=False)
    found = SERVER_URL.fullmatch(done.stdout.decode(errors="replace").strip())
    if found:
        return f"{found[1]}/{found[2]}"
    return f"octo/{UNFIT.sub('-', folder.name) or 'consumer'}"


def make_remote(source: Path, path: Path, *, slug: str, env: Mapping[str, str]) -> Remote:
    """A bare repository with the branches and tags of ``source``, the user's with ``env``.

    A branch that ``source`` only has as ``origin/<branch>`` becomes a branch too.
    """
    path.mkdir(parents=True)
    remote = Remote(path=path, slug=slug, env=unconfigured(env), source_env=env)
    remote.git("init", "--quiet", "--bare")
    remote.git("config", "uploadpack.allowAnySHA1InWant", "true")
    fetch_branches(remote, source)
    return remote


def fetch_branch(remote: Remote, source: Path, name: str) -> None:
    """Bring one branch of the remote to where ``source`` has it, if ``source`` has it."""
    ref = f"refs/heads/{name}"
    words = ["show-ref", "--verify", "--quiet", ref]
    if run_git(source, *words, env=remote.source_env, check=False).returncode == 0:
        remote.fetch(source, f"+{ref}:{ref}")


def fetch_branches(remote: Remote, source: Path) -> None:
    """Bring the remote's branches and tags to where ``source`` has them."""
    refs = git(source, "for-each-ref", "--format=%(refname)", env=remote.source_env).split()
    local = {ref.removeprefix("refs/heads/") for ref in refs if ref.startswith("refs/heads/")}
    tracked = {
        ref.removeprefix("refs/remotes/origin/")
        for ref in refs
        if ref.startswith("refs/remotes/origin/")
    }
    refspecs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
    for name in sorted(tracked - local - {"HEAD"}):
        refspecs.append(f"+refs/remotes/origin/{name}:refs/heads/{name}")
    remote.fetch(source, *refspecs)


def snapshot(remote: Remote, source: Path) -> str:
    """A commit in the remote with what the working tree of ``source`` holds now.

    That is HEAD itself if nothing changed; otherwise a commit upon HEAD with every tracked and
    every untracked, not ignored file as it is. ``source`` and its index are left alone.
    """
    env = remote.source_env
    head = git(source, "rev-parse", "--verify", "HEAD^{commit}", env=env)
    remote.fetch(source, "HEAD")
    objects = Path(source, git(source, "rev-parse", "--git-path", "objects", env=env))
    index = Path(source, git(source, "rev-parse", "--git-path", "index", env=env))
    with tempfile.TemporaryDirectory(prefix="assay-act-") as scratch:
        copy = Path(scratch, "index")
        if index.exists():
            shutil.copyfile(index, copy)
        writing = {
            **env,
            "GIT_INDEX_FILE": str(copy),
            "GIT_OBJECT_DIRECTORY": str(remote.path / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects),
        }
        git(source, "add", "--all", env=writing)
        tree = git(source, "write-tree", env=writing)
    if tree == remote.git("rev-parse", head + "^{tree}"):
        return head
    return remote.commit_tree(tree, head, message="The working tree as it is")


def check_out(remote: Remote, commit: str, target: Path) -> None:
    """A clone of the remote at ``target`` with ``commit`` checked out, detached."""
    git(
        remote.path,
        "clone",
        "--quiet",
        "--no-checkout",
        str(remote.path),
        str(target),
        env=remote.env,
    )
    git(target, "checkout", "--quiet", "--detach", commit, env=remote.env)
