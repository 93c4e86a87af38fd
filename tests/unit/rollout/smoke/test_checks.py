"""The smoke test against servers that behave in every way, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from assay.errors import InputError, OutsideError
from assay.evidence import SmokeCheck, SmokeTest, StageState
from assay.packaging.model_directory import ModelDirectory
from assay.rollout.smoke.checks import load_bodies, not_measured, smoke_test
from assay.rollout.smoke.client import Client, normal_address
from assay.rollout.smoke.promised import Promised
from assay.rollout.smoke.signature import Example, Frame, Input, as_typed, read_example
from assay.tables.scored_rows import Sample, ScoredRow
from support.listening import listening

DIGEST, OTHER = "a" * 64, "b" * 64
Answer = tuple[int, object]
INPUTS = (Input(name="a", type="double"), Input(name="b", type="string", required=False))


def honest(split: dict[str, Any]) -> Answer:
    """A server of a model that answers twice its input."""
    if "a" not in split["columns"]:
        return 400, {"error": "a is missing"}
    at = split["columns"].index("a")
    values = [row[at] for row in split["data"]]
    if any(not isinstance(value, float) for value in values):
        return 400, {"error": "a is no number"}
    return 200, {"predictions": [2 * value for value in values]}


@contextmanager
def served(
    answer: Callable[[dict[str, Any]], Answer] = honest,
    *,
    version: str | None = DIGEST,
    broken: int = 400,
) -> Iterator[Client]:
    """A client of a server; ``broken`` is what it answers to a body without rows."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            try:
                status, content = answer(json.loads(body)["dataframe_split"])
            except (ValueError, KeyError):
                status, content = broken, {}
            sent = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            if version is not None:
                self.send_header("x-assay-version", version)
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

    with listening(Handler) as address:
        yield Client(address=f"{address}/", seconds=5)


def example(expected: tuple[object, ...] | None = None) -> Example:
    frame = Frame(columns=("a", "b"), rows=((1.0, "x"), (2.0, None)))
    return Example(body=frame.body(), rows=2, frame=frame, expected=expected)


def promised(**changes: object) -> Promised:
    rows = tuple(
        ScoredRow(id=f"id{n}", features=(n / 2, None), prediction=str(float(n))) for n in range(45)
    )
    given: dict[str, Any] = {
        "model": "churn",
        "artifact_digest": DIGEST,
        "inputs": INPUTS,
        "example": example(),
        "sample": Sample(
            file=Path("test.csv"), columns=("a", "b"), rows=rows, joined=45, predicted=45
        ),
        "why_none": "",
        "tolerance": 1e-6,
        **changes,
    }
    return Promised(**given)


def check(found: SmokeTest, name: str) -> SmokeCheck:
    return next(each for each in found.checks if each.name == name)


def test_an_honest_server_passes_everything() -> None:
    with served() as client:
        found = smoke_test(client, promised())
    assert found.state is StageState.PASSED
    assert [each.state for each in found.checks] == [StageState.PASSED] * 4
    assert check(found, "offline").count == 45
    # One row without each column, text in the number, and two broken bodies.
    assert check(found, "signature").count == 5
    assert SmokeTest.parse(found.to_json(), file="smoke.json") == found


def test_other_numbers_than_offline_are_named_by_their_rows() -> None:
    def drifting(split: dict[str, Any]) -> Answer:
        status, content = honest(split)
        if isinstance(content, dict) and "predictions" in content:
            content["predictions"] = [p + (0.5 if p > 40 else 0) for p in content["predictions"]]
        return status, content

    with served(drifting) as client:
        found = check(smoke_test(client, promised()), "offline")
    assert (found.state, found.wrong) == (StageState.FAILED, 4)
    assert found.examples == ("id41", "id42", "id43", "id44")
    assert found.largest == pytest.approx(0.5 / 41)


