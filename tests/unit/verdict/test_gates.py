"""Verdicts over a comparison alone: each metric's gate, and the claims together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.config import Gate, Scalar, Severity
from assay.evidence import (
    Measurement,
    Outcome,
    State,
    Verdict,
)
from assay.verdict import decide_comparison
from support.judged import POINT, WORSE, alone, comparison, evidence, measured, only, run


def test_all_gates_hold() -> None:
    verdict = run(evidence())
    assert verdict.state is Outcome.PASS
    assert verdict.stages == ()
    assert verdict.sentence == (
        "Accuracy is no worse: 0.8000 to 0.8000, a difference of 0.0000 "
        "(95 % interval −0.0050 to +0.0050, margin 0.01)."
    )


def test_a_loss_fails_and_names_the_number() -> None:
    verdict = alone(measured(**WORSE), measured("recall"), gates={"accuracy": POINT})
    assert verdict.state is Outcome.FAIL
    assert verdict.rules[0].decides
    assert verdict.rules[0].flags == ("exceeds_margin",)
    assert verdict.sentence.startswith("Accuracy is worse: 0.800 to 0.765, a difference of −0.035")


def test_a_metric_that_does_not_gate_never_decides() -> None:
    verdict = alone(measured(), measured("recall", **WORSE), gates={"accuracy": POINT})
    assert verdict.state is Outcome.PASS
    recall = verdict.rules[1]
    assert (recall.state, recall.gate, recall.severity) == (State.WORSE, False, Severity.OFF)


def test_holm_counts_every_blocking_claim() -> None:
    nominal = measured(low=-0.05, high=-0.001, p=0.02)
    single = alone(nominal, gates={"accuracy": POINT})
    assert single.rules[0].state is State.WORSE
    two = alone(nominal, measured("recall"), gates={"accuracy": POINT, "recall": POINT})
    rule = two.rules[0]
    assert (rule.state, rule.flags) == (State.INCONCLUSIVE, ("nominally_worse",))
    assert rule.p_adjusted == pytest.approx(0.04)
    assert rule.reason is not None
    assert "only nominally worse" in rule.reason
    assert two.state is Outcome.WARN


def test_claims_of_other_models_count_too() -> None:
    nominal = evidence(comparison=comparison(measured(low=-0.05, high=-0.001, p=0.02)))
    assert run(nominal).state is Outcome.FAIL
    other = replace(
        nominal,
        plan=nominal.plan.model_copy(update={"name": "fraud"}),
        comparison=comparison(measured()),
    )
    both = run(nominal, other)
    assert both.state is Outcome.WARN
    assert both.sentence.startswith("churn: accuracy is inconclusive")


def test_worse_needs_its_own_interval_below_zero() -> None:
    verdict = alone(measured(low=-0.03, high=0.001, p=0.01), gates={"accuracy": POINT})
    assert only(verdict).state is State.INCONCLUSIVE


def test_slices_block_where_asked_and_warn_otherwise() -> None:
    inside = (measured(), measured(where="sex=f", **WORSE))
    warned = alone(*inside, gates={"accuracy": POINT})
    assert warned.state is Outcome.WARN
    assert warned.sentence.startswith("Accuracy is no worse, but accuracy in sex=f is worse: ")
    strict = alone(*inside, gates={"accuracy": Gate(margin=0.01, slices=Severity.BLOCK)})
    assert strict.state is Outcome.FAIL
    unsettled = measured(low=-0.1, high=0.1, where="sex=f")
    assert alone(measured(), unsettled, gates={"accuracy": POINT}).state is Outcome.PASS


def test_a_relative_margin_takes_the_contrast() -> None:
    gate = {"accuracy": Gate(relative_margin=0.02)}
    plain = measured(low=-0.012, high=0.004)
    contrast = measured(low=0.004, high=0.02, base_weight=0.98, rows_needed=700)
    held = alone(plain, contrast, gates=gate)
    rule = only(held)
    assert (rule.state, rule.relative_margin, rule.margin) == (State.NO_WORSE, 0.02, None)
    assert rule.interval == (-0.012, 0.004)
    assert rule.rows_needed == 700
    missing = only(alone(plain, gates=gate))
    assert missing.state is State.INCONCLUSIVE
    assert missing.reason is not None
    assert "contrast" in missing.reason
    beyond = measured(low=-0.03, high=-0.004, base_weight=0.98)
    rule = only(alone(measured(**WORSE), beyond, gates=gate))
    assert (rule.state, rule.flags) == (State.WORSE, ("exceeds_margin",))
    refused = beyond.model_copy(update={"interval": None, "regime": "a base of 0"})
    assert only(alone(measured(**WORSE), refused, gates=gate)).reason == "a base of 0"


def test_must_improve_fails_a_copy() -> None:
    copy = comparison(measured(low=0.0, high=0.0, p=1.0), identical_model=True)
    verdict = decide_comparison(copy, gates={"accuracy": Gate(must_improve=True)})
    assert verdict.state is Outcome.FAIL
    assert only(verdict).reason == "identical model, and it must improve"
    kept = decide_comparison(copy, gates={"accuracy": POINT})
    assert (kept.state, only(kept).reason) == (Outcome.PASS, "identical model")


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ([], "the comparison did not measure accuracy"),
        ([measured(interval=None, difference=None, undefined="one class")], "one class"),
    ],
)
def test_a_gate_without_a_number_blocks(found: list[Measurement], reason: str) -> None:
    verdict = alone(*found, gates={"accuracy": POINT})
    assert verdict.state is Outcome.FAIL
    assert (only(verdict).state, only(verdict).reason) == (State.NOT_MEASURED, reason)
    assert verdict.sentence == f"Accuracy is not measured: {reason}."


def test_a_regime_is_inconclusive() -> None:
    found = measured(interval=None, p_worse=None, regime="too few positives", rows_needed=4000)
    verdict = alone(found, gates={"accuracy": POINT})
    assert verdict.state is Outcome.WARN
    assert (only(verdict).reason, only(verdict).rows_needed) == ("too few positives", 4000)
    blocking = alone(found, gates={"accuracy": Gate(margin=0.01, inconclusive=Severity.BLOCK)})
    assert blocking.state is Outcome.FAIL


def test_a_slice_that_neither_side_defines_is_the_datas_doing() -> None:
    gates = {"accuracy": Gate(margin=0.01, slices=Severity.BLOCK)}
    gone = {"interval": None, "difference": None, "undefined": "one class", "where": "sex=f"}
    neither = measured(**gone, base=None, head=None)
    assert alone(measured(), neither, gates=gates).state is Outcome.PASS
    heads = measured(**gone, head=None)
    assert alone(measured(), heads, gates=gates).state is Outcome.FAIL


@pytest.mark.parametrize(
    ("head", "scalar", "outcome"),
    [
        (9.0, Scalar(file="m.json", key="k", tolerance=1.0, severity=Severity.BLOCK), "pass"),
        (8.9, Scalar(file="m.json", key="k", tolerance=1.0, severity=Severity.BLOCK), "fail"),
        (8.9, Scalar(file="m.json", key="k", relative_tolerance=0.1), "warn"),
        (None, Scalar(file="m.json", key="k", severity=Severity.BLOCK), "fail"),
    ],
)
def test_scalars_have_a_tolerance_and_no_interval(
    head: float | None, scalar: Scalar, outcome: str
) -> None:
    number = Measurement(
        metric="latency",
        base=10.0,
        head=head,
        difference=None if head is None else head - 10.0,
        undefined="no such key" if head is None else None,
        has_interval=False,
    )
    verdict = alone(measured(), number, gates={"accuracy": POINT}, scalars={"latency": scalar})
    rule = verdict.rules[-1]
    assert verdict.state == outcome
    assert rule.interval is None
    if head is not None:
        assert "no_interval" in rule.flags


def test_metrics_without_a_margin_can_still_block() -> None:
    worse = alone(measured(**WORSE), gates={}, worse_blocks=["accuracy"])
    assert worse.state is Outcome.FAIL
    unsettled = alone(measured(), gates={}, worse_blocks=["accuracy"])
    assert unsettled.state is Outcome.WARN
    assert only(unsettled).reason == "no margin says which loss would be acceptable"


claims = st.lists(
    st.tuples(st.floats(-0.2, 0.2), st.floats(0, 0.2), st.floats(0, 1)), min_size=1, max_size=8
)


@given(values=claims)
def test_a_verdict_is_whole_and_round_trips(values: list[tuple[float, float, float]]) -> None:
    found = [
        measured(f"mean:c{place}", low, low + width, p=p)
        for place, (low, width, p) in enumerate(values)
    ]
    gates = {f"mean:c{place}": POINT for place in range(len(values))}
    verdict = alone(*found, gates=gates)
    assert Verdict.parse(verdict.to_json(), file="verdict.json") == verdict
    states = {rule.state for rule in verdict.rules}
    if State.WORSE in states:
        assert verdict.state is Outcome.FAIL
    elif State.INCONCLUSIVE in states:
        assert verdict.state is Outcome.WARN
    else:
        assert verdict.state is Outcome.PASS
    for rule in verdict.rules:
        assert rule.interval is not None
        if rule.state is State.WORSE:
            assert rule.interval[1] < 0
            assert rule.p_adjusted is not None
            assert rule.p_adjusted <= 0.025 + 1e-12
