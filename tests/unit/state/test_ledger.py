"""The ledger's files: what a line may hold, counted once, bounded, and refused where damaged."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import IntegrityError
from assay.state import ledger
from assay.state.ledger import Decision, decisions_in, with_decisions

TEST_SET = "a" * 64


def decision(number: int, /, **changes: Any) -> Decision:
    facts: dict[str, Any] = {
        "model": "churn",
        "test_set": TEST_SET,
        "head": f"{number:064x}",
        "at": "2026-01-02T03:04:05Z",
    }
    return Decision(**{**facts, **changes})


PATH = decision(1).path


def heads(content: bytes) -> list[str]:
    return [made.head for made in decisions_in(PATH, content)]


def test_a_decision_comes_back_as_it_was_written() -> None:
    made = decision(1, run=5, commit="b" * 40)
    changed, full = with_decisions({}, [made])
    assert full == ()
    assert decisions_in(PATH, changed[PATH]) == (made,)
    assert f"ledger/churn/{TEST_SET}.jsonl" == PATH


@given(st.lists(st.integers(1, 9), max_size=20), st.lists(st.integers(1, 9), max_size=20))
def test_each_head_counts_once_however_often_and_by_whomever_it_is_added(
    first: list[int], second: list[int]
) -> None:
    files, _ = with_decisions({}, map(decision, first))
    later, _ = with_decisions(files, map(decision, second))
    files = {**files, **later}
    assert heads(files.get(PATH, b"")) == [f"{n:064x}" for n in dict.fromkeys(first + second)]
    assert with_decisions(files, map(decision, second + first)) == ({}, ())


def test_a_line_written_twice_by_hand_counts_once() -> None:
    line = decision(1).line()
    assert len(decisions_in(PATH, line + decision(2).line() + line)) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "../churn"},
        {"model": "a/b"},
        {"model": ""},
        {"test_set": "A" * 64},
        {"test_set": "a" * 63},
        {"head": f"{1:064x}\n"},
        {"at": "yesterday"},
        {"at": "2026-01-02T03:04:05+02:00"},
        {"run": 0},
        {"run": True},
        {"run": "5"},
        {"commit": "main"},
    ],
)
def test_what_a_stranger_says_is_of_its_form_or_nothing(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no decision"):
        decision(1, **changes)


GOOD = decision(1).line()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (GOOD + b"{\n", f"{PATH}:2: this line is no decision"),
        (b"[]\n", f"{PATH}:1: this line"),
        (b"\n", f"{PATH}:1: this line"),
        (GOOD + b'{"head": 5, "at": "2026-01-02T03:04:05Z"}\n', f"{PATH}:2"),
        (GOOD + b"\xff\xfe\n", f"{PATH}:2"),
        (GOOD + GOOD[:-1], f"{PATH}:2: the last line is cut off"),
        (b"[" * 100_000 + b"\n", f"{PATH}:1"),
        (b"0" * (4 * 1024 * 1024 + 1), "over 4,194,304 bytes"),
    ],
)
def test_a_damaged_file_is_named_by_its_line_and_never_written_over(
    content: bytes, says: str
) -> None:
    with pytest.raises(IntegrityError) as caught:
        decisions_in(PATH, content)
    assert says in str(caught.value)
    with pytest.raises(IntegrityError):
        with_decisions({PATH: content}, [decision(9)])


def test_another_test_sets_damage_stands_in_nobodys_way() -> None:
    other = decision(1, test_set="b" * 64).path
    changed, _ = with_decisions({other: b"{"}, [decision(1)])
    assert list(changed) == [PATH]


def test_a_strange_file_name_is_no_ledger() -> None:
    with pytest.raises(IntegrityError, match="no file of the ledger"):
        decisions_in("ledger/churn/notes.txt", b"")


def test_a_full_test_set_and_a_full_model_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "MOST_DECISIONS", 3)
    monkeypatch.setattr(ledger, "MOST_TEST_SETS", 2)
    changed, full = with_decisions({}, map(decision, range(1, 6)))
    assert [found.decision.head[-1] for found in full] == ["4", "5"]
    assert "take a new one" in full[0].reason
    more = [decision(1, test_set=letter * 64) for letter in "bcd"]
    written, full = with_decisions(changed, more)
    assert len(written) == 1
    assert [found.decision.test_set[0] for found in full] == ["c", "d"]
    assert with_decisions({**changed, **written}, [decision(1, model="other")])[1] == ()
