"""A run that could not write: what of it may be published, decided on what GitHub itself says.

The run's artifact is data from a stranger. So are the run's own claims about its pull request:
that is found by head repository and branch, and its head must still be the commit that ran.
Titles, changed files and both configurations come over REST, never out of the artifact.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from assay.errors import InputError, IntegrityError, Location, OutsideError
from assay.evidence import Event, Revision
from assay.github.archive import Limits, unpack
from assay.github.client import Client, NotFound
from assay.github.events import WorkflowRun
from assay.github.evidence_store import is_evidence, tree_of_commit
from assay.github.payload import Payload
from assay.github.settings import DEPENDABOT

LIMITS = Limits(packed=64 * 1024**2, unpacked=256 * 1024**2, files=200)
"""What a stranger's artifact may hold."""
_ARTIFACT = re.compile(r"assay-gate-[0-9a-f]{40}(?:[0-9a-f]{24})?")
MOST_FILES = 3000
"""GitHub lists this many changed files of a pull request, and no more."""
_MOST_CONFIG_BYTES = 1024 * 1024


class Stale(OutsideError):
    """The pull request moved on since the run: its own newer run will report."""


class NoEvidence(OutsideError):
    """The run left no evidence: it ended before its gate, or its artifacts have expired."""


@dataclass(frozen=True, kw_only=True)
class Pull:
    """A pull request as the API shows it."""

    number: int
    state: str
    title: str
    author: str
    head_sha: str
    head_ref: str
    head_repository: str | None
    base_sha: str
    base_ref: str


def check_run(run: WorkflowRun, *, repository: str, workflow: str) -> None:
    """Refuse a run that is not one of ``workflow`` for a pull request of ``repository``.

    Raises InputError, which says what to change where it is the caller's workflow.
    """
    if run.repository != repository:
        raise InputError(f"the run belongs to {run.repository}, not to {repository}.")
    if run.event != "pull_request":
        raise InputError(
            f"the run was started by {run.event}; only a pull request's is published.",
            remedy="Nothing to do: other runs write for themselves.",
        )
    if run.path != workflow:
        raise InputError(
            f"the run is one of {run.path}, and {workflow} is the one to publish.",
            remedy="Name the workflow's file with the input `workflow`, and its name under "
            "`on: workflow_run: workflows:`.",
        )


def could_write(run: WorkflowRun, *, repository: str) -> bool:
    """Say whether a run had a token that can comment, and so wrote for itself."""
    return run.head_repository == repository and run.actor != DEPENDABOT


def choose_pull(pulls: Sequence[Pull], run: WorkflowRun) -> Pull:
    """Return the open pull request whose head the run judged.

    Raises Stale where its head moved on or it was closed, and IntegrityError where several
    pull requests have this head, because nothing trusted says which one was judged.
    """
    of_branch = [
        pull
        for pull in pulls
        if pull.head_repository == run.head_repository and pull.head_ref == run.head_branch
    ]
    if not of_branch:
        raise Stale(
            f"no open pull request has the head {run.head_branch} of {run.head_repository}.",
            remedy="It was closed or merged since: nothing is published.",
        )
    current = [pull for pull in of_branch if pull.head_sha == run.head_sha]
    if not current:
        raise Stale(
            f"pull request #{of_branch[0].number} has moved on from {run.head_sha[:12]} to "
            f"{of_branch[0].head_sha[:12]}.",
            remedy="Its newer run will report: nothing is published.",
        )
    if len(current) > 1:
        numbers = ", ".join(f"#{pull.number}" for pull in current)
        raise IntegrityError(
            f"the pull requests {numbers} have the same head, and nothing that can be trusted "
            "says which of them the run judged.",
            remedy="Close all but one.",
        )
    return current[0]


def pull_of(facts: dict[str, Any]) -> Pull:
    """Read one pull request from GitHub's answer; raises InputError where it is malformed."""
    read = Payload(data=facts, file="GitHub's list of pull requests")
    return Pull(
        number=read.number("number"),
        state=read.text("state"),
        title=read.optional_text("title") or "",
        author=read.optional_text("user.login") or "",
        head_sha=read.commit("head.sha"),
        head_ref=read.text("head.ref"),
        head_repository=read.repository("head.repo.full_name") if read.has("head.repo") else None,
        base_sha=read.commit("base.sha"),
        base_ref=read.text("base.ref"),
    )


