"""What an event says: where the run comes from, and which two commits it compares."""

from __future__ import annotations

from dataclasses import dataclass

from assay.errors import InputError
from assay.evidence import Event
from assay.github.payload import Payload


@dataclass(frozen=True, kw_only=True)
class Revisions:
    """What to compare with what, as git resolves it.

    ``base`` is a revision (a commit id, or ``<commit>^1``); where it is None, the base is the
    merge base of ``head`` and ``merge_base_with``. ``every``: somebody, or a schedule, asks for
    every model, whatever the last commit changed.
    """

    head: str
    base: str | None = None
    merge_base_with: str | None = None
    every: bool = False


@dataclass(frozen=True, kw_only=True)
class WorkflowRun:
    """The run that started a ``workflow_run``: GitHub's word, unlike the run's artifacts."""

    id: int
    attempt: int
    event: str
    path: str
    head_sha: str
    head_branch: str
    head_repository: str
    repository: str
    url: str | None = None
    actor: str | None = None


def event_of(
    name: str,
    payload: Payload,
    *,
    repository: str,
    run: tuple[int | None, int | None, str | None],
    can_write: bool,
) -> Event:
    """Describe the event ``name`` as evidence; ``run`` is id, attempt and page of this run."""
    run_id, attempt, url = run
    event = Event(
        name=name,
        repository=repository,
        author=payload.optional_text("sender.login"),
        run_id=run_id,
        run_attempt=attempt,
        run_url=url,
        can_write=can_write,
    )
    match name:
        case "pull_request":
            return event.model_copy(update=_pull_request(payload))
        case "merge_group":
            return event.model_copy(
                update={
                    "head_sha": payload.commit("merge_group.head_sha"),
                    "head_branch": _branch(payload.text("merge_group.head_ref")),
                    "base_branch": _branch(payload.text("merge_group.base_ref")),
                }
            )
        case "push":
            _refuse_deletion(payload)
            return event.model_copy(
                update={
                    "head_sha": payload.commit("after"),
                    "head_branch": _branch(payload.text("ref")),
                    "base_branch": _branch(payload.text("ref")),
                }
            )
        case "workflow_run":
            return event.model_copy(
                update={
                    "head_sha": payload.commit("workflow_run.head_sha"),
                    "head_branch": payload.optional_text("workflow_run.head_branch"),
                    "head_repository": _head_repository(payload, "workflow_run.head_repository"),
                }
            )
        case _:
            return event


def _pull_request(payload: Payload) -> dict[str, object]:
    return {
        "number": payload.number("pull_request.number"),
        "title": payload.optional_text("pull_request.title"),
        "author": payload.optional_text("pull_request.user.login"),
        "head_repository": _head_repository(payload, "pull_request.head.repo"),
        "head_branch": payload.text("pull_request.head.ref"),
        "base_branch": payload.text("pull_request.base.ref"),
        "head_sha": payload.commit("pull_request.head.sha"),
    }


def _head_repository(payload: Payload, path: str) -> str | None:
    """The head's repository; None where the fork was deleted."""
    return payload.repository(f"{path}.full_name") if payload.has(path) else None


def _refuse_deletion(payload: Payload) -> None:
    if payload.get("deleted") is True:
        raise InputError(
            "the push deleted a branch: there is nothing to judge.",
            remedy="Limit `on: push` to the base branch.",
        )


def revisions_of(name: str, payload: Payload, *, sha: str, ref: str) -> Revisions | None:
    """Return the head and the base of an event, or None where it compares nothing.

    ``sha`` and ``ref`` are the run's own commit and ref (GITHUB_SHA, GITHUB_REF). For a pull
    request ``sha`` is the merge commit, whose first parent is what it would be merged onto.
    """
    match name:
        case "pull_request":
            return Revisions(head=sha, base=f"{sha}^1")
        case "merge_group":
            return Revisions(
                head=payload.commit("merge_group.head_sha"),
                base=payload.commit("merge_group.base_sha"),
            )
        case "push":
            head, before = payload.commit("after"), payload.commit("before")
            is_new = not before.strip("0")
            return Revisions(head=head, base=f"{head}^1" if is_new else before)
        case "workflow_dispatch" | "schedule":
            default = payload.optional_text("repository.default_branch")
            if default is None or ref == f"refs/heads/{default}":
                return Revisions(head=sha, base=f"{sha}^1", every=True)
            return Revisions(head=sha, merge_base_with=f"origin/{default}")
        case _:
            return None


def head_moved_at(payload: Payload) -> str | None:
    """Return GitHub's time of the push behind a ``pull_request`` event, where it was one.

    A pull request that is opened again may have been pushed to while it was closed.
    """
    if payload.get("action") not in ("opened", "reopened", "synchronize"):
        return None
    return payload.optional_text("pull_request.updated_at")


def workflow_run_of(payload: Payload) -> WorkflowRun:
    """Read the triggering run of a ``workflow_run`` event."""
    return WorkflowRun(
        id=payload.number("workflow_run.id"),
        attempt=payload.number("workflow_run.run_attempt"),
        event=payload.text("workflow_run.event"),
        path=payload.text("workflow_run.path").partition("@")[0],
        head_sha=payload.commit("workflow_run.head_sha"),
        head_branch=payload.text("workflow_run.head_branch"),
        head_repository=payload.repository("workflow_run.head_repository.full_name"),
        repository=payload.repository("workflow_run.repository.full_name"),
        url=payload.optional_text("workflow_run.html_url"),
        actor=payload.optional_text("workflow_run.actor.login"),
    )


def _branch(ref: str) -> str:
    return ref.removeprefix("refs/heads/")
