"""Requests and answers taken apart into scored rows, in every form that the servers take."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.rollout.serving.rows import scored

TWO = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


@pytest.mark.parametrize(
    "asked",
    [
        {"dataframe_split": {"columns": ["a", "b"], "data": [[1, "x"], [2, "y"]]}},
        {"dataframe_records": TWO},
        {"instances": TWO},
        {"inputs": {"a": [1, 2], "b": ["x", "y"]}},
        {
            "inputs": [
                {"name": "a", "shape": [2, 1], "datatype": "INT64", "data": [1, 2]},
                {"name": "b", "shape": [2], "datatype": "BYTES", "data": ["x", "y"]},
            ]
        },
    ],
)
@pytest.mark.parametrize(
    "answered",
    [
        {"predictions": [0, 1]},
        {"outputs": [{"name": "y", "shape": [2, 1], "datatype": "INT64", "data": [0, 1]}]},
        [0, 1],
    ],
)
def test_each_row_has_its_input_and_its_output(asked: object, answered: object) -> None:
    rows = scored(json.dumps(asked).encode(), json.dumps(answered).encode())
    assert [(json.loads(i or ""), json.loads(o)) for i, o in rows] == list(
        zip(TWO, [0, 1], strict=True)
    )


def test_several_numbers_a_row_stay_together() -> None:
    tensor = {"name": "p", "shape": [2, 2], "datatype": "FP64", "data": [0.1, 0.9, 0.8, 0.2]}
    rows = scored(None, json.dumps({"outputs": [tensor]}).encode())
    assert [json.loads(output) for _, output in rows] == [[0.1, 0.9], [0.8, 0.2]]
    frame = {"predictions": {"p": [0.1, 0.8], "label": [0, 1]}}
    rows = scored(None, json.dumps(frame).encode())
    assert json.loads(rows[1][1]) == {"p": 0.8, "label": 1}


def test_what_does_not_match_is_one_row_with_all_of_it() -> None:
    rows = scored(b'{"instances": [1, 2, 3]}', b'{"predictions": [1]}')
    assert rows == [('{"instances":[1,2,3]}', '{"predictions":[1]}')]
    assert scored(b"a,b\n1,2\n", b'{"predictions": [1]}') == [('"a,b\\n1,2\\n"', "1")]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["inputs", "outputs", "predictions", "instances", "dataframe_split",
                         "columns", "data", "name", "shape"]) | st.text(), inner),
)  # fmt: skip


@given(anything, anything)
def test_whatever_a_caller_sends_the_log_takes_it(asked: object, answered: object) -> None:
    for _, output in scored(json.dumps(asked).encode(), json.dumps(answered).encode()):
        json.loads(output)


@given(st.binary(), st.binary())
def test_bytes_that_are_no_json_are_kept_as_text(asked: bytes, answered: bytes) -> None:
    assert scored(asked, answered)
