"""Verdicts over whole pieces of evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.config import Data, Gate, Model, Scalar, Severity
from assay.evidence import (
    Comparison,
    DataReport,
    Finding,
    Measurement,
    ModelPlan,
    Outcome,
    Override,
    Rule,
    StageRule,
    StageState,
    State,
    TestRun,
    Training,
    Verdict,
)
from assay.verdict import accept, decide, decide_comparison


def measured(
    metric: str = "accuracy",
    low: float = -0.005,
    high: float = 0.005,
    *,
    p: float = 0.5,
    where: str = "all",
    **more: Any,
) -> Measurement:
    difference = (low + high) / 2
    values: dict[str, Any] = {
        "metric": metric,
        "slice": where,
        "base": 0.8,
        "head": 0.8 + difference,
        "difference": difference,
        "interval": (low, high),
        "p_worse": p,
        "n": 1000,
    }
    return Measurement(**{**values, **more})


def comparison(*measurements: Measurement, **more: Any) -> Comparison:
    return Comparison(model="churn", measurements=measurements, **more)


def alone(*measurements: Measurement, gates: dict[str, Gate], **more: Any) -> Verdict:
    return decide_comparison(comparison(*measurements), gates=gates, **more)


def only(verdict: Verdict) -> Rule:
    assert len(verdict.rules) == 1
    return verdict.rules[0]


POINT = Gate(margin=0.01)
WORSE = {"low": -0.05, "high": -0.02, "p": 1e-6}


@dataclass(frozen=True, kw_only=True)
class Evidence:
    plan: ModelPlan
    tests: TestRun | None = None
    data: DataReport | None = None
    head: Training | None = None
    base: Training | None = None
    comparison: Comparison | None = None


def rules(**more: Any) -> Model:
    values: dict[str, Any] = {"predictions": "p.parquet", "gates": {"accuracy": POINT}}
    return Model.model_validate({**values, **more})


def evidence(judged_by: Model | None = None, **more: Any) -> Evidence:
    judged_by = judged_by or rules()
    plan: dict[str, Any] = {
        "name": "churn",
        "path": ".",
        "touched": True,
        "reason": "r",
        "rules_from": "base",
        "rules": judged_by,
    }
    plan.update(more.pop("plan", {}))
    values: dict[str, Any] = {
        "plan": ModelPlan(**plan),
        "tests": TestRun(model="churn", state=StageState.PASSED, command="pytest", passed=3),
        "head": Training(model="churn", side="head", state=StageState.PASSED),
        "comparison": comparison(measured()),
    }
    return Evidence(**{**values, **more})


def severity_of(finding: Finding, _: Data) -> Severity:
    return {"missing": Severity.WARN, "ranges": Severity.BLOCK, "quiet": Severity.OFF}[
        finding.check
    ]


def run(*models: Evidence, stages: tuple[StageRule, ...] = ()) -> Verdict:
    return decide(models, severity_of=severity_of, stages=stages)


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


def test_a_missing_base_is_not_measured_and_blocks() -> None:
    model = evidence(comparison=Comparison(model="churn", not_measured="dvc pull was refused"))
    verdict = run(model)
    assert verdict.state is Outcome.FAIL
    assert verdict.rules[0].reason == "dvc pull was refused"
    assert run(replace(model, comparison=None)).state is Outcome.FAIL


def test_a_new_model_warns() -> None:
    model = evidence(
        plan={"rules_from": "head"}, comparison=Comparison(model="churn", not_measured="no base")
    )
    verdict = run(model)
    assert verdict.state is Outcome.WARN
    assert verdict.sentence == (
        "Accuracy is not measured: the model is new: there is no base to compare with."
    )


def test_switching_every_gate_off_does_not_pass() -> None:
    off = rules(gates={"accuracy": Gate(margin=0.01, severity=Severity.OFF)})
    verdict = run(evidence(off))
    assert verdict.state is Outcome.WARN
    assert verdict.sentence == "Nothing that gates could be measured."


def test_no_touched_model_passes_and_no_model_at_all_fails() -> None:
    verdict = run(evidence(plan={"touched": False}))
    assert verdict.state is Outcome.PASS
    assert verdict.sentence == "No model is touched by this change."
    assert run().state is Outcome.FAIL


@pytest.mark.parametrize(
    ("change", "stage", "words"),
    [
        ({"tests": None}, "tests", "left no evidence"),
        (
            {"tests": TestRun(model="m", state=StageState.PASSED, command="c")},
            "tests",
            "no test ran",
        ),
        (
            {
                "tests": TestRun(
                    model="m", state=StageState.FAILED, command="c", passed=5, failed=2, errors=1
                )
            },
            "tests",
            "3 of 8 tests failed",
        ),
        (
            {
                "tests": TestRun(
                    model="m", state=StageState.NOT_MEASURED, command="c", reason="timed out"
                )
            },
            "tests",
            "did not run: timed out",
        ),
        ({"head": None}, "training", "left no evidence"),
        (
            {"head": Training(model="m", side="head", state=StageState.FAILED, reason="exit 1")},
            "training",
            "the training failed: exit 1",
        ),
    ],
)
def test_a_stage_that_did_not_do_its_work_blocks(
    change: dict[str, Any], stage: str, words: str
) -> None:
    verdict = run(replace(evidence(), **change))
    assert verdict.state is Outcome.FAIL
    assert [rule.stage for rule in verdict.stages] == [stage]
    assert words in verdict.stages[0].message
    assert words in verdict.sentence or words in verdict.sentence.lower()


def test_a_training_that_left_old_predictions_in_place_warns() -> None:
    stale = Training(model="m", side="head", state=StageState.PASSED, reason="it wrote nothing")
    verdict = run(replace(evidence(), head=stale))
    assert verdict.state is Outcome.WARN
    assert verdict.sentence == "Accuracy is no worse, but in the training, it wrote nothing."


def test_tests_that_the_rules_do_not_ask_for() -> None:
    assert run(evidence(rules(tests=None), tests=None)).state is Outcome.PASS


def finding(check: str, count: int = 3) -> Finding:
    return Finding(check=check, dataset="train", message=f"{count} rows", count=count)


def test_data_checks_by_their_severity() -> None:
    asked = rules(data={"train": "t.csv"})
    blocked = DataReport(
        model="churn",
        state=StageState.FAILED,
        findings=(finding("missing"), finding("ranges"), finding("ranges"), finding("quiet")),
    )
    verdict = run(evidence(asked, data=blocked))
    assert verdict.state is Outcome.FAIL
    assert [(rule.check, rule.severity, rule.decides) for rule in verdict.stages] == [
        ("ranges", Severity.BLOCK, True),
        ("missing", Severity.WARN, False),
    ]
    assert verdict.stages[0].message == "in train, 3 rows (ranges, and 1 more of this check)"
    warned = blocked.model_copy(update={"findings": (finding("missing"),)})
    assert run(evidence(asked, data=warned)).state is Outcome.WARN
    assert run(evidence(asked, data=None)).state is Outcome.FAIL
    unread = DataReport(model="churn", state=StageState.NOT_MEASURED, reason="no such file")
    assert "no such file" in run(evidence(asked, data=unread)).sentence


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            {"dataset": "train", "columns": ("visit",), "message": "12 of 90 rows have no label."},
            "In 'visit' of train, 12 of 90 rows have no label (ranges).",
        ),
        (
            {"dataset": "train/test", "message": "3 of 9 rows in test have the id of a train row."},
            "3 of 9 rows in test have the id of a train row (ranges).",
        ),
        (
            {"dataset": "base/head test", "columns": ("age",), "message": "The index is 0.3."},
            "In 'age' of test, the index is 0.3 (ranges).",
        ),
        (
            {"dataset": "test", "state": "not-run", "message": "Out of memory."},
            "The data check ranges was asked for and did not run: Out of memory.",
        ),
    ],
)
def test_a_finding_reads_as_a_sentence(found: dict[str, Any], words: str) -> None:
    report = DataReport(
        model="churn", state=StageState.FAILED, findings=(Finding(check="ranges", **found),)
    )
    assert run(evidence(rules(data={"train": "t.csv"}), data=report)).sentence == words


def test_where_only_something_else_warns_the_gates_come_first() -> None:
    report = DataReport(model="churn", state=StageState.PASSED, findings=(finding("missing"),))
    asked = rules(data={"train": "t.csv"})
    assert run(evidence(asked, data=report)).sentence == (
        "Accuracy is no worse, but in train, 3 rows (missing)."
    )
    asked = rules(data={"train": "t.csv"}, gates={"accuracy": POINT, "f1": POINT})
    two = comparison(measured(), measured("f1"))
    assert run(evidence(asked, data=report, comparison=two)).sentence == (
        "Both gates hold, but in train, 3 rows (missing)."
    )


def test_the_mean_of_a_column_reads_as_words() -> None:
    gates = {"mean:grade": POINT}
    assert alone(measured("mean:grade", **WORSE), gates=gates).sentence.startswith(
        "The mean of grade is worse: 0.800 to 0.765"
    )


def test_an_end_close_to_zero_is_not_printed_as_zero() -> None:
    verdict = alone(measured(low=-0.512, high=0.0008), gates={"accuracy": POINT})
    assert "interval −0.512 to +0.001" in verdict.sentence


def test_rows_that_would_settle_it_are_an_estimate() -> None:
    verdict = alone(measured(low=-0.1, high=0.1, rows_needed=14_919), gates={"accuracy": POINT})
    assert verdict.sentence.endswith("; about 15,000 test rows would settle it.")


def test_metrics_without_a_margin_are_no_gates() -> None:
    up = {"low": 0.01, "high": 0.02}
    found = (measured(**up), measured("recall", **up), measured("f1", **up))
    verdict = alone(*found, gates={}, worse_blocks=["accuracy", "recall", "f1"])
    assert verdict.sentence.endswith("; the other 2 metrics are better too.")


def test_what_the_gate_found_counts() -> None:
    found = StageRule(
        model="", stage="gate", severity=Severity.BLOCK, message="The job ended.", decides=False
    )
    verdict = run(evidence(), stages=(found,))
    assert verdict.state is Outcome.FAIL
    assert verdict.stages[0].decides
    assert verdict.sentence == "The job ended."


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


def test_a_loosened_margin_is_shown_and_does_not_judge() -> None:
    proposed = rules(gates={"accuracy": Gate(margin=0.2)})
    model = evidence(plan={"proposed": proposed}, comparison=comparison(measured(**WORSE)))
    verdict = run(model)
    assert verdict.state is Outcome.FAIL
    shown = verdict.proposed["churn"]
    assert shown.state is Outcome.PASS
    assert shown.changes == ("gates.accuracy.margin: 0.01 → 0.2",)
    assert shown.rules[0].flags == ("small_loss",)


def test_an_accepted_failure_warns_and_names_who() -> None:
    override = Override(label="ship-it", by="octo", at="2026-01-02T03:04:05Z")
    failing = alone(measured(**WORSE), gates={"accuracy": POINT})
    accepted = accept(failing, override)
    assert (accepted.state, accepted.override) == (Outcome.WARN, override)
    assert accepted.sentence.startswith("Accepted by octo although: Accuracy is worse")
    passing = alone(measured(), gates={"accuracy": POINT})
    assert accept(passing, override) == passing


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
