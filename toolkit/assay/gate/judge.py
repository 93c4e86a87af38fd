"""From an evidence folder to comparisons and one verdict: pure but for reading the files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from assay.checks.catalogue import severity_of
from assay.comparison import Asked, compare, compare_scalars, head_alone, not_measured
from assay.config import Severity
from assay.errors import AssayError, InputError, IntegrityError, Location
from assay.evidence import (
    Comparison,
    DataReport,
    Document,
    Ledger,
    ModelPlan,
    Plan,
    StageRule,
    StageState,
    TestRun,
    Training,
    Verdict,
    file_digest,
)
from assay.gate.findings import findings
from assay.report.bundle import ModelEvidence
from assay.verdict.claims import NEW_MODEL
from assay.verdict.decide import accept, decide

D = TypeVar("D", bound=Document)
BASE = "base"


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
    verdict.write(folder)


def compare_model(planned: ModelPlan, folder: Path) -> Comparison:
    """Compare head and base of one model as its rules ask; ``folder`` is the model's own.

    The decisions on its test set are those of the ledger beside that folder.

    Whatever stands in the way becomes ``not_measured`` with its reason, except evidence that
    does not match its digest.
    """
    head, base = _read(Training, folder), _read(Training, folder / BASE)
    inputs = dict(_training_inputs(folder, head, base))
    found = _compared(planned, folder, head, base)
    scalars = compare_scalars(
        planned.rules.scalars,
        base=base.scalars if base else {},
        head=head.scalars if head else {},
        base_missing=base.missing_scalars if base else {},
        head_missing=head.missing_scalars if head else {},
    )
    return found.model_copy(
        update={"inputs": inputs, "measurements": (*found.measurements, *scalars)}
    )


def _compared(
    planned: ModelPlan, folder: Path, head: Training | None, base: Training | None
) -> Comparison:
    asked = Asked.by_rules(
        planned.name,
        planned.rules,
        base_model=base.model_digest if base else None,
        head_model=head.model_digest if head else None,
        test_set_changed=_differ(base, head),
        ledger=_read(Ledger, folder.parent) if planned.rules.ledger else None,
    )
    reason = _missing(planned, head, base)
    try:
        if reason is None and head and base and head.predictions and base.predictions:
            return compare(
                folder / BASE / base.predictions.file, folder / head.predictions.file, asked
            )
        if reason is not None and head and head.predictions:
            return head_alone(folder / head.predictions.file, asked, reason)
    except InputError as error:
        reason = reason or str(error).replace(folder.as_posix() + "/", "")
    return not_measured(planned.name, reason or "there are no predictions")


def _evidence(planned: ModelPlan, folder: Path) -> ModelEvidence:
    if not planned.touched:
        return ModelEvidence(plan=planned)
    own = folder / planned.name
    return ModelEvidence(
        plan=planned,
        tests=_read(TestRun, own),
        data=_read(DataReport, own),
        head=_read(Training, own),
        base=_read(Training, own / BASE),
        comparison=compare_model(planned, own),
    )


def _read(kind: type[D], folder: Path) -> D | None:
    return kind.read(folder) if (folder / kind.FILE).is_file() else None


def _missing(planned: ModelPlan, head: Training | None, base: Training | None) -> str | None:
    """Say why one side has no predictions, the head's reason first."""
    for name, side in (("head", head), ("base", base)):
        if side is not None and side.state is StageState.PASSED and side.predictions is not None:
            continue
        if side is base and planned.rules_from == "head":
            return NEW_MODEL
        if side is None:
            return f"the {name} left no evidence of its training"
        # What was tried is a list of its own, too long for the verdict's sentence.
        why = "" if side.tried else f": {side.reason or side.state.value}"
        return f"the {name} has no predictions{why}"
    return None


def _differ(base: Training | None, head: Training | None) -> bool:
    digests = [side.test_set_digest if side else None for side in (base, head)]
    return None not in digests and digests[0] != digests[1]


def _training_inputs(
    folder: Path, head: Training | None, base: Training | None
) -> Iterator[tuple[str, str]]:
    for prefix, side in (("", head), (f"{BASE}/", base)):
        if side is None:
            continue
        yield f"{prefix}{side.FILE}", file_digest(folder / prefix / side.FILE)
        kept = side.predictions
        if kept is None:
            continue
        path = folder / prefix / kept.file
        try:
            found = file_digest(path)
        except InputError:
            found = "none"
        if Path(kept.file).name != kept.file or found != kept.sha256:
            raise IntegrityError(
                "these are not the predictions that training.json names (SHA-256 differs).",
                where=Location(file=path.as_posix()),
                remedy="They were changed or lost after training: run the model's job again.",
            )
        yield f"{prefix}{kept.file}", kept.sha256


def _inputs(
    plan: Plan, models: tuple[ModelEvidence, ...], folder: Path
) -> Iterator[tuple[str, str]]:
    yield plan.FILE, plan.digest()
    if any(model.plan.rules.ledger for model in models) and (folder / Ledger.FILE).is_file():
        yield Ledger.FILE, file_digest(folder / Ledger.FILE)
    for model in models:
        name = model.plan.name
        for kind in (TestRun, DataReport, Training):
            if (folder / name / kind.FILE).is_file():
                yield f"{name}/{kind.FILE}", file_digest(folder / name / kind.FILE)
        if model.comparison is not None:
            yield f"{name}/{Comparison.FILE}", model.comparison.digest()


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
