"""The job's identity token, from a server that answers as GitHub's does."""

from __future__ import annotations

import pytest

from assay.errors import InputError, OutsideError
from assay.github.identity import identity_token
from support.github_stand_in import Answer, Asked, stand_in


def environment(url: str) -> dict[str, str]:
    return {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{url}/token?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner",
    }


def test_it_is_asked_for_one_audience() -> None:
    asked: list[Asked] = []

    def respond(request: Asked) -> Answer:
        asked.append(request)
        return Answer(document={"value": "ey.J.token"})

    with stand_in(respond) as server:
        assert identity_token(environment(server.url), "sts.amazonaws.com") == "ey.J.token"
    assert asked[0].query == {"api-version": "2.0", "audience": "sts.amazonaws.com"}


def test_a_job_without_the_permission_is_told_which() -> None:
    with pytest.raises(InputError) as caught:
        identity_token({}, "sts.amazonaws.com")
    assert "id-token: write" in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=500, document={}),
        Answer(document={"other": 1}),
        Answer(document={"value": ""}),
        Answer(raw=b"<html>"),
    ],
    ids=["fault", "no token", "empty", "no JSON"],
)
def test_a_server_that_gives_none_is_said(answer: Answer) -> None:
    with stand_in(lambda _: answer) as server, pytest.raises(OutsideError, match="identity token"):
        identity_token(environment(server.url), "sts.amazonaws.com")
