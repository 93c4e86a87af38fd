"""What was served beside what was predicted offline."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.rollout.smoke.answers import NotComparableError, compare, predictions_in
from assay.tables.scored_rows import ScoredRow

NAMES = {"prediction": ("visit",), "score": ("chance",)}


def rows(*values: dict[str, object]) -> list[ScoredRow]:
    return [
        ScoredRow(id=f"r{number}", features=(), names=NAMES, **value)  # type: ignore[arg-type]
        for number, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("answers", "offline", "differing"),
    [
        ([0, 1], [{"prediction": "0"}, {"prediction": "1"}], ()),
        ([0.0, 1.0], [{"prediction": "0"}, {"prediction": "1"}], ()),
        (["a", "b"], [{"prediction": "a"}, {"prediction": "c"}], ("r1",)),
        ([True, False], [{"prediction": "1"}, {"prediction": "1"}], ("r1",)),
        ([True], [{"prediction": "true"}], ()),
        ([0.25, 0.5], [{"score": 0.25}, {"score": 0.6}], ("r1",)),
        ([[0.75, 0.25]], [{"score": 0.25}], ()),
        ([[0.25]], [{"score": 0.25}], ()),
        ([[0.1, 0.2, 0.7]], [{"scores": {"10": 0.7, "2": 0.2, "1": 0.1}}], ()),
        ([[0.1, 0.9]], [{"scores": {"no": 0.1, "yes": 0.8}}], ("r0",)),
        ([{"visit": 1, "chance": 0.5}], [{"prediction": "1", "score": 0.5}], ()),
        ([{"visit": 1, "chance": 0.4}], [{"prediction": "1", "score": 0.5}], ("r0",)),
        ([{"proba_b": 0.4}], [{"scores": {"a": 0.6, "b": 0.5}}], ("r0",)),
        ([2e9 + 1], [{"prediction": "2000000000"}], ()),
        (["7"], [{"prediction": "007"}], ("r0",)),
        (["True"], [{"prediction": "true"}], ()),
        ([1.0, 0.0], [{"score": 1.0}, {"score": 0.25}], ("r1",)),
        ([None], [{"prediction": "1"}], ("r0",)),
        ([math.nan], [{"prediction": None, "score": 0.5}], ("r0",)),
    ],
)
def test_answers_are_held_to_what_the_file_has(
    answers: list[object], offline: list[dict[str, object]], differing: tuple[str, ...]
) -> None:
    assert compare(answers, rows(*offline), tolerance=1e-6).differing == differing


@pytest.mark.parametrize(
    ("answer", "offline", "why"),
    [
        ([0.1, 0.9], {"prediction": "1"}, "a list of 2"),
        ([0.1, 0.2, 0.7], {"score": 0.5}, "a list of 3"),
        ({"other": 1}, {"prediction": "1"}, "the answer's names"),
        (1, {"score": None}, "a class is answered"),
        ([{"a": 1}], {"prediction": "1"}, "nested"),
    ],
)
def test_what_says_nothing_of_the_other_is_not_compared(
    answer: object, offline: dict[str, object], why: str
) -> None:
    with pytest.raises(NotComparableError, match=why):
        compare([answer], rows(offline), tolerance=1e-6)


@given(
    served=st.floats(0, 1, allow_nan=False),
    apart=st.floats(1e-4, 1),
    tolerance=st.sampled_from([0.0, 1e-9, 1e-5]),
)
def test_a_number_beyond_the_tolerance_always_differs(
    served: float, apart: float, tolerance: float
) -> None:
    same = compare([[1 - served, served]], rows({"score": served}), tolerance=tolerance)
    assert (same.differing, same.largest) == ((), 0.0)
    other = compare([[1 - served, served]], rows({"score": served + apart}), tolerance=tolerance)
    assert other.differing == ("r0",)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b"[" * 100_000, b'{"predictions": 1}', b'{"predictions": []}', b"1"]
)
def test_garbage_is_no_answer(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"answer"):
        predictions_in(body, 1)


def test_one_answer_for_each_row() -> None:
    assert predictions_in(json.dumps({"predictions": [1, [2]]}).encode(), 2) == [1, [2]]
