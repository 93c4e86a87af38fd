"""`assay monitor` with classes, slices, references and states that are wrong, or right.

Each ends with what is meant, with a finding, or with an error that says where and what to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.evidence import Reference
from support.watched_files import Watched, keys


@pytest.fixture
def made(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def in_words(made: Watched, **columns: Any) -> Watched:
    """The same classes by names, of which F1 is judged."""
    words = ["no", "yes"]
    made.log["prediction"] = [words[one] for one in made.log["prediction"]]
    made.labels["label"] = [words[one] for one in made.labels["label"]]
    made.monitoring = {"quality": {"f1": {"margin": 0.02, "reference": 0.9}}}
    made.columns = columns
    return made


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, "Nothing says which class is the positive one: they are 'no', 'yes'."),
        ({"positive": "churned"}, "No label and no prediction is 'churned', the positive class"),
    ],
    ids=["unnamed", "never occurs"],
)
def test_a_positive_class_that_is_none_is_a_finding(
    made: Watched, columns: dict[str, Any], words: str
) -> None:
    in_words(made, **columns).write()
    look = made.look()
    assert keys(look) == {"schema:positive class"}
    assert words in look.problems[0].sentence
    assert "columns.positive" in look.problems[0].step


def test_a_positive_class_that_occurs_or_that_nobody_needs_is_no_finding(
    made: Watched, tmp_path: Path
) -> None:
    in_words(made, positive="yes").write()
    assert keys(made.look()) == set()
    (tmp_path / "other").mkdir()
    other = in_words(Watched(tmp_path / "other"))
    other.monitoring = {}
    other.write()
    assert keys(other.look()) == set()


def test_a_slice_that_is_nowhere_is_said(made: Watched) -> None:
    made.monitoring = {"slices": ["plan", "score"]}
    made.write()
    look = made.look()
    assert look.notes == ("Quality by 'plan' is not shown: no file of the log has that column.",)


def reference(made: Watched, **changes: Any) -> Path:
    folder = made.folder / "reference"
    facts = {"model": "churn", "columns": (), "quality": {"accuracy": 0.9}, **changes}
    Reference(**facts).write(folder)
    return folder


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ("another", 2, "this is the evidence of fraud, and churn is looked at"),
        ("newer", 4, "expected a document of schema assay/reference/1, found 'assay/reference/2'"),
        ("cut", 4, "this is not JSON"),
        ("gone", 2, "comparison.json: there is no such evidence"),
    ],
)
def test_a_reference_that_is_none_of_this_model_is_refused(
    made: Watched, capsys: pytest.CaptureFixture[str], change: str, code: int, words: str
) -> None:
    made.write()
    folder = reference(made, **({"model": "fraud"} if change == "another" else {}))
    file = folder / Reference.FILE
    if change == "newer":
        file.write_text(file.read_text().replace("assay/reference/1", "assay/reference/2"))
    elif change == "cut":
        file.write_text(file.read_text()[:40])
    elif change == "gone":
        file.unlink()
    assert made.run("--reference", str(folder)) == code
    said = capsys.readouterr().err
    assert words in said
    assert folder.as_posix() in said
    assert not (made.folder / "state/state.json").exists()


def test_a_state_that_cannot_be_is_refused(
    made: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    made.write()
    (made.folder / "state").write_text("a file")
    assert made.run() == 2
    assert "is a file" in capsys.readouterr().err
    assert made.run("--state", "/proc/nowhere/state") == 3
    said = capsys.readouterr().err
    assert "/proc/nowhere" in said
    assert "name another one" in said
