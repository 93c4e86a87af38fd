"""What a person who waits is told."""

from __future__ import annotations

from typing import Any

import pytest

from assay.act.progress import progress

STEP = {
    "job": "m/Gate ",
    "stage": "Main",
    "stepID": ["s"],
    "step": "echo 1\necho 2",
    "stepResult": "success",
    "executionTime": 1_250_000_000,
}


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (STEP, "m/Gate › echo 1: success (1.2 s)"),
        ({**STEP, "step": "x" * 80}, f"m/Gate › {'x' * 59}…: success (1.2 s)"),
        ({**STEP, "stage": "Post"}, None),
        ({**STEP, "stepID": ["s", "inner"]}, None),
        ({"job": "m/Gate", "jobResult": "failure"}, "m/Gate: failure"),
        ({"job": "m/Gate", "msg": "x", "raw_output": True}, None),
        ({"level": "warning", "msg": "x"}, None),
    ],
)
def test_ends_of_steps_and_jobs_are_told(entry: dict[str, Any], line: str | None) -> None:
    assert progress(entry) == line
