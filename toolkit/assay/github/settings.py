"""The environment of a run, read once into one frozen object; nobody else reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from assay.errors import InputError
from assay.evidence import Event
from assay.github.events import (
    Revisions,
    WorkflowRun,
    event_of,
    head_moved_at,
    revisions_of,
    workflow_run_of,
)
from assay.github.payload import Payload, is_commit, is_repository, read_payload

DEPENDABOT = "dependabot[bot]"
PROGRAM_VARIABLES = (
    "PATH",
    "CI",
    "LANG",
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "GITHUB_ACTIONS",
    "GITHUB_EVENT_NAME",
    "GITHUB_EVENT_PATH",
    "GITHUB_HEAD_REF",
    "GITHUB_REF",
    "GITHUB_REPOSITORY",
    "GITHUB_RUN_ID",
    "GITHUB_SERVER_URL",
    "GITHUB_SHA",
    "GITHUB_WORKFLOW",
)
"""What a program that speaks to GitHub for us inherits, and nothing else."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a run knows of GitHub; outside Actions ``event.name`` is ``local``.

    ``token`` never appears in a ``repr``. ``revisions`` is None where the event names no pair
    of commits to compare (local runs, ``workflow_run``). ``triggering`` is set for
    ``workflow_run`` alone. ``head_moved_at`` is GitHub's time of the push that started the run,
    where the event tells it.
    """

    in_actions: bool
    event: Event
    revisions: Revisions | None = None
    triggering: WorkflowRun | None = None
    token: str | None = field(default=None, repr=False)
    api_url: str = "https://api.github.com"
    server_url: str = "https://github.com"
    default_branch: str | None = None
    workspace: Path | None = None
    temporary: Path | None = None
    summary_file: Path | None = None
    head_moved_at: str | None = None
    program_environment: Mapping[str, str] = field(default_factory=dict, repr=False)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read ``GITHUB_*`` and the event file.

    Raises InputError for a malformed variable or event, and for ``pull_request_target``.
    """
    name = environ.get("GITHUB_EVENT_NAME", "")
    common = _common(environ)
    if not name or environ.get("GITHUB_ACTIONS") != "true":
        return _local(environ, common)
    if name == "pull_request_target":
        raise InputError(
            "pull_request_target is refused: it would run the pull request's code with a token "
            "that can write and with the repository's secrets.",
            remedy="Use `on: pull_request`; for forks, the publish-report workflow posts the "
            "comment from a `workflow_run` that runs none of their code.",
        )
    payload = _payload(environ)
    repository = _repository(environ)
    if repository is None:
        raise InputError(
            "GITHUB_REPOSITORY is missing.", remedy="The runner sets it to owner/name."
        )
    sha = _commit(environ, "GITHUB_SHA")
    event = event_of(
        name,
        payload,
        repository=repository,
        run=_run(environ, repository, common.server_url),
        can_write=can_write(
            name, payload, token=common.token, actor=environ.get("GITHUB_ACTOR", "")
        ),
    )
    return Settings(
        in_actions=True,
        event=event,
        revisions=revisions_of(name, payload, sha=sha, ref=environ.get("GITHUB_REF", "")),
        triggering=workflow_run_of(payload) if name == "workflow_run" else None,
        token=common.token,
        api_url=common.api_url,
        server_url=common.server_url,
        default_branch=payload.optional_text("repository.default_branch"),
        workspace=_path(environ, "GITHUB_WORKSPACE"),
        temporary=_path(environ, "RUNNER_TEMP"),
        summary_file=_path(environ, "GITHUB_STEP_SUMMARY"),
        head_moved_at=head_moved_at(payload) if name == "pull_request" else None,
        program_environment={name: environ[name] for name in PROGRAM_VARIABLES if name in environ},
    )


def can_write(event: str, payload: Payload, *, token: str | None, actor: str) -> bool:
    """Say whether this run's token may comment, by the kind of token GitHub hands out.

    A pull request from a fork, and whatever Dependabot started, gets a read-only token.
    """
    if not token or actor == DEPENDABOT:
        return False
    if event == "pull_request":
        head = payload.get("pull_request.head.repo.full_name")
        return head is not None and head == payload.get("pull_request.base.repo.full_name")
    return True


@dataclass(frozen=True, kw_only=True)
class _Common:
    token: str | None = field(repr=False)
    api_url: str
    server_url: str


def _common(environ: Mapping[str, str]) -> _Common:
    return _Common(
        token=environ.get("ASSAY_GITHUB_TOKEN") or environ.get("GITHUB_TOKEN") or None,
        api_url=_url(environ, "GITHUB_API_URL", "https://api.github.com"),
        server_url=_url(environ, "GITHUB_SERVER_URL", "https://github.com"),
    )


def _local(environ: Mapping[str, str], common: _Common) -> Settings:
    return Settings(
        in_actions=False,
        event=Event(repository=_repository(environ)),
        token=common.token,
        api_url=common.api_url,
        server_url=common.server_url,
    )


def _payload(environ: Mapping[str, str]) -> Payload:
    path = _path(environ, "GITHUB_EVENT_PATH")
    if path is None:
        raise InputError(
            "GITHUB_EVENT_NAME is set, but GITHUB_EVENT_PATH is not.",
            remedy="The runner sets both; outside Actions unset both.",
        )
    return read_payload(path)


def _repository(environ: Mapping[str, str]) -> str | None:
    value = environ.get("GITHUB_REPOSITORY") or None
    if value is not None and not is_repository(value):
        raise InputError(f"GITHUB_REPOSITORY is {value[:80]!r}.", remedy="Write it as owner/name.")
    return value


def _commit(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not is_commit(value):
        raise InputError(
            f"{name} is {value[:80]!r}, not a full commit id.",
            remedy="The runner sets it; under act, run inside a git repository with a commit.",
        )
    return value


def _number(environ: Mapping[str, str], name: str) -> int | None:
    value = environ.get(name) or None
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise InputError(f"{name} is {value[:80]!r}, not a whole number.")
    return int(value)


def _run(
    environ: Mapping[str, str], repository: str, server_url: str
) -> tuple[int | None, int | None, str | None]:
    run_id = _number(environ, "GITHUB_RUN_ID")
    attempt = _number(environ, "GITHUB_RUN_ATTEMPT")
    url = f"{server_url}/{repository}/actions/runs/{run_id}" if run_id else None
    return run_id, attempt, url


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    value = environ.get(name) or None
    return Path(value) if value else None


def _url(environ: Mapping[str, str], name: str, default: str) -> str:
    value = (environ.get(name) or default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc or "@" in parts.netloc:
        raise InputError(f"{name} is {value[:80]!r}.", remedy="Write a URL such as " + default)
    return value
