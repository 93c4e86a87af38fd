"""From an evidence folder to comparisons and one verdict: pure but for reading the files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from assay.checks.catalogue import severity_of
from assay.config import Severity
from assay.errors import AssayError, InputError, Location
from assay.evidence import (
    Comparison,
    DataReport,
    Ledger,
    ModelPlan,
    Plan,
    Reference,
    StageRule,
    TestRun,
    Training,
    Verdict,
    file_digest,
)
from assay.gate.attribution import attribution_of
from assay.gate.findings import findings
from assay.gate.reference import reference_of
from assay.gate.sides import ANCHOR, BASE, compare_anchor, compare_model, read_if_there
from assay.report.bundle import ModelEvidence
from assay.verdict.decide import accept, decide


def judge(
    plan: Plan, folder: Path, *, audit: tuple[str, ...] = ()
) -> tuple[tuple[ModelEvidence, ...], Verdict]:
    """Compare every touched model in ``folder`` and judge them together.

    ``audit`` are sentences about jobs that did not do their part; each blocks. Writes nothing.
    Raises IntegrityError where predictions do not match the digest their training names.
    """
    models = tuple(_evidence(planned, folder) for planned in plan.models)
    stages = [
        StageRule(model="", stage="gate", severity=Severity.BLOCK, message=text, decides=False)
        for text in audit
    ]
    stages += findings(plan, models)
    verdict = decide(
        models, severity_of=severity_of, stages=stages, inputs=dict(_inputs(plan, models, folder))
    )
    return models, verdict


def replay(plan: Plan, folder: Path, stored: Verdict) -> tuple[tuple[ModelEvidence, ...], Verdict]:
    """Judge ``folder`` as it was when ``stored`` came out: its audit and acceptance still hold."""
    audit = tuple(stage.message for stage in stored.stages if stage.stage == "gate")
    models, verdict = judge(plan, folder, audit=audit)
    return models, accept(verdict, stored.override) if stored.override else verdict


def write(folder: Path, plan: Plan, models: tuple[ModelEvidence, ...], verdict: Verdict) -> None:
    """Write the comparisons and the verdict into the evidence folder."""
    plan.write(folder)
    for model in models:
        if model.comparison is not None:
            model.comparison.write(folder / model.plan.name)
        if model.anchored is not None:
            model.anchored.write(folder / model.plan.name / ANCHOR)
        if model.attribution is not None:
            model.attribution.write(folder / model.plan.name)
    verdict.write(folder)


def _evidence(planned: ModelPlan, folder: Path) -> ModelEvidence:
    if not planned.touched:
        return ModelEvidence(plan=planned)
    own = folder / planned.name
    head = read_if_there(Training, own)
    return ModelEvidence(
        plan=planned,
        tests=read_if_there(TestRun, own),
        data=read_if_there(DataReport, own),
        head=head,
        base=read_if_there(Training, own / BASE),
        comparison=compare_model(planned, own),
        reference=reference_of(planned.name, own, head),
        anchor=read_if_there(Training, own / ANCHOR),
        anchored=compare_anchor(planned, own),
        attribution=attribution_of(planned, own),
    )


def _inputs(
    plan: Plan, models: tuple[ModelEvidence, ...], folder: Path
) -> Iterator[tuple[str, str]]:
    yield plan.FILE, plan.digest()
    if any(model.plan.rules.ledger for model in models) and (folder / Ledger.FILE).is_file():
        yield Ledger.FILE, file_digest(folder / Ledger.FILE)
    for model in models:
        name = model.plan.name
        for kind in (TestRun, DataReport, Training, Reference):
            if (folder / name / kind.FILE).is_file():
                yield f"{name}/{kind.FILE}", file_digest(folder / name / kind.FILE)
        if model.comparison is not None:
            yield f"{name}/{Comparison.FILE}", model.comparison.digest()
        if model.anchored is not None:
            yield f"{name}/{ANCHOR}/{Comparison.FILE}", model.anchored.digest()
        if model.attribution is not None:
            yield f"{name}/{model.attribution.FILE}", model.attribution.digest()


def replayable(folder: Path) -> Plan:
    """Return the plan of an evidence folder; raises InputError where there is none."""
    try:
        return Plan.read(folder)
    except AssayError as error:
        if isinstance(error, InputError):
            raise InputError(
                "there is no plan.json.",
                where=Location(file=folder.as_posix()),
                remedy="Run `assay plan` first, or name the folder that holds it with --evidence.",
            ) from None
        raise
