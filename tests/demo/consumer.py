"""Makes a consumer repository out of the template: remotes, a trained base, pull requests.

Everything lies in one folder, and nothing outside it is written::

    origin.git    the bare repository: main, branches, refs/pull/N/head, refs/pull/N/merge
    storage/      the DVC remote
    main/         a clone with main checked out and its outputs on disk
    environment/  the consumer's environment, from the template's lock
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.scenarios import SCENARIOS, Scenario

IGNORED = shutil.ignore_patterns(".git", ".venv", ".assay", "__pycache__", "cache", "tmp")
REPOSITORY = "octo/doctor-visit"


class CommandFailedError(Exception):
    """A program that the builder runs failed; the message holds what it printed."""


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    """A scenario as GitHub would hold it.

    ``merge`` is the test merge: its first parent is ``base``, the second ``head``. Main has moved
    on since the branch was cut, so ``base`` is not the merge base, nor is ``merge`` the tree of
    ``head``.
    """

    number: int
    scenario: Scenario
    base: str
    head: str
    merge: str

    @property
    def name(self) -> str:
        """The scenario's name."""
        return self.scenario.name


@dataclass(frozen=True, kw_only=True)
class Consumer:
    """A consumer with a git remote, a DVC remote, a trained base and open pull requests."""

    root: Path
    environment: Path
    pull_requests: tuple[PullRequest, ...]

    @property
    def origin(self) -> Path:
        """The bare repository."""
        return self.root / "origin.git"

    @property
    def storage(self) -> Path:
        """The folder that is the DVC remote."""
        return self.root / "storage"

    @property
    def main(self) -> Path:
        """The clone that has main checked out and its outputs on disk."""
        return self.root / "main"

    def pull_request(self, name: str) -> PullRequest:
        """Return the pull request of a scenario; KeyError where there is none."""
        return {pull.name: pull for pull in self.pull_requests}[name]


