"""Evidence is the same bytes wherever it is written, and what was altered is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from assay.cli.schema import evidence_schemas
from assay.config import Comment, parse_config
from assay.errors import InputError, IntegrityError, OutsideError
from assay.evidence import (
    Comparison,
    DataReport,
    Document,
    Event,
    Finding,
    Measurement,
    ModelPlan,
    Outcome,
    Plan,
    Revision,
    StageState,
    TestRun,
    Training,
    Verdict,
)
from assay.evidence.base import MAX_DOCUMENT_BYTES

RULES = parse_config(
    """version: 1
models:
  m:
    predictions: p.csv
    gates: {accuracy: {margin: 0.01}, "mean:x": {must_improve: true, higher_is_better: false}}
    slices: [a, {column: b, bins: [1, 2.5]}]
    environment: {uv: true}
    data: {deepchecks: {severity: off}, schema: x.yaml, rules: [{name: a, expression: b}]}
    columns: {positive: true}
    tests: null
"""
).models["m"]
PLAN = Plan(
    event=Event(title="a\n::error::b"),
    head=Revision(commit="a" * 40, tree="b" * 40),
    base=None,
    why_no_base="the first commit",
    config_file="assay.yaml",
    config_rules_from="head",
    comment=Comment(),
    models=(
        ModelPlan(name="m", path=".", touched=True, reason="new", rules_from="head", rules=RULES),
    ),
)
DOCUMENTS: tuple[Document, ...] = (
    PLAN,
    TestRun(model="m", state=StageState.PASSED, command="pytest", seconds=0.1),
    DataReport(
        model="m",
        state=StageState.FAILED,
        findings=(Finding(check="a", dataset="train", message="Ümlaut \u2028 😀", rows=("1",)),),
    ),
    Training(model="m", side="head", state=StageState.PASSED, scalars={"b": 1e-300, "a": -0.0}),
    Comparison(
        model="m",
        measurements=(Measurement(metric="accuracy", interval=(-0.1, 0.2), n=3),),
    ),
    Verdict(state=Outcome.PASS, sentence="better"),
)
TEXT = PLAN.to_json()


def altered(**changes: Any) -> str:
    return json.dumps({**json.loads(TEXT), **changes})


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.FILE)
def test_a_document_survives_the_disk(document: Document, tmp_path: Path) -> None:
    document.write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [document.FILE]
    read = type(document).read(tmp_path)
    assert read == document
    assert read.to_json() == document.to_json()
    assert read.digest() == document.digest()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.FILE)
def test_the_bytes_are_canonical(document: Document) -> None:
    text = document.to_json()
    data = json.loads(text)
    assert data["schema"] == document.SCHEMA
    assert text == json.dumps(data, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
    shuffled = json.dumps(dict(reversed(data.items())), ensure_ascii=True)
    assert type(document).parse(shuffled, file="x").to_json() == text


def test_equal_documents_have_equal_digests_whatever_the_order_of_their_making() -> None:
    one = Training(model="m", side="head", state=StageState.PASSED, scalars={"a": 1.0, "b": 2.0})
    two = Training(side="head", model="m", scalars={"b": 2.0, "a": 1.0}, state=StageState.PASSED)
    assert one.digest() == two.digest()
    assert one.digest() != two.model_copy(update={"cache_hit": True}).digest()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.FILE)
def test_the_published_schema_is_of_this_document(document: Document) -> None:
    schema = evidence_schemas()[document.FILE.removesuffix(".json")]
    jsonschema.validate(json.loads(document.to_json()), schema)


def test_a_name_that_is_no_text_does_not_stop_the_evidence(tmp_path: Path) -> None:
    made = TestRun(model="m", state=StageState.PASSED, command=os.fsdecode(b"run \xff"))
    made.write(tmp_path)
    assert TestRun.read(tmp_path).command == "run \ufffd"
    assert TestRun.read(tmp_path).digest() == made.digest()


def test_a_character_written_as_two_escapes_is_one() -> None:
    read = Plan.parse(altered(config_file="😀"), file="plan.json")
    assert read.config_file == "😀"


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_is_none_cannot_be_made(number: float) -> None:
    with pytest.raises(ValidationError):
        Measurement(metric="accuracy", base=number)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "this is not JSON (Expecting value)"),
        (TEXT[: len(TEXT) // 2], "this is not JSON"),
        ("[" * 100_000, "this is not JSON (maximum recursion depth exceeded"),
        ('{"schema": ' + "9" * 5000 + "}", "this is not JSON (Exceeds the limit"),
        (TEXT.replace('"check_run": false', '"check_run": NaN'), "(NaN is no number)"),
        (
            TEXT.replace('"schema":', '"schema": "x",\n  "schema":', 1),
            "(a key stands twice in one object)",
        ),
        ("\ufeff" + TEXT, "this is not JSON"),
        ("[]", "expected a document of schema assay/plan/1, found 'None'"),
        ("1", "expected a document of schema assay/plan/1, found 'None'"),
        (altered(schema="assay/plan/2"), "found 'assay/plan/2'"),
        (altered(schema="assay/verdict/1"), "found 'assay/verdict/1'"),
        (altered(schema=[]), "found '[]'"),
        (altered(extra=1), "'extra' is not what a document of schema assay/plan/1 holds there"),
        (altered(**{"x\n::error::y": 1}), r"'x\n::error::y' is not what"),
        (altered(**{"k" * 1000: 1}), f"'{'k' * 60}' is not what"),
        (altered(head={"commit": 1, "tree": "b"}), "'head.commit' is not what"),
        (altered(head=None), "'head' is not what"),
        (altered(config_file="\ud800"), "this is not JSON (half of a character)"),
        (altered(models=[{}]), "'models.0.name' is not what"),
    ],
)
def test_what_is_no_such_document_is_refused(text: str, message: str) -> None:
    with pytest.raises(IntegrityError) as raised:
        Plan.parse(text, file="plan.json")
    assert raised.value.where is not None
    assert raised.value.where.file == "plan.json"
    assert message in raised.value.message
    assert "\n" not in str(raised.value)
    assert "run the stage that writes it again" in (raised.value.remedy or "")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(key=st.sampled_from(sorted(json.loads(TEXT))), value=JSON)
@example(key="models", value=[[]])
def test_any_value_anywhere_is_refused_or_kept(key: str, value: object) -> None:
    try:
        read = Plan.parse(altered(**{key: value}), file="plan.json")
    except IntegrityError:
        return
    assert Plan.parse(read.to_json(), file="plan.json") == read


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(TEXT)), st.text(max_size=3), st.integers(0, 5))
def test_any_edit_is_refused_or_kept(place: int, text: str, cut: int) -> None:
    try:
        Plan.parse(TEXT[:place] + text + TEXT[place + cut :], file="plan.json")
    except IntegrityError as error:
        lines = str(error).splitlines()
        assert len(lines) == 1


def test_evidence_that_is_missing_names_the_stage_to_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Run the stage that writes verdict\.json"):
        Verdict.read(tmp_path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(TEXT.encode("utf-16"))
    with pytest.raises(IntegrityError, match="not UTF-8"):
        Plan.read(tmp_path)


def test_a_giant_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.touch()
    os.truncate(path, MAX_DOCUMENT_BYTES + 1)
    with pytest.raises(IntegrityError, match="over 33,554,432 bytes"):
        Plan.read(tmp_path)


def test_a_pipe_or_a_folder_of_that_name_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "plan.json")
    (tmp_path / "verdict.json").mkdir()
    with pytest.raises(IntegrityError, match="this is no file"):
        Plan.read(tmp_path)
    with pytest.raises(IntegrityError, match="this is no file"):
        Verdict.read(tmp_path)


def test_a_path_through_a_file_is_outside(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutsideError, match="cannot be read"):
        Plan.read(tmp_path / "file")
