"""Who approved a deployment, as GitHub records it."""

from __future__ import annotations

from typing import Any

import pytest

from assay.github.approvals import approver_of
from assay.github.client import Client
from support.github_stand_in import Answer, Asked, stand_in


def review(login: str, *places: str, state: str = "approved") -> dict[str, Any]:
    return {
        "state": state,
        "user": {"login": login},
        "environments": [{"name": place} for place in places],
    }


@pytest.mark.parametrize(
    ("reviews", "approver"),
    [
        ([], None),
        ([review("cat", "production")], "cat"),
        ([review("cat", "staging")], None),
        ([review("cat", "production", state="rejected")], None),
        ([review("cat", "staging", "production"), review("dog", "production")], "dog"),
        (["nonsense", {"state": "approved", "user": None, "environments": None}], None),
        ({"message": "odd"}, None),
    ],
    ids=["none", "one", "elsewhere", "rejected", "the newest", "malformed", "no list"],
)
def test_the_newest_approval_of_the_environment_counts(reviews: Any, approver: str | None) -> None:
    def respond(asked: Asked) -> Answer:
        assert asked.path.endswith("/actions/runs/9/approvals")
        return Answer(document=reviews)

    with stand_in(respond) as server:
        client = Client(repository="octo/churn", token="t", api_url=server.url, backoff=0)
        try:
            assert approver_of(client, 9, "production") == approver
        finally:
            client.close()


def test_a_server_that_has_no_environments_has_no_approvals() -> None:
    with stand_in(lambda _: Answer(status=404, document={"message": "Not Found"})) as server:
        client = Client(repository="octo/churn", token="t", api_url=server.url, backoff=0)
        try:
            assert approver_of(client, 9, "production") is None
        finally:
            client.close()
