"""Kept evidence is checked by its digests and computed again; whatever was touched is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.errors import AssayError, InputError, IntegrityError, SeveralErrors
from assay.evidence import Lineage, StageState, TestRun, Training, Verdict
from assay.evidence.verdict import Override
from assay.gate.judge import judge, write
from assay.gate.replay import replay_differences
from assay.gate.verify import verify
from assay.verdict.decide import accept
from support.evidence_folders import MODEL, put_evidence, rows

TestRun.__test__ = False  # type: ignore[attr-defined]
SAME = "byte for byte the same"


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """A folder that the gate wrote, of a head that got worse."""
    folder = tmp_path / "evidence"
    made = put_evidence(folder, base=rows(300, wrong=20), head=rows(300, wrong=90))
    TestRun(model=MODEL, command="pytest", state=StageState.PASSED, passed=3).write(folder / MODEL)
    write(folder, made, *judge(made, folder, audit=("The job `model` was skipped.",)))
    return folder


def edit(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def test_what_the_gate_wrote_is_right_and_comes_out_again(judged: Path) -> None:
    found = verify(judged)
    assert found.documents == 6
    assert found.digests >= 8
    assert SAME in replay_differences(judged)


def test_an_accepted_verdict_comes_out_accepted(judged: Path) -> None:
    override = Override(by="octo", label="assay-accept", at="2026-03-04T05:06:07Z")
    accept(Verdict.read(judged), override).write(judged)
    assert SAME in replay_differences(judged)


def test_a_copy_in_another_place_is_as_good(judged: Path) -> None:
    moved = judged.parent / "elsewhere" / "of another name"
    moved.parent.mkdir()
    judged.rename(moved)
    verify(moved)
    assert SAME in replay_differences(moved)


def test_without_plan_or_verdict_nothing_is_replayed_and_that_is_said(judged: Path) -> None:
    (judged / "verdict.json").unlink()
    assert "Not replayed" in replay_differences(judged)


@pytest.mark.parametrize(
    "name",
    [
        f"{MODEL}/predictions.csv",
        f"{MODEL}/base/predictions.csv",
        f"{MODEL}/training.json",
        f"{MODEL}/base/training.json",
        f"{MODEL}/tests.json",
        f"{MODEL}/comparison.json",
        "plan.json",
    ],
)
def test_a_file_that_was_changed_or_lost_is_named(judged: Path, name: str) -> None:
    path = judged / name
    path.write_text(path.read_text() + " ")
    with pytest.raises(AssayError) as changed:
        verify(judged)
    assert name in str(changed.value)
    path.unlink()
    with pytest.raises(AssayError) as lost:
        verify(judged)
    assert name in str(lost.value)
    assert lost.value.exit_code == IntegrityError.exit_code


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("verdict.json", lambda data: data.update(state="pass")),
        ("verdict.json", lambda data: data["rules"][0].update(state="better")),
        ("verdict.json", lambda data: data.update(stages=[])),
        (f"{MODEL}/comparison.json", lambda data: data["measurements"][0].update(head=0.99)),
        (f"{MODEL}/comparison.json", lambda data: data["rows"].update(base_only=0, joined=301)),
    ],
    ids=["state", "rule", "audit", "number", "rows"],
)
def test_a_number_that_was_made_prettier_does_not_come_out(
    judged: Path, name: str, change: Callable[[dict[str, object]], object]
) -> None:
    edit(judged / name, change)
    with pytest.raises(IntegrityError, match="comes out differently"):
        replay_differences(judged)


def test_looser_rules_in_the_plan_do_not_come_out(judged: Path) -> None:
    def loosen(data: dict[str, object]) -> None:
        data["models"][0]["rules"]["gates"]["accuracy"]["margin"] = 0.9  # type: ignore[index]

    edit(judged / "plan.json", loosen)
    with pytest.raises(IntegrityError):
        verify(judged)
    with pytest.raises(IntegrityError, match="comes out differently"):
        replay_differences(judged)


def test_every_fault_is_reported_at_once(judged: Path) -> None:
    for name in ("predictions.csv", "tests.json"):
        (judged / MODEL / name).unlink()
    with pytest.raises(SeveralErrors) as found:
        verify(judged)
    assert "predictions.csv" in str(found.value)
    assert "tests.json" in str(found.value)


def test_what_is_not_kept_is_not_asked_for(tmp_path: Path) -> None:
    """``data:test`` is the consumer's data: named by digest, never in the folder."""
    Training(
        model=MODEL,
        side="head",
        state=StageState.PASSED,
        lineage=Lineage(),
        inputs={"data:test": "0" * 64},
    ).write(tmp_path)
    assert verify(tmp_path).digests == 0


def test_a_folder_without_evidence_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        verify(tmp_path / "nothing")
    (tmp_path / "notes.json").write_text("{}")
    with pytest.raises(InputError, match="no evidence document"):
        verify(tmp_path)
