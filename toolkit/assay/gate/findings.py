"""What the gate itself finds beside the rules: no base, a removed model, other test rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.config import Severity
from assay.evidence import Plan, StageRule
from assay.report.bundle import ModelEvidence

_MUST_HAVE_A_BASE = ("pull_request", "merge_group")


def findings(plan: Plan, models: Sequence[ModelEvidence]) -> list[StageRule]:
    """Return one judged stage for each thing that no rule of the configuration speaks of."""
    found = [*_plan(plan)]
    for model in models:
        found += _rows(model)
    return found


def _plan(plan: Plan) -> Iterator[StageRule]:
    """A proposal always has a base: without one its own rules would judge, and only warn."""
    if plan.base is None and plan.event.name in _MUST_HAVE_A_BASE:
        why = plan.why_no_base or "no reason was given"
        yield _found("", "plan", Severity.BLOCK, f"there is no base to compare with: {why}")
    for model in plan.models:
        if model.removed:
            said = "the base has this model and the change removes it: nothing of it was judged"
            yield _found(model.name, "plan", Severity.WARN, said)


def _rows(model: ModelEvidence) -> Iterator[StageRule]:
    """Rows that the head dropped or labelled anew move the numbers without a better model."""
    rows = model.comparison.rows if model.comparison else None
    if rows is None:
        return
    base = model.base.test_set_digest if model.base else None
    head = model.head.test_set_digest if model.head else None
    same = base is not None and base == head
    if rows.base_only:
        said = f"{rows.base_only:,} of the base's test rows are missing on the head"
        said += ", though the test data did not change" if same else ""
        severity = Severity.BLOCK if same else Severity.WARN
        yield _found(model.plan.name, "comparison", severity, said)
    if rows.labels_changed:
        said = f"{rows.labels_changed:,} test rows have another label on the head"
        yield _found(model.plan.name, "comparison", Severity.WARN, said)


def _found(model: str, stage: str, severity: Severity, message: str) -> StageRule:
    return StageRule.model_validate(
        {
            "model": model,
            "stage": stage,
            "severity": severity,
            "message": message,
            "decides": False,
        }
    )
