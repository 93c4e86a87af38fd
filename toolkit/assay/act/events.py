"""Event payloads, with the keys of GitHub's own that workflows read. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    """An open pull request of the local repository, as the git remote holds it.

    ``head_repository`` differs from ``repository`` for a fork. ``author`` is a login; Dependabot's
    pull requests come from ``dependabot[bot]`` and get a token that can only read.
    """

    number: int
    title: str
    repository: str
    head_repository: str
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    merge_sha: str
    author: str
    labels: tuple[str, ...] = ()
    state: str = "open"

    @property
    def read_only(self) -> bool:
        """Whether GitHub gives a run of it a token that can only read, and no secrets."""
        return self.head_repository != self.repository or self.author == "dependabot[bot]"


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event's name and payload, and where GitHub checks out and counts it.

    ``sha`` and ``ref`` become ``GITHUB_SHA`` and ``GITHUB_REF``; ``workflow_sha`` is the commit
    whose workflow file runs.
    """

    name: str
    payload: Mapping[str, Any]
    sha: str
    ref: str
    workflow_sha: str
    head_sha: str
    head_branch: str
    head_repository: str
    actor: str
    read_only: bool = False


def repository_facts(slug: str, default_branch: str) -> dict[str, Any]:
    """The ``repository`` object of a payload."""
    owner, name = slug.split("/", 1)
    return {
        "id": 1,
        "name": name,
        "full_name": slug,
        "private": False,
        "fork": False,
        "default_branch": default_branch,
        "owner": {"login": owner, "type": "User"},
    }


def pull_request_facts(pull: PullRequest, default_branch: str) -> dict[str, Any]:
    """The ``pull_request`` object of a payload."""
    base_repository = repository_facts(pull.repository, default_branch)
    head_repository = repository_facts(pull.head_repository, default_branch)
    head_repository["fork"] = pull.head_repository != pull.repository
    return {
        "number": pull.number,
        "state": pull.state,
        "draft": False,
        "title": pull.title,
        "user": {"login": pull.author},
        "labels": [{"name": label} for label in pull.labels],
        "merge_commit_sha": pull.merge_sha,
        "head": {
            "label": f"{pull.head_repository.split('/')[0]}:{pull.head_ref}",
            "ref": pull.head_ref,
            "sha": pull.head_sha,
            "repo": head_repository,
        },
        "base": {
            "label": f"{pull.repository.split('/')[0]}:{pull.base_ref}",
            "ref": pull.base_ref,
            "sha": pull.base_sha,
            "repo": base_repository,
        },
    }


def pull_request_event(pull: PullRequest, *, default_branch: str, action: str = "opened") -> Event:
    """``pull_request``: GitHub checks out the merge commit and runs its workflow files."""
    payload = {
        "action": action,
        "number": pull.number,
        "pull_request": pull_request_facts(pull, default_branch),
        "repository": repository_facts(pull.repository, default_branch),
        "sender": {"login": pull.author},
    }
    return Event(
        name="pull_request",
        payload=payload,
        sha=pull.merge_sha,
        ref=f"refs/pull/{pull.number}/merge",
        workflow_sha=pull.merge_sha,
        head_sha=pull.head_sha,
        head_branch=pull.head_ref,
        head_repository=pull.head_repository,
        actor=pull.author,
        read_only=pull.read_only,
    )


def _branch_event(
    name: str, payload: Mapping[str, Any], *, slug: str, ref: str, sha: str, actor: str
) -> Event:
    return Event(
        name=name,
        payload=payload,
        sha=sha,
        ref=ref,
        workflow_sha=sha,
        head_sha=sha,
        head_branch=ref.removeprefix("refs/heads/"),
        head_repository=slug,
        actor=actor,
    )