def run(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> str:
    """Run a program and return what it printed; CommandFailedError with all of it if it fails."""
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise CommandFailedError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


def git(cwd: Path, *arguments: str) -> str:
    """Run git, apart from this machine's own configuration and from any surrounding repository."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    who = {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", "consumer"), ("EMAIL", "consumer@example.org"))
    }
    apart = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return run(["git", *arguments], cwd=cwd, environment={**kept, **who, **apart})


def commit_all(checkout: Path, message: str) -> str:
    """Commit everything in a checkout and return the commit."""
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", message)
    return git(checkout, "rev-parse", "HEAD")


def make_environment(environment: Path, lock: Path, *, uv: str) -> Path:
    """Install the consumer's lock into a virtual environment of its own."""
    where = lock.parent
    run(
        [uv, "venv", "--quiet", "--python", sys.executable, str(environment)],
        cwd=where,
        environment=os.environ,
    )
    python = str(environment / "bin" / "python")
    run(
        [uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", str(lock)],
        cwd=where,
        environment=os.environ,
    )
    return environment


def dvc(consumer: Path, environment: Path, *arguments: str) -> str:
    """Run the consumer's own DVC, which finds the consumer's Python first on PATH."""
    return run(
        [str(environment / "bin" / "dvc"), *arguments],
        cwd=consumer,
        environment={
            **os.environ,
            "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(consumer / ".dvc" / "tmp" / "site"),
        },
    )


def train_base(main: Path, environment: Path, storage: Path) -> None:
    """Train the first model on main and push its outputs to the DVC remote."""
    dvc(main, environment, "remote", "add", "--quiet", "--default", "storage", str(storage))
    dvc(main, environment, "repro", "--quiet")
    dvc(main, environment, "push", "--quiet")
    commit_all(main, "Train the first model and keep it in the remote")


def open_pull_request(main: Path, number: int, scenario: Scenario, start: str) -> PullRequest:
    """Commit a scenario on its branch and prepare the test merge into main."""
    git(main, "switch", "--quiet", "--create", scenario.branch, start)
    scenario.edit(main)
    head = commit_all(main, scenario.title)
    base = git(main, "rev-parse", "main")
    git(main, "switch", "--quiet", "--detach", "main")
    git(main, "merge", "--quiet", "--no-ff", "--message", f"Merge {head} into {base}", head)
    merge = git(main, "rev-parse", "HEAD")
    pull = f"refs/pull/{number}"
    branch = f"refs/heads/{scenario.branch}"
    git(main, "push", "--quiet", "origin", f"{branch}:{branch}")
    git(main, "push", "--quiet", "origin", f"{head}:{pull}/head", f"{merge}:{pull}/merge")
    git(main, "switch", "--quiet", "main")
    return PullRequest(number=number, scenario=scenario, base=base, head=head, merge=merge)


def build(
    destination: Path,
    template: Path,
    *,
    scenarios: Sequence[Scenario] = SCENARIOS,
    environment: Path | None = None,
    uv: str,
) -> Consumer:
    """Make a consumer in ``destination``, which must not exist or be empty.

    ``environment`` reuses one that holds the template's lock; otherwise it is installed.
    Raises FileExistsError, and CommandFailedError if git, uv or DVC fail.
    """
    root = destination.resolve()
    if root.exists() and any(root.iterdir()):
        raise FileExistsError(f"{root} is not empty")
    root.mkdir(parents=True, exist_ok=True)
    origin, main, storage = (root / name for name in ("origin.git", "main", "storage"))
    git(root, "init", "--quiet", "--bare", "--initial-branch", "main", str(origin))
    # As on GitHub, where a checkout may ask for any commit by its SHA.
    git(origin, "config", "uploadpack.allowAnySHA1InWant", "true")
    shutil.copytree(template, main, ignore=IGNORED)
    git(main, "init", "--quiet", "--initial-branch", "main")
    git(main, "remote", "add", "origin", str(origin))
    commit_all(main, "Start from the template")
    installed = environment or make_environment(
        root / "environment", main / "requirements.txt", uv=uv
    )
    train_base(main, installed, storage)
    start = git(main, "rev-parse", "HEAD")
    (main / ".github" / "CODEOWNERS").write_text("assay.yaml @octo\n.github/ @octo\n")
    commit_all(main, "Name the owners of the rules")
    git(main, "push", "--quiet", "--set-upstream", "origin", "main")
    pull_requests = tuple(
        open_pull_request(main, number, scenario, start)
        for number, scenario in enumerate(scenarios, start=1)
    )
    return Consumer(root=root, environment=installed, pull_requests=pull_requests)


def check_out(consumer: Consumer, pull: PullRequest, destination: Path) -> Path:
    """Clone the consumer as a workflow run does: full history, the test merge checked out."""
    destination.mkdir(parents=True)
    git(destination, "clone", "--quiet", "--no-checkout", str(consumer.origin), ".")
    merge = f"pull/{pull.number}/merge"
    git(destination, "fetch", "--quiet", "origin", f"+refs/{merge}:refs/remotes/{merge}")
    git(destination, "checkout", "--quiet", "--detach", f"refs/remotes/{merge}")
    return destination


def event(
    pull: PullRequest, *, action: str = "opened", head_repository: str = REPOSITORY
) -> dict[str, Any]:
    """Make the ``pull_request`` event's payload; another head repository makes it a fork's."""
    owner = head_repository.partition("/")[0]
    return {
        "action": action,
        "number": pull.number,
        "repository": _repository(REPOSITORY),
        "sender": {"login": owner},
        "pull_request": {
            "number": pull.number,
            "title": pull.scenario.title,
            "state": "open",
            "user": {"login": owner},
            "labels": [],
            "merge_commit_sha": pull.merge,
            "base": {"ref": "main", "sha": pull.base, "repo": _repository(REPOSITORY)},
            "head": {
                "ref": pull.scenario.branch,
                "sha": pull.head,
                "repo": _repository(head_repository),
            },
        },
    }


def _repository(full_name: str) -> dict[str, Any]:
    owner, _, name = full_name.partition("/")
    return {
        "full_name": full_name,
        "name": name,
        "owner": {"login": owner},
        "default_branch": "main",
        "fork": full_name != REPOSITORY,
    }
