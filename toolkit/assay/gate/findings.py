"""What the gate itself finds beside the rules: no base, a removed model, other test rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.config import Severity
from assay.evidence import Plan, StageRule
from assay.gate.reference import is_watched
from assay.report.bundle import ModelEvidence

_MUST_HAVE_A_BASE = ("pull_request", "merge_group")


def findings(plan: Plan, models: Sequence[ModelEvidence]) -> list[StageRule]:
    """Return one judged stage for each thing that no rule of the configuration speaks of."""
    found = [*_plan(plan)]
    for model in models:
        found += [*_stale(plan, model), *_rows(model), *_profile(plan, model)]
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


def _stale(plan: Plan, model: ModelEvidence) -> Iterator[StageRule]:
    """Evidence that an earlier commit left in a person's folder, where nothing starts empty."""
    if plan.event.name != "local":
        return
    for side, training, wanted in (
        ("head", model.head, plan.head),
        ("base", model.base, plan.base),
        ("anchor", model.anchor, model.plan.anchor.revision if model.plan.anchor else None),
    ):
        tree = training.lineage.tree if training else None
        if tree is None or wanted is None or tree == wanted.tree:
            continue
        said = (
            f"the {side}'s training is of another commit than the plan's "
            f"({wanted.commit[:7]}): run `assay train --side {side}` again"
        )
        yield _found(model.plan.name, "training", Severity.BLOCK, said)


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


def _profile(plan: Plan, model: ModelEvidence) -> Iterator[StageRule]:
    """A watched model without its profile: nobody would see that drift is measured from nothing."""
    trained = model.head is not None and model.head.predictions is not None
    if plan.event.name != "local" and is_watched(model.plan) and trained and not model.reference:
        said = "no reference profile was made, so drift in production will not be measured"
        yield _found(model.plan.name, "training", Severity.WARN, said)


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
