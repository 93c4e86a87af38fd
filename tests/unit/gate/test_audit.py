"""The audit of needed jobs: only success, or a skip that the plan explains, is fine."""

from __future__ import annotations

import json

import pytest

from assay.errors import InputError
from assay.gate.audit import audit, parse_needs


def needs(**results: str) -> str:
    return json.dumps(
        {
            job: {"result": result, "outputs": {"any": "false"} if job == "plan" else {}}
            for job, result in results.items()
        }
    )


def test_success_is_no_problem() -> None:
    assert audit(parse_needs(needs(plan="success", model="success"))) == ()


def test_a_skip_is_fine_only_where_the_plan_says_that_nothing_is_touched() -> None:
    assert audit(parse_needs(needs(plan="success", model="skipped"))) == ()
    touched = json.dumps(
        {
            "plan": {"result": "success", "outputs": {"any": "true"}},
            "model": {"result": "skipped", "outputs": {}},
        }
    )
    assert audit(parse_needs(touched)) == ("The job `model` was skipped.",)


@pytest.mark.parametrize(
    ("results", "problems"),
    [
        ({"plan": "failure", "model": "skipped"}, 2),
        ({"plan": "cancelled", "model": "skipped"}, 2),
        ({"plan": "success", "model": "cancelled"}, 1),
        ({"plan": "success", "model": "failure"}, 1),
        ({"plan": "skipped", "model": "skipped"}, 2),
        ({"model": "skipped"}, 1),
    ],
)
def test_anything_else_is_named(results: dict[str, str], problems: int) -> None:
    assert len(audit(parse_needs(needs(**results)))) == problems


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", "{", '{"plan": 1}', '{"plan": {"result": "green"}}', "[" * 9999],
)
def test_what_is_not_the_needs_context_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="toJSON\\(needs\\)"):
        parse_needs(text)
