"""How the one sentence of a verdict reads."""

from __future__ import annotations

from typing import Any

import pytest

from assay.evidence import (
    DataReport,
    Finding,
    StageState,
)
from support.judged import POINT, WORSE, alone, comparison, evidence, finding, measured, rules, run


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
