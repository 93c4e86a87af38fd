"""GitHub's answers become data, and its failures one message with a remedy."""

from __future__ import annotations

import socket
from contextlib import AbstractContextManager

import pytest

from assay.errors import OutsideError
from assay.github.client import Client, NotFound, Refused
from support.github_stand_in import Answer, Asked, StandIn, stand_in

TOKEN = "ghs_a_token_of_the_job"


def client_for(server: StandIn, *, tries: int = 2) -> Client:
    return Client(
        repository="octo/churn", token=TOKEN, api_url=server.url, backoff=0.001, tries=tries
    )


def always(status: int, message: str) -> AbstractContextManager[StandIn]:
    return stand_in(lambda _: Answer(status=status, document={"message": message}))


def test_every_page_is_read() -> None:
    def respond(asked: Asked) -> Answer:
        page = int(asked.query["page"])
        size = 100 if page < 3 else 7
        return Answer(document=[{"id": page * 1000 + i} for i in range(size)])

    with stand_in(respond) as server:
        found = list(client_for(server).pages("issues/7/comments"))
    assert len(found) == 207
    assert [asked.query["page"] for asked in server.asked] == ["1", "2", "3"]
    assert {asked.path for asked in server.asked} == {"/repos/octo/churn/issues/7/comments"}


def test_a_list_without_end_is_an_outside_error() -> None:
    page = Answer(document=[{"id": 1}] * 100)
    with stand_in(lambda _: page) as server, pytest.raises(OutsideError, match="no end"):
        list(client_for(server).pages("pulls"))


@pytest.mark.parametrize(
    ("status", "message", "words"),
    [
        (401, "Bad credentials", "github-token"),
        (403, "Resource not accessible by integration", "`permissions: pull-requests: write`"),
        (422, "Validation Failed", "invalid"),
        (400, "Problems parsing JSON", "400"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, message: str, words: str) -> None:
    with always(status, message) as server:
        with pytest.raises(OutsideError, match=message) as caught:
            client_for(server).post("issues/7/comments", {"body": "x"})
        assert words in str(caught.value)
        assert TOKEN not in str(caught.value)
        assert caught.value.exit_code == 3


def test_what_is_not_there_and_what_is_refused_can_be_told_apart() -> None:
    with always(404, "Not Found") as server, pytest.raises(NotFound):
        client_for(server).get("contents/assay.yaml")
    with always(403, "no") as server, pytest.raises(Refused, match="checks: write"):
        client_for(server).post("check-runs", {})


def test_a_fault_is_tried_again_and_said(caplog: pytest.LogCaptureFixture) -> None:
    left = [Answer(status=502, raw=b"bad gateway"), Answer(status=500, document={})]

    def respond(_: Asked) -> Answer:
        return left.pop() if left else Answer(document={"ok": True})

    with stand_in(respond) as server:
        assert client_for(server, tries=3).get("pulls/7")["ok"]
        assert len(server.asked) == 3
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "GitHub is asked again: GET /repos/octo/churn/pulls/7 (status 500)",
        "GitHub is asked again: GET /repos/octo/churn/pulls/7 (status 502)",
    ]


def test_a_fault_that_stays_is_an_outside_error() -> None:
    with always(503, "down") as server, pytest.raises(OutsideError):
        client_for(server).get("pulls/7")


def test_a_secondary_rate_limit_is_waited_for() -> None:
    limited = Answer(
        status=403,
        document={"message": "You have exceeded a secondary rate limit."},
        headers={"Retry-After": "0"},
    )
    left = [limited]

    def respond(_: Asked) -> Answer:
        return left.pop() if left else Answer(document={"ok": True})

    with stand_in(respond) as server:
        assert client_for(server).get("pulls/7")["ok"]


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client = Client(
        repository="octo/churn",
        token=TOKEN,
        api_url=f"http://127.0.0.1:{port}",
        backoff=0.001,
        tries=1,
    )
    with pytest.raises(OutsideError, match="could not be reached") as caught:
        client.get("pulls/7")
    assert "GITHUB_API_URL" in str(caught.value)


def test_a_name_that_does_not_resolve() -> None:
    client = Client(
        repository="octo/churn",
        token=TOKEN,
        api_url="http://github.invalid",
        backoff=0.001,
        tries=1,
    )
    with pytest.raises(OutsideError, match="could not be reached"):
        client.get("pulls/7")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_jobs_token_cannot_ask_whose_it_is(
    status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with always(status, "no") as server:
        assert client_for(server).login() is None
    assert capfd.readouterr().err == ""


def test_a_download_follows_a_redirect_without_the_token() -> None:
    with stand_in(lambda _: Answer(raw=b"zip")) as storage:
        # Another host name, as GitHub's storage has one: a token must not go there.
        address = storage.url.replace("127.0.0.1", "localhost")
        moved = Answer(status=302, document={}, headers={"Location": f"{address}/blob"})
        with stand_in(lambda _: moved) as server:
            assert client_for(server).download("actions/artifacts/1/zip", most=10) == b"zip"
            assert server.asked[0].authorization == f"Bearer {TOKEN}"
        assert storage.asked[0].authorization == ""


def test_a_download_stops_at_the_limit() -> None:
    long = stand_in(lambda _: Answer(raw=b"x" * 1000))
    with long as server, pytest.raises(OutsideError, match="more than 999 bytes"):
        client_for(server).download("actions/artifacts/1/zip", most=999)


def test_a_list_that_is_none_is_an_outside_error() -> None:
    with always(200, "odd") as server, pytest.raises(OutsideError, match="no list"):
        list(client_for(server).pages("pulls"))
