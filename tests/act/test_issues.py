"""One issue for each problem, on the local GitHub, with tokens as GitHub gives them."""

from __future__ import annotations

from typing import Any

import pytest

from assay.act.harness import Harness
from assay.alerting.news import issues_of
from assay.errors import OutsideError
from assay.evidence import Look
from assay.github.client import Client
from assay.github.issues import Change, Issues
from support.watching import look, problem, told

from .conftest import Start

pytestmark = pytest.mark.act


def settle(harness: Harness, found: Look, token: str) -> list[Change]:
    api = harness.github
    client = Client(repository="octo/churn", token=token, api_url=api.api_url, tries=0)
    wanted, held = issues_of(told(found))
    return [done.change for done in Issues(client).settle("churn", wanted, untouched=held)]


def issues(harness: Harness) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = harness.github.demand("GET", "/repos/octo/churn/issues?state=all")
    return found


def test_a_problem_opens_updates_closes_and_reopens_one_issue(start: Start) -> None:
    harness = start()
    token = harness.github.job_token
    assert settle(harness, look(problem()), token) == [Change.OPENED]
    assert settle(harness, look(problem()), token) == []
    worse = look(problem(sentence="f1 fell by 0.09 [0.07, 0.11], more than 0.03."))
    assert settle(harness, worse, token) == [Change.UPDATED]
    [issue] = issues(harness)
    assert issue["state"] == "open"
    assert issue["body"].startswith("f1 fell by 0.09")
    assert {label["name"] for label in issue["labels"]} == {"assay-monitor", "assay:churn"}
    assert settle(harness, look(), token) == [Change.CLOSED]
    assert settle(harness, look(problem()), token) == [Change.REOPENED]
    [issue] = issues(harness)
    assert issue["state"] == "open"
    assert len(harness.github.comments(issue["number"])) == 1


def test_a_token_that_may_not_write_says_what_it_needs(start: Start) -> None:
    harness = start()
    with pytest.raises(OutsideError, match="issues: write"):
        settle(harness, look(problem()), harness.github.read_only_token)
    assert issues(harness) == []