@pytest.mark.parametrize("version", [OTHER, None, "\x80"])
def test_answers_of_another_version_or_of_none_fail(version: str | None) -> None:
    with served(version=version) as client:
        found = smoke_test(client, promised())
    assert found.state is StageState.FAILED
    assert check(found, "version").wrong == check(found, "version").count > 0


@pytest.mark.parametrize("status", [200, 500])
def test_a_missing_column_must_be_refused_as_the_callers_fault(status: int) -> None:
    def careless(split: dict[str, Any]) -> Answer:
        found = honest(split)
        return found if found[0] == 200 else (status, {"predictions": [0]})

    with served(careless, broken=status) as client:
        found = check(smoke_test(client, promised()), "signature")
    assert (found.state, found.wrong) == (StageState.FAILED, 4)
    assert found.examples[0] == f"without a: {status}"


def test_an_optional_column_may_be_missing() -> None:
    def strict(split: dict[str, Any]) -> Answer:
        return honest(split) if "b" in split["columns"] else (400, {})

    with served(strict) as client:
        found = check(smoke_test(client, promised()), "signature")
    assert found.examples == ("without b: 400",)


@pytest.mark.parametrize(
    "garbage", [b"", b"<html>", b'{"predictions": [1]}', b'{"predictions": "x"}', b"\xff"]
)
def test_garbage_is_a_failure_and_no_defect(garbage: bytes) -> None:
    with served(lambda _: (200, garbage)) as client:
        found = smoke_test(client, promised())
    assert check(found, "example").state is StageState.FAILED
    assert check(found, "offline").state is StageState.FAILED


def test_a_server_that_fails_fails() -> None:
    with served(lambda _: (503, {}), broken=503) as client:
        found = smoke_test(client, promised())
    assert {each.state for each in found.checks} == {StageState.FAILED}
    assert "No answer came from a model" in check(found, "version").sentence


def test_what_cannot_be_asked_says_why() -> None:
    with served() as client:
        found = smoke_test(client, promised(sample=None, why_none="no rows", example=None))
    states = {each.name: each.state for each in found.checks}
    assert set(states.values()) == {StageState.NOT_MEASURED, StageState.FAILED}  # nothing answered
    assert check(found, "offline").sentence == "no rows"
    with served() as client:
        tensors = smoke_test(client, promised(inputs=(), sample=None, why_none="tensors"))
    assert tensors.state is StageState.NOT_MEASURED
    assert check(tensors, "example").state is StageState.PASSED


def test_a_question_that_is_not_demanded_may_be_left_open() -> None:
    given = {"inputs": (), "sample": None, "why_none": "tensors"}
    with served() as client:
        found = smoke_test(client, promised(**given, demanded=frozenset({"version", "example"})))
        strict = smoke_test(client, promised(**given, demanded=frozenset({"signature"})))
    assert found.state is StageState.PASSED
    assert check(found, "offline").state is StageState.NOT_MEASURED
    assert strict.state is StageState.NOT_MEASURED


@pytest.mark.parametrize(
    ("expected", "state", "rows"),
    [
        ((2.0, 4.0 + 1e-9), StageState.PASSED, ()),
        ((2.0, 4.1), StageState.FAILED, ("row 2",)),
        ((2.0,), StageState.FAILED, ("row 2",)),
        ((2.0, 4.0, 6.0), StageState.FAILED, ("row 3",)),
        (("2", [4.0]), StageState.FAILED, ("row 2",)),
    ],
)
def test_without_test_rows_the_pipelines_own_answers_are_held_to(
    expected: tuple[object, ...], state: StageState, rows: tuple[str, ...]
) -> None:
    given = {"sample": None, "why_none": "No rows.", "example": example(expected)}
    with served() as client:
        found = check(smoke_test(client, promised(**given)), "offline")
    assert (found.state, found.examples) == (state, rows)
    assert found.sentence.endswith("No rows.")


def test_an_example_that_is_answered_by_no_number_fails() -> None:
    with served(lambda _: (200, {"predictions": [1.0, float("nan")]})) as client:
        found = check(smoke_test(client, promised(sample=None)), "example")
    assert found.state is StageState.FAILED
    assert "not a finite number" in found.sentence


