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
from assay.errors import InputError
from assay.evidence import Event, Plan, Revision, Verdict
from assay.gate.findings import findings
from assay.gate.publish import Published, Publishing, publish
from assay.gate.stored import read_models
from assay.gate.verify import verify
from assay.github import fork
from assay.github.client import Client
from assay.github.events import WorkflowRun
from assay.github.publish import client_of
from assay.github.settings import Settings
from assay.report.bundle import ModelEvidence, Report
from assay.verdict.decide import decide

Say = Callable[[str], object]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What GitHub says of a pull request: all that its plan is made of."""

    event: Event
    head: Revision
    base: Revision
    config_file: str
    head_text: str | None
    base_text: str | None
    changed_paths: tuple[str, ...]


MakePlan = Callable[[Facts], Plan]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A fork's run, judged again: what the comment is made of."""

    plan: Plan
    models: tuple[ModelEvidence, ...]
    verdict: Verdict
    artifact: str


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What may be published, and by whom: paths from the repository's root."""

    config: str
    workflow: str
    publisher: str | None = None


def publish_report(
    settings: Settings, wanted: Wanted, *, make_plan: MakePlan, say: Say
) -> Published | None:
    """Check, fetch, judge again and publish; None where the run is stale,
    or could write for itself.

    ``make_plan`` says which models the pull request touches and whose rules judge them.

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
        fork.check_run(run, repository=client.repository, workflow=wanted.workflow)
        if fork.could_write(run, repository=client.repository):
            say(f"Nothing is published: run {run.id} could write, and wrote for itself.")
            return None
        pull = fork.find_pull(client, run)
        with tempfile.TemporaryDirectory(prefix="assay-fork-", dir=settings.temporary) as scratch:
            plan = make_plan(facts_of(client, run, pull, wanted.config))
            judged = judge_again(client, run, plan, Path(scratch))
    except fork.Stale as stale:
        say(f"Nothing is published: {stale}")
        return None
    finally:
        client.close()
    told = replace(settings, event=judged.plan.event)
    publishing = Publishing.of(judged.plan, told, publisher=wanted.publisher, checks_token=None)
    verdict = publishing.accepted(judged.verdict, say=say)
    report = _report(replace(judged, verdict=verdict), run, client.repository)
    return publish(report, publishing, say=say)


def judge_again(client: Client, run: WorkflowRun, plan: Plan, folder: Path) -> Judged:
    """Fetch a run's evidence into ``folder`` and judge it by the plan's rules."""
    fetched = fork.fetch_evidence(client, run, folder)
    fork.check_models(fetched.files, [model.name for model in plan.models])
    verify(folder)
    models = read_models(plan, folder)
    return Judged(
        plan=plan,
        models=models,
        verdict=decide(models, severity_of=severity_of, stages=findings(plan, models)),
        artifact=fetched.artifact,
    )


def facts_of(client: Client, run: WorkflowRun, pull: fork.Pull, config: str) -> Facts:
    """Ask GitHub for all that a plan is made of."""
    base_text = fork.file_at(client, config, pull.base_sha)
    head_text = fork.file_at(client, config, pull.head_sha)
    if head_text is None and base_text is None:
        raise InputError(
            f"neither the base nor the head of #{pull.number} has {config}.",
            remedy="Name the configuration with the input `config`.",
        )
    return Facts(
        event=fork.event_of(pull, run, repository=client.repository),
        head=fork.revision(client, pull.head_sha),
        base=fork.revision(client, pull.base_sha),
        config_file=config,
        head_text=head_text,
        base_text=base_text,
        changed_paths=fork.changed_files(client, pull.number),
    )


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
