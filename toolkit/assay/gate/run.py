"""The gate, from artifacts to the published report."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assay.errors import InputError, Location, OutsideError
from assay.evidence import Plan, Verdict
from assay.gate.assemble import CARRIED, assemble
from assay.gate.audit import audit, parse_needs
from assay.gate.earlier import judge_carried
from assay.gate.judge import judge, replayable, write
from assay.gate.publish import Published, Publishing, publish
from assay.gate.reports import write_reports
from assay.github.settings import Settings
from assay.report.bundle import ModelEvidence, Report

Say = Callable[[str], object]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a gate is asked: where the evidence is, and who publishes."""

    evidence: Path
    artifacts: Path | None = None
    needs: str | None = None
    publisher: str | None = None
    checks_token: str | None = None


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a gate did."""

    verdict: Verdict
    report: Path
    comment: str | None


def run_gate(request: Request, settings: Settings, *, say: Say) -> Done:
    """Assemble, audit, compare, judge, accept, report and publish.

    The verdict and the report are written before anything is published, so that a GitHub that is
    down loses nothing. Raises InputError without a plan, IntegrityError for altered evidence,
    and OutsideError where nothing could be published.
    """
    problems = audit(parse_needs(request.needs)) if request.needs else ()
    if request.artifacts is not None:
        if not request.artifacts.is_dir() and not problems:
            raise InputError(
                "there is no such folder.",
                where=Location(file=request.artifacts.as_posix()),
                remedy="Download the run's artifacts into it first.",
            )
        if settings.in_actions:
            _forget(request.evidence, but=request.artifacts)
        assemble(request.artifacts, request.evidence, attempt=settings.event.run_attempt)
    plan = _plan(request.evidence, problems)
    if plan.carried is not None and not problems:
        say(f"This tree was judged already, by {plan.carried}: its evidence is carried over.")
        plan, models, verdict = judge_carried(request.evidence)
        shutil.copytree(request.evidence / CARRIED, request.evidence, dirs_exist_ok=True)
        shutil.rmtree(request.evidence / CARRIED)
    else:
        models, verdict = judge(plan, request.evidence, audit=problems)
    publishing = Publishing.of(
        plan, settings, publisher=request.publisher, checks_token=request.checks_token
    )
    verdict = publishing.accepted(verdict, say=say)
    write(request.evidence, plan, models, verdict)
    report = report_of(plan, verdict, models, publishing)
    published = publish(report, publishing, say=say)
    target = write_reports(request.evidence, report, published.markdown)
    raise_unpublished(published)
    return Done(verdict=verdict, report=target, comment=published.address)


def _forget(evidence: Path, *, but: Path) -> None:
    """Remove what an earlier job left on a runner that is used again: it is no evidence of ours."""
    if evidence.resolve() not in (but.resolve(), *but.resolve().parents):
        shutil.rmtree(evidence, ignore_errors=True)


def _plan(evidence: Path, problems: tuple[str, ...]) -> Plan:
    """Without a plan nothing can be judged: say which job is to blame where one is."""
    try:
        return replayable(evidence)
    except InputError as error:
        if problems:
            raise InputError(
                " ".join(problems),
                remedy="There is no plan to judge by: open that job's log.",
            ) from error
        raise


def report_of(
    plan: Plan, verdict: Verdict, models: tuple[ModelEvidence, ...], publishing: Publishing
) -> Report:
    """Return the report of a judged run, with where its evidence lies and how to replay it."""
    where = (
        f"the artifact `assay-gate-{plan.head.tree}` of this run"
        if publishing.in_actions
        else "the evidence folder"
    )
    return Report(
        plan=plan,
        verdict=verdict,
        models=models,
        reproduce=_reproduce(plan, in_actions=publishing.in_actions),
        evidence_at=where,
    )


def _reproduce(plan: Plan, *, in_actions: bool) -> tuple[str, ...]:
    judge_again = "assay gate --evidence .assay/evidence --publisher file"
    if not in_actions or plan.event.run_id is None:
        return (judge_again,)
    name = f"assay-gate-{plan.head.tree}"
    return (
        f"gh run download {plan.event.run_id} --name {name} --dir .assay/evidence",
        judge_again,
    )


def raise_unpublished(published: Published) -> None:
    """Raise the error that kept a comment from being written, if there was one."""
    if published.error is not None:
        raise OutsideError(
            f"the report was written but not published: {published.error}"
        ) from published.error