def saved(folder: Path, **files: str) -> ModelDirectory:
    for name, text in files.items():
        (folder / f"{name}.json").write_text(text)
    return ModelDirectory(folder=folder, flavors=(), described={})


def test_the_example_is_mlflows(tmp_path: Path) -> None:
    assert read_example(saved(tmp_path)) is None
    found = read_example(saved(tmp_path, input_example='{"columns": ["a"], "data": [[1.0], [2]]}'))
    assert found is not None
    assert (found.rows, found.expected) == (2, None)
    assert json.loads(found.body) == {"dataframe_split": {"columns": ["a"], "data": [[1.0], [2]]}}
    found = read_example(saved(tmp_path, input_example="[[1.0]]", output_example="[1]"))
    assert found is not None
    assert (json.loads(found.body), found.frame) == ({"instances": [[1.0]]}, None)
    assert found.expected == (1,)
    more = {"serving_input_example": '{"inputs": {"a": [1]}}', "output_example": '{"a": 1}'}
    with pytest.raises(InputError, match="no list of predictions"):
        read_example(saved(tmp_path, **more))
    found = read_example(saved(tmp_path, output_example='{"predictions": [1]}'))
    assert found is not None
    assert (json.loads(found.body), found.rows) == ({"inputs": {"a": [1]}}, None)


def test_a_test_row_stands_in_for_an_example_and_the_report_says_so() -> None:
    with served() as client:
        found = smoke_test(client, promised(example=None))
    assert found.state is StageState.PASSED
    assert "saved without an example; a test row in its place" in check(found, "example").sentence


def test_rows_that_are_missing_from_the_file_are_counted() -> None:
    sample = promised().sample
    assert sample is not None
    fewer = Sample(
        file=sample.file, columns=sample.columns, rows=sample.rows, joined=45, predicted=50
    )
    with served() as client:
        found = check(smoke_test(client, promised(sample=fewer)), "offline")
    assert "(45 of the 50 judged rows are in test.csv)" in found.sentence


def test_no_server_is_outside_and_not_measured() -> None:
    client = Client(address="http://127.0.0.1:1", seconds=1)
    with pytest.raises(OutsideError, match="Connection refused") as caught:
        smoke_test(client, promised())
    found = not_measured(client.address, promised(), caught.value)
    assert found.state is StageState.NOT_MEASURED


@pytest.mark.parametrize(
    "given",
    ["host:80", "ftp://host", "http://", "http://h:0", "http://h:x", "http://h/?q=1", "http://h /",
     "http://me:secret@host", "file:///etc/passwd", ""],
)  # fmt: skip
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(InputError) as caught:
        normal_address(given)
    assert "secret" not in str(caught.value)


def test_an_address_may_name_the_scoring_path_or_not() -> None:
    assert normal_address("http://h:1/x/invocations") == normal_address("http://h:1/x/")


def test_values_are_written_as_the_signature_has_them() -> None:
    def typed(value: object, kind: str) -> object:
        return as_typed(value, Input(name="c", type=kind), file=Path("f.csv"))

    assert typed(1, "double") == 1.0
    assert isinstance(typed(1, "double"), float)
    assert typed(2.0, "long") == 2
    assert typed(0, "boolean") is False
    assert typed(7, "string") == "7"
    assert typed(float("nan"), "double") is None
    assert typed("text", "double") == "text"
    with pytest.raises(InputError, match="infinite number"):
        typed(float("inf"), "double")


def test_a_load_sends_one_row_a_request() -> None:
    bodies = load_bodies(promised(), most=3)
    assert [len(json.loads(body)["dataframe_split"]["data"]) for body in bodies] == [1, 1, 1]
    assert len(load_bodies(promised(sample=None))) == 2
    assert load_bodies(promised(sample=None, example=None)) == ()
