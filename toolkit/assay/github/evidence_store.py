"""Evidence of earlier runs, found by git tree, and only from where code was trusted."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.errors import OutsideError
from assay.github.archive import Limits, unpack
from assay.github.client import Client, NotFound
from assay.github.payload import is_commit

_TREE = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_MODEL = r"[a-z0-9][a-z0-9._-]{0,62}"
_DOCUMENT = r"(?:plan|ledger|tests|data|training|reference|comparison|attribution|verdict)\.json"
_WANTED = re.compile(
    rf"(?:{_MODEL}/(?:(?:base|anchor|code-only|data-only)/)?)?(?:{_DOCUMENT}|predictions\.(?:parquet|csv|jsonl))"
)
_MOST_CANDIDATES = 20


def artifact_name(tree: str) -> str:
    """Return the name under which a run keeps the evidence of a git tree."""
    return f"assay-gate-{tree}"


def is_evidence(path: str) -> bool:
    """Say whether ``path`` in an artifact is an evidence file."""
    return _WANTED.fullmatch(path) is not None


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """An artifact of an earlier run, and the run."""

    artifact: int
    run: int
    event: str
    url: str
    created_at: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """The newest trusted evidence of a tree, or the reason why none counts."""

    earlier: Earlier | None
    reason: str = ""


def why_not_trusted(
    run: dict[str, Any], *, repository: str, base_branch: str, proposals: bool
) -> str | None:
    """Say why a run's evidence does not count, or None where it does.

    Only runs of this repository's own code count: those of the base branch and, with
    ``proposals``, those of a merge queue or of a pull request whose head lies in this repository.
    """
    head = run.get("head_repository")
    name = head.get("full_name") if isinstance(head, dict) else None
    if name != repository:
        return f"its code came from {name or 'a repository that is gone'}"
    event = run.get("event")
    if event in ("pull_request", "merge_group"):
        return None if proposals else "what it ran was not merged yet"
    if event in ("push", "workflow_dispatch"):
        branch = run.get("head_branch")
        return None if branch == base_branch else f"it ran on {branch}, not on {base_branch}"
    return f"it was started by {event}"


def find_earlier(
    client: Client,
    tree: str,
    *,
    base_branch: str,
    proposals: bool = False,
    tree_of: Callable[[str], str | None] | None = None,
) -> Found:
    """Return the newest artifact with the evidence of ``tree`` that a trusted run left.

    ``proposals`` also takes runs of this repository's own pull requests: for a tree that is now
    merged, never for one to compare with. ``tree_of`` tells the tree of a run's commit, which
    must then be ``tree``: an artifact's name is whatever its run chose, and a tag that is called
    like the base branch may hold any code and any workflow.
    """
    if not _TREE.fullmatch(tree):
        return Found(earlier=None, reason="the tree has no full id")
    listed = client.get("actions/artifacts", name=artifact_name(tree), per_page=_MOST_CANDIDATES)
    artifacts = listed.get("artifacts") if isinstance(listed, dict) else None
    if not isinstance(artifacts, list):
        raise OutsideError("GitHub's list of artifacts is none.")
    reason = "no earlier run left evidence of this tree"
    newest = sorted(
        (one for one in artifacts if isinstance(one, dict)),
        key=lambda one: str(one.get("created_at")),
        reverse=True,
    )
    for artifact in newest:
        if artifact.get("expired") or artifact.get("name") != artifact_name(tree):
            reason = "the evidence of this tree has expired"
            continue
        run = _run_of(client, artifact)
        refused = _why_not(
            client, run, tree, base_branch=base_branch, proposals=proposals, tree_of=tree_of
        )
        if run is not None and refused is None:
            return Found(earlier=_earlier(artifact, run))
        reason = f"a run left evidence of this tree that does not count: {refused}"
    return Found(earlier=None, reason=reason)


def run_that_counts(
    client: Client,
    number: int,
    tree: str,
    *,
    base_branch: str,
    tree_of: Callable[[str], str | None],
) -> None:
    """Raise OutsideError unless run ``number`` ran this repository's own code for ``tree``."""
    run = _run(client, number)
    refused = _why_not(client, run, tree, base_branch=base_branch, proposals=True, tree_of=tree_of)
    if refused is not None:
        raise OutsideError(
            f"what run {number} left does not count: {refused}.",
            remedy="Run the workflow by hand on the base branch to gate this tree again.",
        )


def _why_not(
    client: Client,
    run: dict[str, Any] | None,
    tree: str,
    *,
    base_branch: str,
    proposals: bool,
    tree_of: Callable[[str], str | None] | None,
) -> str | None:
    if run is None:
        return "its run is gone"
    refused = why_not_trusted(
        run, repository=client.repository, base_branch=base_branch, proposals=proposals
    )
    if refused is None and tree_of is not None:
        ran = tree_of(str(run.get("head_sha")))
        refused = None if ran == tree else "its commit has another tree"
    return refused


def _run_of(client: Client, artifact: dict[str, Any]) -> dict[str, Any] | None:
    facts = artifact.get("workflow_run")
    number = facts.get("id") if isinstance(facts, dict) else None
    return _run(client, number) if isinstance(number, int) else None


def _run(client: Client, number: int) -> dict[str, Any] | None:
    try:
        run = client.get(f"actions/runs/{number}")
    except NotFound:
        return None
    return run if isinstance(run, dict) else None


def _earlier(artifact: dict[str, Any], run: dict[str, Any]) -> Earlier:
    return Earlier(
        artifact=int(artifact["id"]),
        run=int(run["id"]),
        event=str(run.get("event")),
        url=str(run.get("html_url") or ""),
        created_at=str(artifact.get("created_at") or ""),
    )


def tree_of_commit(client: Client, commit: str) -> str | None:
    """Ask GitHub for the tree of a commit; None where it knows none."""
    if not is_commit(commit):
        return None
    try:
        facts = client.get(f"git/commits/{commit}")
    except NotFound:
        return None
    tree = facts.get("tree") if isinstance(facts, dict) else None
    found = tree.get("sha") if isinstance(tree, dict) else None
    return found if isinstance(found, str) and is_commit(found) else None


def fetch_earlier(
    client: Client, earlier: Earlier, folder: Path, *, limits: Limits | None = None
) -> tuple[str, ...]:
    """Unpack an artifact's evidence into ``folder``; return the paths of its files.

    Whatever else the archive holds stays behind. Raises IntegrityError for an archive that is
    none, leads out of the folder, holds links or too much, and writes nothing then.
    """
    allowed = limits or Limits()
    data = client.download(f"actions/artifacts/{earlier.artifact}/zip", most=allowed.packed)
    name = f"artifact {earlier.artifact} of run {earlier.run}"
    return unpack(data, folder, name=name, limits=allowed, wanted=is_evidence)
