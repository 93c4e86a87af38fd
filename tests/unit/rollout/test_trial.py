"""Trying a version behind a real Envoy, with real scoring servers; and what its answer must be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.errors import InputError, OutsideError
from assay.evidence import LoadTest, Outcome
from assay.rollout.staging import replay
from assay.rollout.target import Release
from assay.rollout.trial.callers import Reply
from assay.rollout.trial.run import Load, Trial
from assay.rollout.trial.smoke import expected_of, problems, request_of, rows_in
from support.models import probe_model
from support.serving import local_target

DIGEST = "a" * 64


def reply(predictions: Any, **changes: Any) -> Reply:
    body = json.dumps({"predictions": predictions}).encode()
    return replace(Reply(status=200, version=DIGEST, body=body), **changes)


def said(answer: Reply, *, rows: int | None = 2, expected: list[Any] | None = None) -> str:
    return " ".join(problems(answer, digest=DIGEST, rows=rows, expected=expected))


def test_an_answer_that_is_as_it_was_evaluated_offline_passes() -> None:
    assert said(reply([[0.1, 0.9], [0.8, 0.2]]), expected=[[0.1, 0.9], [0.8, 0.2 + 1e-12]]) == ""
    assert said(reply(["yes", "no"]), expected=["yes", "no"]) == ""
    assert said(reply([1, 2])) == ""


@pytest.mark.parametrize(
    ("answer", "expected", "sentence"),
    [
        (Reply(status=500, version=DIGEST, body=b"broken"), None, "answered with 500: broken"),
        (Reply(status=0, reason="TimeoutError"), None, "answered with nothing: TimeoutError"),
        (reply([1, 2], version="b" * 64), None, "names version " + "b" * 64),
        (reply([1, 2], version=None), None, "names version none"),
        (reply([1, 2], body=b"<html>"), None, "no JSON with `predictions`"),
        (reply([1]), None, "2 rows were sent, and 1 predictions"),
        (reply({"a": 1}), None, "no list of predictions"),
        (reply([1.0, float("nan")]), None, "not a finite number"),
        (reply([[0.1, 0.9], [0.8, 0.3]]), [[0.1, 0.9], [0.8, 0.2]], "row 2 of the example"),
        (reply([1, 2]), [1], "row 2 of the example is served otherwise"),
    ],
)
def test_an_answer_that_is_not_says_why(
    answer: Reply, expected: list[Any] | None, sentence: str
) -> None:
    assert sentence in said(answer, expected=expected)


def test_the_example_is_mlflows(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no input example"):
        request_of(tmp_path)
    (tmp_path / "input_example.json").write_text('{"columns": ["a"], "data": [[1.0], [2.0]]}')
    assert json.loads(request_of(tmp_path)) == {
        "dataframe_split": {"columns": ["a"], "data": [[1.0], [2.0]]}
    }
    assert rows_in(request_of(tmp_path)) == 2
    (tmp_path / "input_example.json").write_text("[[1.0]]")
    assert json.loads(request_of(tmp_path)) == {"instances": [[1.0]]}
    (tmp_path / "serving_input_example.json").write_text('{"inputs": {"a": [1]}}')
    assert rows_in(request_of(tmp_path)) is None
    assert expected_of(tmp_path) is None
    (tmp_path / "output_example.json").write_text('{"predictions": [1]}')
    assert expected_of(tmp_path) == [1]
    (tmp_path / "output_example.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read as JSON"):
        expected_of(tmp_path)


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Release]:
    folder = tmp_path_factory.mktemp("versions")
    made = {
        "good": probe_model(folder / "good", 7),
        "slow": probe_model(folder / "slow", 7, sleep=0.4),
        "broken": probe_model(folder / "broken", 7, raises=True),
    }
    for release in made.values():
        model = release.folder / "model"
        (model / "input_example.json").write_text('{"columns": ["a"], "data": [[1.0], [2.0]]}')
        (model / "output_example.json").write_text("[7, 7]")
    return made


@pytest.fixture(scope="module")
def trial(
    tmp_path_factory: pytest.TempPathFactory, versions: dict[str, Release]
) -> Iterator[Trial]:
    target = local_target(tmp_path_factory.mktemp("trial") / "target")
    try:
        made = Trial(target, start_seconds=120)
        made.start(*versions.values())
        yield made
    finally:
        target.close()


def test_a_version_is_tried_with_its_own_example(
    trial: Trial, versions: dict[str, Release]
) -> None:
    assert trial.smoke(versions["good"]) == ()
    (sentence,) = trial.smoke(versions["broken"])
    assert "its own example was answered with" in sentence
    expected = versions["good"].folder / "model" / "output_example.json"
    expected.write_text("[7, 8]")
    (sentence,) = trial.smoke(versions["good"])
    assert "row 2 of the example is served otherwise" in sentence
    expected.write_text("[7, 7]")


def test_a_slower_version_is_worse_and_the_verdict_is_a_function_of_the_rounds(
    trial: Trial, versions: dict[str, Release], tmp_path: Path
) -> None:
    test = trial.load(versions["slow"], versions["good"], Load(rounds=6, rate=5, seconds=1))
    assert test.state is Outcome.FAIL, test.sentence
    looks = {look.name: look for look in test.looks}
    assert looks["p50"].state == "worse", test.sentence
    assert all(side.memory for each in test.rounds for side in (each.new, each.serving))
    test.write(tmp_path)
    assert replay(LoadTest.read(tmp_path)) == test


def test_a_version_that_never_gets_ready_is_named_with_why(trial: Trial, tmp_path: Path) -> None:
    bad = probe_model(tmp_path / "bad", 7)
    (bad.folder / "model" / "MLmodel").write_text("{}")
    impatient = Trial(trial._target, start_seconds=3)
    with pytest.raises(OutsideError, match="does not answer its health check within 3 s"):
        impatient.start(bad)
