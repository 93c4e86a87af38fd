"""The verdict: a pure function of evidence and rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from assay.config import Gate, Model, Scalar, Severity
from assay.evidence import (
    Comparison,
    DataReport,
    ModelPlan,
    Outcome,
    Override,
    Proposed,
    Rule,
    StageRule,
    State,
    TestRun,
    Training,
    Verdict,
)
from assay.verdict.changes import changed_rules
from assay.verdict.claims import WHOLE, Claim, Rules, anchor_claims, claims_of
from assay.verdict.rules import judged, judged_with_anchor
from assay.verdict.sentence import sentence_of
from assay.verdict.stages import SeverityOf, stage_rules

_OUTCOMES = {Severity.BLOCK: Outcome.FAIL, Severity.WARN: Outcome.WARN}


class Evidence(Protocol):
    """One model's evidence; what is None was not there."""

    @property
    def plan(self) -> ModelPlan:
        """What is compared, and by which rules."""

    @property
    def tests(self) -> TestRun | None:
        """The consumer's tests, on the head."""

    @property
    def data(self) -> DataReport | None:
        """The data checks, on the head."""

    @property
    def head(self) -> Training | None:
        """The head's training."""

    @property
    def comparison(self) -> Comparison | None:
        """The comparison of head and base."""

    @property
    def anchored(self) -> Comparison | None:
        """The comparison of head and anchor."""


def decide(
    models: Sequence[Evidence],
    *,
    severity_of: SeverityOf,
    stages: Sequence[StageRule] = (),
    inputs: Mapping[str, str] | None = None,
) -> Verdict:
    """Judge a run: every model that the change touches, by the rules of its plan.

    `severity_of` says what a data check's finding does (`assay.checks.severity_of`); `stages` are
    what the caller itself found, such as a cancelled job; `inputs` the digests of the documents.
    Without any model in the plan nothing was measured, which fails.
    """
    touched = [model for model in models if model.plan.touched]
    found = [*stages, *_stages(touched, severity_of, proposed=False)]
    rules = judged_with_anchor(_claims(touched, proposed=False), _anchor_claims(touched))
    if not models:
        found.append(_nothing("the plan names no model"))
    verdict = _verdict(rules, found, anything_asked=bool(touched))
    proposed = {
        model.plan.name: _proposed(model, severity_of)
        for model in touched
        if model.plan.proposed is not None
    }
    return verdict.model_copy(update={"proposed": proposed, "inputs": dict(inputs or {})})


def decide_comparison(
    comparison: Comparison,
    *,
    gates: Mapping[str, Gate],
    scalars: Mapping[str, Scalar] | None = None,
    worse_blocks: Collection[str] = (),
    worst_slice: Severity = Severity.WARN,
    anchored: Sequence[Claim] = (),
    inputs: Mapping[str, str] | None = None,
) -> Verdict:
    """Judge one comparison alone, without a plan and the stages before it.

    `worse_blocks` are metrics without a margin: shown to be worse, they fail; otherwise they
    can be better or inconclusive, but nothing can call them no worse. `worst_slice` is what the
    worst of the slices that were searched does where it is worse, `anchored` the claims against
    an anchor.
    """
    asked = Rules(
        model=comparison.model,
        gates=gates,
        scalars=scalars or {},
        worse_blocks=worse_blocks,
        worst_slice=worst_slice,
    )
    rules = judged_with_anchor(claims_of(asked, comparison), anchored)
    verdict = _verdict(rules, [], anything_asked=True)
    return verdict.model_copy(update={"inputs": dict(inputs or {})})


def accept(verdict: Verdict, override: Override) -> Verdict:
    """A failing verdict that a person with the right to do so accepts: it warns, and says who."""
    if verdict.state is not Outcome.FAIL:
        return verdict
    sentence = f"Accepted by {override.by} although: {verdict.sentence}"
    return verdict.model_copy(
        update={"state": Outcome.WARN, "sentence": sentence, "override": override}
    )


def outcome_of(severities: Iterable[Severity]) -> Outcome:
    """The outcome of what all rules do: one that blocks fails, one that warns warns."""
    found = set(severities)
    if Severity.BLOCK in found:
        return Outcome.FAIL
    return Outcome.WARN if Severity.WARN in found else Outcome.PASS


def _rules_of(model: Evidence, *, proposed: bool) -> Model:
    plan = model.plan
    return plan.proposed if proposed and plan.proposed is not None else plan.rules


def _claims(models: Sequence[Evidence], *, proposed: bool) -> list[Claim]:
    claims = []
    for model in models:
        rules = _rules_of(model, proposed=proposed)
        asked = Rules(
            model=model.plan.name,
            gates=rules.gates,
            scalars=rules.scalars,
            new=model.plan.rules_from == "head",
            worst_slice=rules.worst_slice.severity,
        )
        claims += claims_of(asked, model.comparison)
    return claims


def _anchor_claims(models: Sequence[Evidence]) -> list[Claim]:
    claims = []
    for model in models:
        rules, anchor = model.plan.rules, model.plan.anchor
        if anchor is not None and rules.anchor is not None:
            gates = rules.anchor.gates(rules.gates)
            claims += anchor_claims(model.plan.name, gates, anchor.name, model.anchored)
    return claims


def _stages(
    models: Sequence[Evidence], severity_of: SeverityOf, *, proposed: bool
) -> list[StageRule]:
    found = []
    for model in models:
        found += stage_rules(
            model.plan.name,
            _rules_of(model, proposed=proposed),
            tests=model.tests,
            data=model.data,
            head=model.head,
            severity_of=severity_of,
        )
    return found


def _proposed(model: Evidence, severity_of: SeverityOf) -> Proposed:
    verdict = _verdict(
        judged(_claims([model], proposed=True)),
        _stages([model], severity_of, proposed=True),
        anything_asked=True,
    )
    changes = changed_rules(model.plan.rules, _rules_of(model, proposed=True))
    return Proposed(state=verdict.state, changes=changes, rules=verdict.rules)


def _verdict(
    rules: Sequence[Rule], stages: Sequence[StageRule], *, anything_asked: bool
) -> Verdict:
    severities = [rule.severity for rule in rules] + [stage.severity for stage in stages]
    outcome = outcome_of(severities)
    measured = any(
        rule.gate and rule.slice == WHOLE and rule.state is not State.NOT_MEASURED
        for rule in rules
        if rule.against == "base"
    )
    if anything_asked and not measured and outcome is Outcome.PASS:
        outcome = Outcome.WARN
    decided = [
        rule.model_copy(update={"decides": _decides(rule.severity, outcome)}) for rule in rules
    ]
    return Verdict(
        state=outcome,
        sentence=sentence_of(outcome, rules, stages),
        rules=tuple(rule for rule in decided if rule.against == "base"),
        anchored=tuple(rule for rule in decided if rule.against == "anchor"),
        stages=tuple(
            rule.model_copy(update={"decides": _decides(rule.severity, outcome)}) for rule in stages
        ),
    )


def _decides(severity: Severity, outcome: Outcome) -> bool:
    return _OUTCOMES.get(severity) is outcome


def _nothing(message: str) -> StageRule:
    return StageRule(
        model="", stage="plan", severity=Severity.BLOCK, message=message, decides=False
    )
