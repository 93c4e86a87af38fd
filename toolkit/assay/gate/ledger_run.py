"""Append what a run decided to the test-set ledger: the job that holds ``contents: write``.

It runs under ``workflow_run`` on the default branch's files, checks nothing out, and takes the
run's artifact for what it is: data that somebody else's code may have written. Only digests, a
number, and names that the default branch's configuration has go into the ledger.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from assay.config import Config
from assay.errors import AssayError, InputError, Location
from assay.evidence import write_atomically
from assay.gate.ledger import Written, append_decisions, decisions_of
from assay.gate.verify import verify
from assay.github import fork
from assay.github.client import Client
from assay.github.events import WorkflowRun
from assay.github.pending import pending_files
from assay.github.publish import client_of
from assay.github.settings import Settings
from assay.state import StateBranch
from assay.state.ledger import Decision

Say = Callable[[str], object]
Opened = Callable[[], AbstractContextManager[StateBranch]]
PENDING_ARTIFACT = "assay-ledger-pending"
PENDING_FILE = "pending.jsonl"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Whose runs count, by which configuration, and where what could not be written is kept."""

    config: str
    workflow: str
    pending: Path
    parse: Callable[[str], Config]


def append_run(
    settings: Settings, wanted: Wanted, opened: Opened, *, at: datetime, say: Say
) -> Written | None:
    """Append the decisions of the triggering run; None where it made none.

    What cannot be written is kept in ``wanted.pending`` for the next run, and the error raised.
    Raises InputError for a run that is none of ``workflow``'s, IntegrityError for an artifact
    that is no evidence, and OutsideError where GitHub or git fails.
    """
    run = settings.triggering
    if run is None:
        raise InputError(
            f"`assay ledger append` runs under workflow_run, not under {settings.event.name}.",
            remedy="Call ledger.yml from a workflow with `on: workflow_run`, or name the evidence "
            "with --evidence.",
        )
    client = client_of(settings)
    try:
        models = _models(client, settings, wanted)
        if not models:
            say(f"No model of {wanted.config} has `ledger: true`: nothing is counted.")
            return None
        _check(run, client.repository, wanted.workflow)
        own = _decided(client, run, models, settings.temporary, at, say)
        waiting = [made for made in _waiting(client, settings, say) if made.model in models]
    finally:
        client.close()
    decisions = [*waiting, *own]
    if not decisions:
        return None
    try:
        with opened() as branch:
            return append_decisions(branch, decisions)
    except AssayError:
        write_atomically(wanted.pending / PENDING_FILE, pending_text(decisions))
        raise


def pending_text(decisions: list[Decision]) -> str:
    """Write decisions down for a later run."""
    return "".join(json.dumps(asdict(made), sort_keys=True) + "\n" for made in decisions)


def _models(client: Client, settings: Settings, wanted: Wanted) -> frozenset[str]:
    branch = settings.default_branch
    text = fork.file_at(client, wanted.config, branch) if branch else None
    if text is None:
        raise InputError(
            f"the branch {branch} has no {wanted.config}.",
            where=Location(file=wanted.config),
            remedy="Name the configuration with the input `config`.",
        )
    config = wanted.parse(text)
    return frozenset(name for name, model in config.models.items() if model.ledger)


def _check(run: WorkflowRun, repository: str, workflow: str) -> None:
    if run.repository != repository or run.path != workflow:
        raise InputError(
            f"the run is one of {run.repository}'s {run.path}, and {workflow} of {repository} is "
            "the one whose decisions count.",
            remedy="Name the workflow's file with the input `workflow`, and its name under "
            "`on: workflow_run: workflows:`.",
        )


def _decided(
    client: Client,
    run: WorkflowRun,
    models: frozenset[str],
    temporary: Path | None,
    at: datetime,
    say: Say,
) -> tuple[Decision, ...]:
    with tempfile.TemporaryDirectory(prefix="assay-ledger-", dir=temporary) as name:
        folder = Path(name)
        try:
            fork.fetch_evidence(client, run, folder)
        except fork.NoEvidence as error:
            say(f"Nothing to count: {error}")
            return ()
        verify(folder)
        return decisions_of(folder, models, at=at, run=run.id, commit=run.head_sha)


def _waiting(client: Client, settings: Settings, say: Say) -> Iterator[Decision]:
    """The decisions that earlier runs could not write; they are no reason to fail this one."""
    run, branch = settings.event.run_id, settings.default_branch
    if run is None or branch is None:
        return
    try:
        files = list(
            pending_files(client, PENDING_ARTIFACT, PENDING_FILE, run_id=run, branch=branch)
        )
    except AssayError as error:
        say(f"Whether earlier decisions still wait to be written could not be asked: {error}")
        return
    for content in files:
        for line in content.splitlines():
            try:
                yield Decision(**json.loads(line))
            except (ValueError, TypeError, RecursionError):
                continue
