"""One pull request for a branch, and an App's token: lost answers, refusals, reopened ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from assay.errors import InputError, OutsideError
from assay.github.app import PERMISSIONS, installation_token
from assay.github.client import Client
from assay.github.proposals import Proposal, close, propose
from support.github_stand_in import Answer, Asked, StandIn, stand_in

BRANCH = "assay/retrain/churn"
PROPOSAL = Proposal(branch=BRANCH, base="main", title="t", body="b")


def facts(number: int, branch: str = BRANCH) -> dict[str, Any]:
    repository = {"full_name": "octo/churn"}
    return {
        "number": number,
        "state": "open",
        "head": {"sha": "a" * 40, "ref": branch, "repo": repository},
        "base": {"sha": "b" * 40, "ref": "main"},
    }


class GitHub:
    """Pull requests behind the stand-in; ``lose`` drops the answer to the first POST."""

    def __init__(self) -> None:
        self.pulls: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.answer: Answer | None = None
        self.stored = True

    def __call__(self, asked: Asked) -> Answer:
        path = asked.path.removeprefix("/repos/octo/churn/")
        if asked.method == "GET":
            lists = {"pulls": self.pulls, "issues/7/comments": self.comments}
            return Answer(document=lists.get(path, self.events))
        if (asked.method, path) == ("POST", "pulls"):
            if self.stored:
                self.pulls.append(facts(7))
            return self.answer or Answer(status=201, document=facts(7))
        if asked.method == "POST":
            self.comments.append({"body": asked.body["body"], "created_at": "2026-03-01T12:00:00Z"})
        return Answer(status=200, document={})


@pytest.fixture
def github() -> Iterator[tuple[GitHub, StandIn, Client]]:
    page = GitHub()
    with stand_in(page) as server:
        client = Client(repository="octo/churn", token="t", api_url=server.url, backoff=0, tries=0)
        yield page, server, client
        client.close()


Site = tuple[GitHub, StandIn, Client]


def test_it_is_opened_once_and_then_brought_up_to_date(github: Site) -> None:
    page, server, client = github
    first, second = propose(client, PROPOSAL), propose(client, PROPOSAL)
    assert (first.number, first.opened) == (7, True)
    assert (second.number, second.opened) == (7, False)
    assert len(page.pulls) == 1
    asked = [one for one in server.asked if one.method == "PATCH"]
    assert [one.body for one in asked] == [{"title": "t", "body": "b"}]


def test_an_answer_that_was_lost_opens_no_second_one(github: Site) -> None:
    page, _, client = github
    page.answer = Answer(status=422, document={"message": "A pull request already exists"})
    assert propose(client, PROPOSAL).number == 7
    assert len(page.pulls) == 1


def test_a_refusal_says_what_to_turn_on(github: Site) -> None:
    page, _, client = github
    page.answer, page.stored = Answer(status=403, document={"message": "not permitted"}), False
    with pytest.raises(OutsideError) as caught:
        propose(client, PROPOSAL)
    assert "GitHub App" in str(caught.value)


def test_another_branchs_or_a_forks_pull_request_is_not_taken(github: Site) -> None:
    page, _, client = github
    page.pulls = [facts(3, "other"), facts(4)]
    page.pulls[1]["head"]["repo"] = {"full_name": "stranger/churn"}
    assert propose(client, PROPOSAL).opened


def test_why_it_closes_is_said_once_and_a_person_may_open_it_again(github: Site) -> None:
    page, server, client = github
    assert close(client, 7, "words", mark="m")
    assert close(client, 7, "words", mark="m")
    assert [one["body"] for one in page.comments] == ["<!-- m -->\nwords"]
    page.events = [{"event": "reopened", "created_at": "2026-03-01T13:00:00Z"}]
    assert not close(client, 7, "words", mark="m")
    assert [one.method for one in server.asked].count("PATCH") == 2


def pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def test_an_apps_token_is_asked_for_two_permissions_and_no_more() -> None:
    def respond(asked: Asked) -> Answer:
        if asked.path == "/repos/octo/churn/installation":
            return Answer(document={"id": 9, "app_id": 5})
        if asked.path == "/app/installations/9/access_tokens":
            made = {"token": "made", "expires_at": "2026-03-01T12:00:00Z"}
            return Answer(status=201, document=made)
        return Answer(document={"id": 5, "slug": "assay"})

    with stand_in(respond) as server:
        token = installation_token(
            api_url=server.url, repository="octo/churn", app_id="5", key=pem()
        )
        assert token == "made"
        (asked,) = [one for one in server.asked if one.method == "POST"]
        assert asked.body["permissions"] == PERMISSIONS


@pytest.mark.parametrize(("app_id", "key"), [("x", "k"), ("5", "no key")])
def test_an_id_or_a_key_that_is_none_is_refused(app_id: str, key: str) -> None:
    with stand_in(lambda _: Answer(document={})) as server, pytest.raises(InputError):
        installation_token(api_url=server.url, repository="octo/churn", app_id=app_id, key=key)


def test_an_app_that_is_not_installed_is_said() -> None:
    with (
        stand_in(lambda _: Answer(status=404, document={"message": "Not Found"})) as server,
        pytest.raises(OutsideError, match="404"),
    ):
        installation_token(api_url=server.url, repository="octo/churn", app_id="5", key=pem())