def merged_by(client: Client, commit: str) -> Pull | None:
    """Ask GitHub for the pull request whose merge made ``commit``; None: it was pushed."""
    for facts in client.pages(f"commits/{commit}/pulls"):
        if facts.get("merge_commit_sha") == commit:
            return pull_of(facts)
    return None


def find_pull(client: Client, run: WorkflowRun) -> Pull:
    """Ask GitHub for the pull request of a run (see :func:`choose_pull`)."""
    owner = run.head_repository.split("/")[0]
    listed = client.pages("pulls", head=f"{owner}:{run.head_branch}", state="open")
    return choose_pull([pull_of(facts) for facts in listed], run)


def event_of(pull: Pull, run: WorkflowRun, *, repository: str) -> Event:
    """Describe the run's pull request by what GitHub says of it."""
    return Event(
        name="pull_request",
        repository=repository,
        number=pull.number,
        title=pull.title or None,
        author=pull.author or None,
        head_repository=pull.head_repository,
        head_branch=pull.head_ref,
        base_branch=pull.base_ref,
        head_sha=pull.head_sha,
        run_id=run.id,
        run_attempt=run.attempt,
        run_url=run.url,
        can_write=True,
    )


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """The artifact's name, and the paths of its evidence files."""

    artifact: str
    files: tuple[str, ...]


def fetch_evidence(client: Client, run: WorkflowRun, folder: Path) -> Fetched:
    """Unpack the evidence of a run into ``folder``.

    Raises NoEvidence where the run left none, and IntegrityError where the archive is not
    evidence; nothing is written then.
    """
    listed = client.pages(f"actions/runs/{run.id}/artifacts", key="artifacts")
    found = [
        facts
        for facts in listed
        if _ARTIFACT.fullmatch(str(facts.get("name"))) and not facts.get("expired")
    ]
    if not found:
        raise NoEvidence(
            f"run {run.id} left no evidence.",
            remedy="It ended before its gate, or its artifacts have expired: run it again.",
        )
    newest = max(found, key=lambda facts: str(facts.get("created_at")))
    number = newest.get("id")
    if not isinstance(number, int):
        raise OutsideError("GitHub listed an artifact without id.")
    data = client.download(f"actions/artifacts/{number}/zip", most=LIMITS.packed)
    name = str(newest["name"])
    files = unpack(data, folder, name=name, limits=LIMITS, wanted=is_evidence)
    return Fetched(artifact=name, files=files)


def check_models(files: Sequence[str], known: Sequence[str]) -> None:
    """Refuse evidence of models that neither configuration names."""
    folders = {path.split("/")[0] for path in files if "/" in path}
    strange = sorted(folders - set(known))
    if strange:
        raise IntegrityError(
            f"the evidence is of {strange[0]!r}, which no configuration names.",
            where=Location(file=strange[0]),
        )


def changed_files(client: Client, number: int) -> tuple[str, ...]:
    """Return the paths that a pull request changes, and those that it renames.

    Raises OutsideError where GitHub's list is cut: what is touched could hide behind the cut.
    """
    paths: set[str] = set()
    listed = list(client.pages(f"pulls/{number}/files"))
    if len(listed) >= MOST_FILES:
        raise OutsideError(
            f"#{number} changes at least {MOST_FILES:,} files, which is all that GitHub lists, so "
            "nothing tells which models it touches.",
            remedy="Split the pull request.",
        )
    for facts in listed:
        for key in ("filename", "previous_filename"):
            if isinstance(facts.get(key), str):
                paths.add(facts[key])
    return tuple(sorted(paths))


def revision(client: Client, commit: str) -> Revision:
    """Return a commit with its tree."""
    found = tree_of_commit(client, commit)
    if found is None:
        raise OutsideError(f"GitHub did not tell the tree of {commit}.")
    return Revision(commit=commit, tree=found)


def file_at(client: Client, path: str, commit: str) -> str | None:
    """Return a text file of a commit, or None where the commit has none.

    Raises InputError where it is too large or no UTF-8.
    """
    try:
        facts = client.get(f"contents/{quote(path)}", ref=commit)
    except NotFound:
        return None
    where = Location(file=path)
    content = facts.get("content") if isinstance(facts, dict) else None
    if not isinstance(content, str) or facts.get("encoding") != "base64":
        raise InputError("the path is no file, or one too large to be read.", where=where)
    raw = base64.b64decode(content)
    if len(raw) > _MOST_CONFIG_BYTES:
        raise InputError(f"the file has over {_MOST_CONFIG_BYTES:,} bytes.", where=where)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise InputError("the file is not UTF-8.", where=where) from None
