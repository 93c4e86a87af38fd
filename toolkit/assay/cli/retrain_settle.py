"""``assay retrain settle``: close the pull request of a retrained model that is not better."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli.console import say
from assay.errors import InputError

if TYPE_CHECKING:
    from assay.cli.desired import Place
    from assay.evidence import Verdict
    from assay.github.client import Client
    from assay.github.events import WorkflowRun
    from assay.github.fork import Pull
    from assay.state.retraining import Entry


def settle(place: Place, workflow: str) -> None:
    """Judge the run that ended, if it was one of a retrained model's pull request."""
    from assay.github import fork
    from assay.github.publish import client_of
    from assay.retraining.decide import BRANCHES

    run = place.settings.triggering
    if run is None:
        raise InputError(
            f"`assay retrain settle` runs under workflow_run, not {place.settings.event.name}.",
            remedy="Call retrain.yml from a workflow with `on: workflow_run`.",
        )
    client = client_of(place.settings)
    try:
        if run.head_repository != client.repository or not run.head_branch.startswith(BRANCHES):
            _done("none", f"{run.head_branch} is no retrained model's branch: nothing to do.")
            return
        try:
            fork.check_run(run, repository=client.repository, workflow=workflow)
            pull = fork.find_pull(client, run)
            verdict = _verdict(client, run)
        except (fork.Stale, fork.NoEvidence) as error:
            _done("none", f"Nothing to settle: {error}")
            return
        _settle(place, client, pull, verdict, run.head_branch.removeprefix(BRANCHES))
    finally:
        client.close()


def _verdict(client: Client, run: WorkflowRun) -> Verdict:
    from assay.evidence import Verdict
    from assay.gate.verify import verify
    from assay.github import fork

    with tempfile.TemporaryDirectory(prefix="assay-retrain-") as name:
        folder = Path(name)
        fork.fetch_evidence(client, run, folder)
        verify(folder)
        return Verdict.read(folder)


def _settle(place: Place, client: Client, pull: Pull, verdict: Verdict, model: str) -> None:
    from assay.cli.desired import opened
    from assay.github.proposals import close
    from assay.retraining.decide import finish
    from assay.retraining.settle import report
    from assay.retraining.settle import settle as judge
    from assay.state.retraining import read_book

    with opened(place) as branch:
        own = _proposed(read_book(branch, model), pull.number)
        if own is None:
            _done("none", f"#{pull.number} is not one that Assay proposed: it is left alone.")
            return
        settled = judge(verdict, model)
        if not settled.close:
            _done("open", f"#{pull.number} stays open: {settled.sentence}.")
            return
        mark = f"assay-retrain-closed {pull.head_sha}"
        if not close(client, pull.number, report(settled, model), mark=mark):
            _done("open", f"#{pull.number} was opened again by a person: it stays open.")
            return
        finish(branch, model, own.id, "closed", at=datetime.now(UTC), pull=pull.number)
    _done("closed", f"#{pull.number} is closed: {settled.sentence}.")


def _proposed(book: tuple[Entry, ...], number: int) -> Entry | None:
    """Return the newest entry that opened, or brought up to date, this pull request."""
    found = [entry for entry in book if entry.kind == "ended" and entry.pull == number]
    return found[-1] if found else None


def _done(state: str, text: str) -> None:
    from assay.cli.outputs import write_outputs

    write_outputs("retrain", state=state)
    say(text)
