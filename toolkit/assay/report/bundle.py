"""What a report is made of: the verdict, and the evidence it was made from."""

from __future__ import annotations

from dataclasses import dataclass

from assay.evidence import (
    Attribution,
    Comparison,
    DataReport,
    ModelPlan,
    Plan,
    Reference,
    TestRun,
    Training,
    Verdict,
)
from assay.report.history import Entry


@dataclass(frozen=True, kw_only=True)
class ModelEvidence:
    """One model's evidence; what is None was not there.

    ``anchored`` is the head's comparison with the anchor, ``reference`` the profile that production
    is compared with.
    """

    plan: ModelPlan
    tests: TestRun | None = None
    data: DataReport | None = None
    head: Training | None = None
    base: Training | None = None
    comparison: Comparison | None = None
    anchor: Training | None = None
    anchored: Comparison | None = None
    attribution: Attribution | None = None
    reference: Reference | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything one comment says.

    ``history`` holds older verdicts, newest first. ``computed_by`` names the fork whose code
    computed the numbers. ``reproduce`` is the command that computes the verdict again from
    the evidence; ``evidence_at`` says where that lies.
    """

    plan: Plan
    verdict: Verdict
    models: tuple[ModelEvidence, ...]
    history: tuple[Entry, ...] = ()
    computed_by: str | None = None
    reproduce: tuple[str, ...] = ("assay gate --evidence .assay/evidence",)
    evidence_at: str = "the evidence folder"

    @property
    def several(self) -> bool:
        """Whether models have to be named at every place."""
        return len(self.touched) > 1

    @property
    def touched(self) -> tuple[ModelEvidence, ...]:
        """The models that the change touches."""
        return tuple(model for model in self.models if model.plan.touched)
