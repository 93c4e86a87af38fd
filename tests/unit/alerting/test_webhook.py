"""A webhook gets the message, at most three times asked, and its address stays a secret."""

from __future__ import annotations

import pytest

from assay.alerting.webhook import TRIES, check_address, send
from assay.errors import InputError, OutsideError
from support.github_stand_in import Answer, Asked, stand_in

SECRET = "/services/T0/B0/s3cret"


def test_a_message_arrives() -> None:
    with stand_in(lambda _: Answer(raw=b"ok")) as server:
        send(server.url + SECRET, {"text": "x"})
    assert [(one.path, one.body) for one in server.asked] == [(SECRET, {"text": "x"})]


def test_a_fault_that_passes_is_waited_for() -> None:
    paused: list[float] = []
    answers = [Answer(status=503), Answer(status=429, headers={"Retry-After": "7"}), Answer()]
    with stand_in(lambda _: answers.pop(0)) as server:
        send(server.url + SECRET, {"text": "x"}, sleep=paused.append)
    assert paused == [1.0, 7.0]


@pytest.mark.parametrize(("status", "times"), [(503, TRIES), (404, 1), (302, 1)])
def test_one_that_does_not_take_it_is_an_error_without_its_address(status: int, times: int) -> None:
    def answer(asked: Asked) -> Answer:
        return Answer(status=status, headers={"Location": "/elsewhere"})

    with stand_in(answer) as server, pytest.raises(OutsideError) as raised:
        send(server.url + SECRET, {"text": "x"}, sleep=lambda _: None)
    assert len(server.asked) == times
    assert f"status {status}" in raised.value.message
    assert "s3cret" not in str(raised.value)


def test_nobody_there_is_an_error_without_its_address() -> None:
    with stand_in(lambda _: Answer()) as server:
        address = server.url + SECRET
    with pytest.raises(OutsideError, match="did not take") as raised:
        send(address, {"text": "x"}, sleep=lambda _: None)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("address", ["", "s3cret", "file:///s3cret", "https://"])
def test_an_address_that_is_none_is_refused_without_showing_it(address: str) -> None:
    with pytest.raises(InputError) as raised:
        check_address(address)
    assert "s3cret" not in str(raised.value)
