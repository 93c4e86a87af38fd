"""What becomes of a retrained model: closed where it is not better, left where nobody knows."""

from __future__ import annotations

from typing import Any

import pytest

from assay.config import Severity
from assay.evidence import Outcome, Override, Rule, State, Verdict
from assay.retraining.settle import report, settle


def rule(state: State, **changes: Any) -> Rule:
    facts: dict[str, Any] = {
        "model": "churn",
        "metric": "accuracy",
        "state": state,
        "difference": -0.1,
        "interval": (-0.2, -0.05),
        "n": 900,
        "gate": True,
        "severity": Severity.BLOCK,
        "decides": True,
    }
    return Rule(**{**facts, **changes})


def verdict(*rules: Rule, **changes: Any) -> Verdict:
    return Verdict(**{"state": Outcome.PASS, "sentence": "s", "rules": rules, **changes})


BETTER, WORSE = rule(State.BETTER, metric="roc_auc"), rule(State.WORSE)


@pytest.mark.parametrize(
    ("rules", "close", "sentence"),
    [
        ((BETTER,), False, "roc_auc is better"),
        ((rule(State.NO_WORSE),), True, "no gated metric is shown to be better"),
        ((rule(State.INCONCLUSIVE),), True, "no gated metric is shown to be better"),
        ((BETTER, WORSE), True, "accuracy is worse"),
        ((BETTER, rule(State.WORSE, severity=Severity.WARN)), False, "roc_auc is better"),
        ((WORSE, rule(State.NOT_MEASURED, metric="f1")), False, "f1 was not measured"),
        ((), False, "no gated metric was"),
        ((rule(State.WORSE, model="other"), BETTER), False, "roc_auc is better"),
        ((rule(State.BETTER, gate=False), rule(State.NO_WORSE)), True, "no gated metric is shown"),
    ],
)
def test_only_what_is_measured_and_not_better_closes(
    rules: tuple[Rule, ...], close: bool, sentence: str
) -> None:
    made = settle(verdict(*rules), "churn")
    assert made.close is close
    assert made.sentence.startswith(sentence)


def test_what_a_person_accepted_stays_open() -> None:
    accepted = Override(label="accept", by="octo", at="2026-03-01T12:00:00Z")
    made = settle(verdict(WORSE, override=accepted), "churn")
    assert (made.close, made.sentence) == (False, "octo accepted it")


def test_the_comment_has_every_gated_number() -> None:
    made = settle(verdict(WORSE, rule(State.NO_WORSE, metric="roc_auc", slice="a|b")), "churn")
    text = report(made, "churn")
    assert "| accuracy | all | worse | −0.100 | [−0.200, −0.050] | 900 |" in text
    assert r"a\|b" in text
