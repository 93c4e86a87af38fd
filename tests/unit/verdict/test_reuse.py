"""Worn test sets: a flag and a warning, never more."""

from __future__ import annotations

from typing import Any

import pytest

from assay.config import Gate, Severity
from assay.evidence import (
    Comparison,
    CorrectedInterval,
    Measurement,
    Outcome,
    Reuse,
    Rule,
    State,
    Verdict,
)
from assay.stats.estimate import POWER, quantile
from assay.verdict import decide_comparison

ERROR = 0.005
DETECTABLE = (quantile(0.95) + quantile(2 * POWER - 1)) * ERROR
POINT = Gate(margin=0.01)


def measured(low: float, high: float, **more: Any) -> Measurement:
    difference = (low + high) / 2
    values: dict[str, Any] = {
        "metric": "accuracy",
        "base": 0.8,
        "head": 0.8 + difference,
        "difference": difference,
        "interval": (low, high),
        "p_worse": 0.5,
        "n": 1000,
        "detectable": DETECTABLE,
    }
    return Measurement(**{**values, **more})


def judged(
    *found: Measurement,
    decisions: int | None,
    corrected: tuple[float, float] | None = None,
    gate: Gate = POINT,
    contrast: tuple[float, float] | None = None,
    **more: Any,
) -> Verdict:
    corrections = [CorrectedInterval(metric="accuracy", interval=corrected)] if corrected else []
    if contrast:
        weighted = CorrectedInterval(metric="accuracy", base_weight=0.99, interval=contrast)
        corrections.append(weighted)
    reuse = Reuse(
        test_set="a" * 64,
        decisions=decisions,
        missing=None if decisions else "the remote is away",
        confidence=1 - 0.05 / decisions if decisions else None,
        corrected=tuple(corrections),
    )
    comparison = Comparison(model="churn", measurements=found, reuse=reuse, **more)
    return decide_comparison(comparison, gates={"accuracy": gate})


def only(verdict: Verdict) -> Rule:
    (rule,) = [rule for rule in verdict.rules if rule.slice == "all"]
    return rule


def test_the_first_decision_wears_nothing_even_where_the_margin_affords_none() -> None:
    verdict = judged(measured(-0.005, 0.015), decisions=1, corrected=(-0.005, 0.015))
    rule = only(verdict)
    assert rule.reuse is not None
    assert (rule.flags, verdict.state) == ((), Outcome.PASS)


def test_within_the_credit_and_with_the_same_state_nothing_is_said() -> None:
    wide = Gate(margin=0.02)
    verdict = judged(measured(-0.005, 0.015), decisions=3, corrected=(-0.008, 0.018), gate=wide)
    rule = only(verdict)
    assert rule.reuse is not None
    assert rule.reuse.credit == 789
    assert (rule.flags, rule.reason, verdict.state) == ((), None, Outcome.PASS)


def test_beyond_the_credit_a_passing_gate_warns_and_says_why() -> None:
    verdict = judged(measured(-0.005, 0.015), decisions=3, corrected=(-0.008, 0.018))
    rule = only(verdict)
    assert rule.reuse is not None
    assert (rule.reuse.credit, rule.reuse.state) == (1, State.NO_WORSE)
    assert (rule.state, rule.severity, rule.flags) == (State.NO_WORSE, Severity.WARN, ("worn",))
    assert verdict.state is Outcome.WARN
    assert verdict.sentence == (
        "Accuracy is no worse, but accuracy rests on a worn test set (this test set has decided "
        "about 3 models, and the margin affords 1)."
    )


def test_another_state_at_the_corrected_interval_is_worn_within_any_credit() -> None:
    verdict = judged(
        measured(-0.019, 0.001), decisions=2, corrected=(-0.021, 0.003), gate=Gate(margin=0.02)
    )
    rule = only(verdict)
    assert rule.reuse is not None
    assert rule.reuse.state is State.INCONCLUSIVE
    assert (rule.state, verdict.state) == (State.NO_WORSE, Outcome.WARN)
    assert "at 97.5 % confidence, this is inconclusive" in (rule.reason or "")


@pytest.mark.parametrize("decisions", [2, 40])
def test_a_worn_test_set_takes_nothing_off_a_worse_one(decisions: int) -> None:
    found = measured(-0.05, -0.02, p_worse=1e-6)
    verdict = judged(found, decisions=decisions, corrected=(-0.06, 0.01))
    rule = only(verdict)
    assert (rule.state, rule.severity) == (State.WORSE, Severity.BLOCK)
    assert "worn" in rule.flags
    assert verdict.state is Outcome.FAIL


def test_it_never_blocks_and_a_gate_that_is_off_stays_off() -> None:
    off = Gate(margin=0.01, severity=Severity.OFF)
    verdict = judged(measured(-0.005, 0.015), decisions=99, corrected=(-0.02, 0.03), gate=off)
    assert only(verdict).severity is Severity.OFF


def test_a_relative_margin_is_seen_through_its_own_contrast() -> None:
    gate = Gate(relative_margin=0.01)
    verdict = judged(
        measured(-0.005, 0.012),
        measured(0.001, 0.02, base_weight=0.99),
        decisions=4,
        corrected=(-0.01, 0.017),
        contrast=(-0.002, 0.023),
        gate=gate,
    )
    rule = only(verdict)
    assert rule.reuse is not None
    assert rule.reuse.credit == 0
    assert (rule.state, rule.reuse.state) == (State.NO_WORSE, State.INCONCLUSIVE)


def test_a_demand_to_improve_has_no_credit_and_a_corrected_state() -> None:
    gate = Gate(must_improve=True)
    verdict = judged(measured(0.001, 0.02), decisions=2, corrected=(-0.001, 0.022), gate=gate)
    rule = only(verdict)
    assert rule.reuse is not None
    assert rule.reuse.credit is None
    assert (rule.state, rule.flags) == (State.BETTER, ("worn",))


def test_decisions_that_are_not_known_change_no_rule() -> None:
    verdict = judged(measured(-0.005, 0.015), decisions=None)
    assert only(verdict).reuse is None
    assert verdict.state is Outcome.PASS


def test_slices_and_metrics_for_information_are_left_alone() -> None:
    verdict = judged(
        measured(-0.005, 0.015),
        measured(-0.05, 0.05, slice="a=b"),
        measured(-0.05, 0.05, metric="f1"),
        decisions=30,
        corrected=(-0.02, 0.03),
    )
    assert [rule.reuse is not None for rule in verdict.rules] == [True, False, False]


@pytest.mark.parametrize("confidence", [0.0, 0.3, 1.0, 2.0])
def test_a_confidence_of_no_configuration_has_no_credit(confidence: float) -> None:
    verdict = judged(
        measured(-0.005, 0.015), decisions=3, corrected=(-0.008, 0.018), confidence=confidence
    )
    assert only(verdict).reuse is not None
    assert only(verdict).reuse.credit is None  # type: ignore[union-attr]


@pytest.mark.parametrize("detectable", [-1.0, 0.0, 1e-300, 1e300])
def test_no_detectable_difference_breaks_the_credit(detectable: float) -> None:
    found = measured(-0.005, 0.015, detectable=detectable)
    verdict = judged(found, decisions=3, corrected=(-0.008, 0.018))
    assert only(verdict).reuse is not None
