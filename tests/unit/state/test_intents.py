"""Intents on a real bare repository: numbering, races, and files that are none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from assay.errors import InputError
from assay.state import (
    Remote,
    Signed,
    StateBranch,
    append_intent,
    intents_in,
    open_desired,
    read_intents,
)
from support.repositories import Origin

WHERE = ("production", "churn")


def made(generation: int) -> tuple[bytes, bytes]:
    return f"intent {generation}".encode(), b"signature"


@pytest.fixture
def writers(tmp_path: Path) -> Iterator[tuple[StateBranch, StateBranch]]:
    origin = Origin(tmp_path)
    remote = Remote(address=str(origin.bare), environment=origin.environment)
    with ExitStack() as stack:
        first, second = (stack.enter_context(open_desired(remote)) for _ in range(2))
        yield replace(first, sleep=lambda _: None), replace(second, sleep=lambda _: None)


def test_generations_go_up_by_one_and_are_read_in_order(
    writers: tuple[StateBranch, StateBranch],
) -> None:
    for _ in range(11):
        append_intent(writers[0], *WHERE, made)
    found = read_intents(writers[1], *WHERE)
    assert [one.generation for one in found] == list(range(1, 12))
    assert found[10] == Signed(generation=11, content=b"intent 11", signature=b"signature")
    assert [one.generation for one in read_intents(writers[1], *WHERE, after=9)] == [10, 11]
    assert read_intents(writers[1], "staging", "churn") == ()


def test_a_writer_that_was_overtaken_signs_the_next_generation(
    writers: tuple[StateBranch, StateBranch],
) -> None:
    asked: list[int] = []

    def slow(generation: int) -> tuple[bytes, bytes]:
        asked.append(generation)
        if len(asked) == 1:
            append_intent(writers[1], *WHERE, lambda _: (b"theirs", b"signature"))
        return made(generation)

    assert append_intent(writers[0], *WHERE, slow).generation == 2
    assert asked == [1, 2]
    assert [one.content for one in read_intents(writers[0], *WHERE)] == [b"theirs", b"intent 2"]


def test_files_that_are_no_intents_are_passed_over() -> None:
    folder = "intents/production/churn/"
    files = {
        f"{folder}1.json": b"1",
        f"{folder}2.sig": b"alone",
        f"{folder}03.json": b"zero",
        f"{folder}4.json.bak": b"bak",
        f"{folder}sub/5.json": b"below",
        f"{folder}99999999999.json": b"far",
        "intents/production/other/6.json": b"another model's",
    }
    assert intents_in(files, *WHERE) == (Signed(generation=1, content=b"1", signature=b""),)


def test_a_generation_written_at_the_end_of_all_leaves_no_next_one(
    writers: tuple[StateBranch, StateBranch],
) -> None:
    path = "intents/production/churn/999999999.json"
    writers[0].append("intents/", lambda _: {path: b"x"}, message="far")
    with pytest.raises(InputError, match="no generation left"):
        append_intent(writers[0], *WHERE, made)