def push_event(
    *, slug: str, branch: str, before: str, after: str, default_branch: str, actor: str
) -> Event:
    """``push`` to a branch."""
    payload = {
        "ref": f"refs/heads/{branch}",
        "before": before,
        "after": after,
        "created": False,
        "deleted": False,
        "forced": False,
        "head_commit": {"id": after},
        "repository": repository_facts(slug, default_branch),
        "pusher": {"name": actor},
        "sender": {"login": actor},
    }
    ref = f"refs/heads/{branch}"
    return _branch_event("push", payload, slug=slug, ref=ref, sha=after, actor=actor)


def merge_group_event(
    pull: PullRequest, *, head_sha: str, default_branch: str, actor: str
) -> Event:
    """``merge_group`` with one pull request in the queue; ``head_sha`` is the queue's commit."""
    ref = f"refs/heads/gh-readonly-queue/{pull.base_ref}/pr-{pull.number}-{pull.base_sha}"
    payload = {
        "action": "checks_requested",
        "merge_group": {
            "head_sha": head_sha,
            "head_ref": ref,
            "base_sha": pull.base_sha,
            "base_ref": f"refs/heads/{pull.base_ref}",
        },
        "repository": repository_facts(pull.repository, default_branch),
        "sender": {"login": actor},
    }
    return _branch_event(
        "merge_group", payload, slug=pull.repository, ref=ref, sha=head_sha, actor=actor
    )


def workflow_dispatch_event(
    *,
    slug: str,
    branch: str,
    sha: str,
    default_branch: str,
    actor: str,
    inputs: Mapping[str, str],
) -> Event:
    """``workflow_dispatch`` on a branch, with inputs."""
    payload = {
        "ref": f"refs/heads/{branch}",
        "inputs": dict(inputs),
        "repository": repository_facts(slug, default_branch),
        "sender": {"login": actor},
    }
    ref = f"refs/heads/{branch}"
    return _branch_event("workflow_dispatch", payload, slug=slug, ref=ref, sha=sha, actor=actor)


def schedule_event(*, slug: str, branch: str, sha: str, actor: str, cron: str) -> Event:
    """``schedule`` on the default branch ``branch``; ``actor`` is who last changed the schedule."""
    payload = {"schedule": cron, "repository": repository_facts(slug, branch)}
    ref = f"refs/heads/{branch}"
    return _branch_event("schedule", payload, slug=slug, ref=ref, sha=sha, actor=actor)


def workflow_run_event(
    run: Mapping[str, Any], *, slug: str, sha: str, default_branch: str, actor: str
) -> Event:
    """``workflow_run``: ``run`` is the triggering run as the API shows it, ``sha`` the tip of the
    default branch, whose workflow file GitHub runs whatever the triggering run's branch was."""
    payload = {
        "action": "completed",
        "workflow_run": dict(run),
        "workflow": {"name": run.get("name"), "path": run.get("path")},
        "repository": repository_facts(slug, default_branch),
        "sender": {"login": actor},
    }
    ref = f"refs/heads/{default_branch}"
    return _branch_event("workflow_run", payload, slug=slug, ref=ref, sha=sha, actor=actor)


def run_record(
    event: Event, *, slug: str, default_branch: str, path: str, run_id: int, attempt: int, time: str
) -> dict[str, Any]:
    """A run that has just begun, as ``actions/runs/<id>`` shows it.

    ``pull_requests`` is empty for a fork's, as it is on GitHub.
    """
    pull = event.payload.get("pull_request")
    same = event.head_repository == slug
    return {
        "id": run_id,
        "name": path.rsplit("/", 1)[-1].rsplit(".", 1)[0],
        "path": path,
        "event": event.name,
        "status": "in_progress",
        "conclusion": None,
        "run_attempt": attempt,
        "head_sha": event.head_sha,
        "head_branch": event.head_branch,
        "head_repository": {"full_name": event.head_repository, "fork": not same},
        "repository": repository_facts(slug, default_branch),
        "pull_requests": [{"number": pull["number"]}] if pull and same else [],
        "actor": {"login": event.actor},
        "triggering_actor": {"login": event.actor},
        "created_at": time,
        "updated_at": time,
    }
