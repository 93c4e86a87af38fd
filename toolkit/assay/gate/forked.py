"""Publish the report of a run that could not write, on GitHub's word and by the base's rules.

Nothing of the pull request is checked out or run. Its artifact gives numbers and nothing else:
which models it touches, by which rules they are judged and where the comment goes is asked of
GitHub. Only JSON documents are read; the predictions are hashed, never parsed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from assay.checks.catalogue import severity_of
from assay.config import parse_config
from assay.errors import AssayError, InputError
from assay.evidence import Plan, Verdict
from assay.gate.publish import Published, Publishing, publish
from assay.gate.stored import read_models
from assay.gate.verify import verify
from assay.git import Revision
from assay.github import fork
from assay.github.client import Client
from assay.github.events import WorkflowRun
from assay.github.publish import client_of
from assay.github.settings import Settings
from assay.report.bundle import ModelEvidence, Report
from assay.training.plan import Ends, make_plan
from assay.verdict.decide import decide

Say = Callable[[str], object]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A fork's run, judged again: what the comment is made of."""

    plan: Plan
    models: tuple[ModelEvidence, ...]
    verdict: Verdict
    artifact: str


def publish_report(
    settings: Settings, *, config: str, workflow: str, publisher: str | None, say: Say
) -> Published | None:
    """Check, fetch, judge again and publish; None where the run is stale.

    Raises InputError for a run that is not ``workflow``'s for a pull request, IntegrityError
    for an artifact that is not evidence, and OutsideError where GitHub fails.
    """
    run = settings.triggering
    if run is None:
        raise InputError(
            f"publish-report runs under workflow_run, not under {settings.event.name}.",
            remedy="Call it from a workflow with `on: workflow_run`.",
        )
    client = client_of(settings)
    try:
        fork.check_run(run, repository=client.repository, workflow=workflow)
        pull = fork.find_pull(client, run)
        with tempfile.TemporaryDirectory(prefix="assay-fork-", dir=settings.temporary) as scratch:
            judged = judge_again(client, run, pull, Path(scratch), config=config)
    except fork.Stale as stale:
        say(f"Nothing is published: {stale}")
        return None
    finally:
        client.close()
    told = replace(settings, event=judged.plan.event)
    publishing = Publishing.of(judged.plan, told, publisher=publisher, checks_token=None)
    verdict = publishing.accepted(judged.verdict, say=say)
    report = _report(replace(judged, verdict=verdict), run, client.repository)
    return publish(report, publishing, say=say)


def judge_again(
    client: Client, run: WorkflowRun, pull: fork.Pull, folder: Path, *, config: str
) -> Judged:
    """Fetch a run's evidence into ``folder`` and judge it by the base's rules."""
    plan = _plan(client, run, pull, config)
    fetched = fork.fetch_evidence(client, run, folder)
    fork.check_models(fetched.files, [model.name for model in plan.models])
    verify(folder)
    models = read_models(plan, folder)
    return Judged(
        plan=plan,
        models=models,
        verdict=decide(models, severity_of=severity_of),
        artifact=fetched.artifact,
    )


def _plan(client: Client, run: WorkflowRun, pull: fork.Pull, config: str) -> Plan:
    """Make the plan anew from what GitHub says the pull request changes."""
    base_text = fork.file_at(client, config, pull.base_sha)
    head_text = fork.file_at(client, config, pull.head_sha)
    chosen = head_text or base_text
    if chosen is None:
        raise InputError(
            f"neither the base nor the head of #{pull.number} has {config}.",
            remedy="Name the configuration with the input `config`.",
        )
    try:
        head_config = parse_config(chosen, file=config)
    except AssayError:
        if base_text is None:
            raise
        head_config = parse_config(base_text, file=config)
    return make_plan(
        fork.event_of(pull, run, repository=client.repository),
        Ends(head=_revision(client, pull.head_sha), base=_revision(client, pull.base_sha)),
        config_file=config,
        head_config=head_config,
        base_config_text=base_text,
        changed_paths=fork.changed_files(client, pull.number),
    )


def _revision(client: Client, commit: str) -> Revision:
    found = fork.revision(client, commit)
    return Revision(commit=found.commit, tree=found.tree)


def _report(judged: Judged, run: WorkflowRun, repository: str) -> Report:
    head = run.head_repository
    return Report(
        plan=judged.plan,
        verdict=judged.verdict,
        models=judged.models,
        computed_by=head if head != repository else None,
        reproduce=(
            f"gh run download {run.id} --name {judged.artifact} --dir .assay/evidence",
            "assay gate --evidence .assay/evidence --publisher file",
        ),
        evidence_at=f"the artifact `{judged.artifact}` of run {run.id}",
    )
