"""``assay retrain propose``: push the new dvc.lock and keep its one pull request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.console import say
from assay.errors import AssayError, InputError

if TYPE_CHECKING:
    from assay.cli.desired import Place
    from assay.evidence import Retraining
    from assay.git import RemoteBranch


@dataclass(frozen=True, kw_only=True)
class App:
    """A GitHub App: what is pushed in its name starts workflows."""

    id: str
    key: str = field(repr=False)


def propose(place: Place, folder: Path, patch: Path, *, model: str | None, app: App | None) -> None:
    """Propose what was trained; where nothing new was, say so and write it down."""
    from assay.cli.outputs import write_outputs
    from assay.retraining.patch import read_patch

    if not place.settings.in_actions:
        raise InputError(
            "a retraining is proposed by a GitHub job, in the name of a token.",
            remedy="At a terminal: commit the new dvc.lock to a branch, and open the pull request.",
        )
    decision = _decision(folder, model)
    ended = "failed"
    number = None
    try:
        files = read_patch(patch, decision.paths)
        if not files:
            _say("The training left no dvc.lock: nothing is proposed.", warn=True)
        else:
            number = _propose(place, decision, files, app)
            ended = "proposed" if number else "unchanged"
    finally:
        _finish(place, decision, ended, number)
    write_outputs("retrain", **{"state": ended, "pull-request": str(number or "")})


def _decision(folder: Path, model: str | None) -> Retraining:
    from assay.evidence import Retraining

    found = Retraining.read(folder / model if model else folder)
    if not found.due or (model is not None and found.model != model):
        raise InputError(
            f"this decision lets nothing be proposed for {model or found.model}.",
            remedy="Name the folder that `assay retrain decide` wrote.",
        )
    return found


def _propose(
    place: Place, decision: Retraining, files: dict[str, bytes], app: App | None
) -> int | None:
    from assay.github.proposals import propose as open_or_update
    from assay.github.publish import client_of
    from assay.retraining.propose import WAITS, Told, proposal_of, push

    settings = place.settings
    token = _app_token(place, app) if app else settings.token
    with _branch(place, decision, token) as branch:
        commit = push(branch, decision, files)
    if commit is None:
        _say("The pipeline made what is there already: nothing is proposed.")
        return None
    client = client_of(replace(settings, token=token))
    try:
        told = Told(run_url=settings.event.run_url, waits=app is None)
        made = open_or_update(client, proposal_of(decision, told))
    finally:
        client.close()
    what = "opened" if made.opened else "brought up to date"
    _say(f"Pull request #{made.number} {what}: {decision.branch} at {commit[:12]}.")
    if app is None:
        _say(WAITS, warn=True)
    return made.number


def _app_token(place: Place, app: App) -> str:
    from assay.github.app import installation_token
    from assay.github.commands import mask_lines

    repository = place.settings.event.repository or ""
    token = installation_token(
        api_url=place.settings.api_url, repository=repository, app_id=app.id, key=app.key
    )
    for line in mask_lines(token):
        click.echo(line)
    return token


@contextmanager
def _branch(place: Place, decision: Retraining, token: str | None) -> Iterator[RemoteBranch]:
    from assay.git import open_branch
    from assay.state import Remote

    settings = place.settings
    remote = Remote(
        address=f"{settings.server_url}/{settings.event.repository}.git",
        environment=place.environment,
        server_url=settings.server_url,
        token=token,
    )
    ref = f"refs/heads/{decision.branch}"
    with open_branch(remote.address, ref, remote.variables, temporary=settings.temporary) as branch:
        yield branch


def _finish(place: Place, decision: Retraining, outcome: str, number: int | None) -> None:
    """Let the next one start; where that cannot be written, the reservation's own time ends it."""
    from assay.cli.desired import opened
    from assay.retraining.decide import finish

    try:
        with opened(place) as branch:
            finish(branch, decision.model, decision.id, outcome, at=datetime.now(UTC), pull=number)
    except AssayError as error:
        _say(
            f"How it ended could not be written down ({error}): nobody starts another "
            f"before {decision.until}.",
            warn=True,
        )


def _say(text: str, *, warn: bool = False) -> None:
    from assay.github.commands import Annotation, annotation_line

    if warn:
        note = Annotation(level="warning", title="Retraining", message=text)
        click.echo(annotation_line(note))
    else:
        say(text)
