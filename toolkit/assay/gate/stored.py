"""Read a judged evidence folder as it lies there: nothing is compared or judged again."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from assay.comparison import not_measured
from assay.comparison.attribution import no_attribution
from assay.errors import IntegrityError, Location
from assay.evidence import (
    Attribution,
    Comparison,
    DataReport,
    Document,
    ModelPlan,
    Plan,
    Reference,
    TestRun,
    Training,
    Verdict,
)
from assay.gate.judge import replayable
from assay.gate.sides import ANCHOR, BASE
from assay.report.bundle import ModelEvidence

D = TypeVar("D", bound=Document)


def read_stored(folder: Path) -> tuple[Plan, tuple[ModelEvidence, ...], Verdict]:
    """Return the plan, each model's evidence, and the verdict.

    Raises InputError where there is no plan or verdict, and IntegrityError where a document is
    malformed or of another model than its folder says.
    """
    plan = replayable(folder)
    return plan, read_models(plan, folder), Verdict.read(folder)


def read_models(plan: Plan, folder: Path) -> tuple[ModelEvidence, ...]:
    """Return the evidence of each model of the plan; what is not there is None."""
    return tuple(
        ModelEvidence(
            plan=planned,
            tests=_read(TestRun, folder / planned.name, planned.name),
            data=_read(DataReport, folder / planned.name, planned.name),
            head=_read(Training, folder / planned.name, planned.name),
            base=_read(Training, folder / planned.name / BASE, planned.name),
            comparison=_read(Comparison, folder / planned.name, planned.name),
            reference=_read(Reference, folder / planned.name, planned.name),
            anchor=_read(Training, folder / planned.name / ANCHOR, planned.name),
            attribution=_attribution(planned, folder / planned.name),
            anchored=_anchored(planned, folder / planned.name / ANCHOR),
        )
        for planned in plan.models
    )


def _attribution(planned: ModelPlan, folder: Path) -> Attribution | None:
    """The attribution to code and data, where the plan asks for one."""
    if not planned.attribution:
        return None
    found = _read(Attribution, folder, planned.name)
    return found or no_attribution(planned.name, "the attribution left no evidence")


def _anchored(planned: ModelPlan, folder: Path) -> Comparison | None:
    """The comparison with the anchor, where the plan names one."""
    if planned.anchor is None:
        return None
    found = _read(Comparison, folder, planned.name)
    return found or not_measured(planned.name, "the comparison with the anchor left no evidence")


def _read(kind: type[D], folder: Path, model: str) -> D | None:
    path = folder / kind.FILE
    if not path.is_file():
        return None
    document = kind.read(folder)
    said = getattr(document, "model", model)
    if said != model:
        raise IntegrityError(
            f"this is the evidence of {str(said)[:60]!r}, in the folder of {model!r}.",
            where=Location(file=path.as_posix()),
            remedy="Put it where it belongs, or run the stage that writes it again.",
        )
    return document
