"""A message is kept until it arrived, and arrives once."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from assay.alerting import spool
from assay.errors import OutsideError


class Receiver:
    """Takes messages, or is away."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.away = False

    def __call__(self, message: dict[str, Any]) -> None:
        if self.away:
            raise OutsideError("it is away.")
        self.got.append(message["n"])


def test_what_could_not_be_sent_is_sent_once_when_it_can(tmp_path: Path) -> None:
    receiver = Receiver()
    receiver.away = True
    for n in (1, 2):
        spool.put(tmp_path, f"key {n}", {"n": n})
        spool.put(tmp_path, f"key {n}", {"n": n})
    assert spool.flush(tmp_path, receiver) == spool.Flushed(
        sent=0, waiting=2, trouble="it is away."
    )
    receiver.away = False
    assert spool.flush(tmp_path, receiver) == spool.Flushed(sent=2, waiting=0)
    spool.put(tmp_path, "key 1", {"n": 1})
    assert spool.flush(tmp_path, receiver) == spool.Flushed(sent=0, waiting=0)
    assert receiver.got == [1, 2], "in their order, each once"


def test_two_senders_at_once_send_it_once(tmp_path: Path) -> None:
    receiver = Receiver()
    spool.put(tmp_path, "a", {"n": 1})
    spool.put(tmp_path, "b", {"n": 2})

    def slow(message: dict[str, Any]) -> None:
        receiver(message)
        if message["n"] == 1:
            spool.flush(tmp_path, receiver)

    spool.flush(tmp_path, slow)
    assert sorted(receiver.got) == [1, 2]


def test_a_sender_that_was_killed_lets_go_after_a_while(tmp_path: Path) -> None:
    receiver = Receiver()
    spool.put(tmp_path, "a", {"n": 1})
    [file] = tmp_path.glob("*.json")
    taken = file.rename(file.with_suffix(".taken"))
    assert spool.flush(tmp_path, receiver).sent == 0, "it may still be sending"
    os.utime(taken, (0, 0))
    assert spool.flush(tmp_path, receiver).sent == 1


def test_one_that_was_killed_after_it_arrived_is_not_sent_again(tmp_path: Path) -> None:
    receiver = Receiver()
    spool.put(tmp_path, "a", {"n": 1})
    [file] = tmp_path.glob("*.json")
    spool.flush(tmp_path, receiver)
    file.with_suffix(".taken").write_text(json.dumps({"n": 1}))
    os.utime(file.with_suffix(".taken"), (0, 0))
    assert spool.flush(tmp_path, receiver).sent == 0
    assert receiver.got == [1]


def test_a_spool_that_is_full_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MOST_WAITING", 2)
    spool.put(tmp_path, "a", {"n": 1})
    spool.put(tmp_path, "b", {"n": 2})
    with pytest.raises(OutsideError, match="2 messages wait"):
        spool.put(tmp_path, "c", {"n": 3})
