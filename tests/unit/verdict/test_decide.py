"""Verdicts over whole models: their stages, what is missing, and what a change proposes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from assay.config import Gate, Severity
from assay.evidence import (
    Comparison,
    DataReport,
    Outcome,
    Override,
    StageRule,
    StageState,
    TestRun,
    Training,
)
from assay.verdict import accept
from support.judged import POINT, WORSE, alone, comparison, evidence, finding, measured, rules, run


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


def test_what_the_gate_found_counts() -> None:
    found = StageRule(
        model="", stage="gate", severity=Severity.BLOCK, message="The job ended.", decides=False
    )
    verdict = run(evidence(), stages=(found,))
    assert verdict.state is Outcome.FAIL
    assert verdict.stages[0].decides
    assert verdict.sentence == "The job ended."


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
