"""The gate attributes a difference to code and data, and whatever is missing decides nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import IntegrityError
from assay.evidence import Attribution, Outcome, Plan
from assay.gate.assemble import assemble
from assay.gate.judge import judge, write
from assay.gate.replay import replay_differences
from assay.gate.verify import verify
from support.evidence_folders import MODEL, plan, put_training, report_of, rows, rules

WRONG = {"base": 100, "code-only": 60, "data-only": 140, "head": 110}


def attributed_plan() -> Plan:
    made = plan(judged_by=rules(attribution=True))
    planned = made.models[0].model_copy(update={"attribution": True})
    return made.model_copy(update={"models": (planned,)})


def put_corners(folder: Path, but: str | None = None) -> Plan:
    made = attributed_plan()
    made.write(folder)
    for corner, wrong in WRONG.items():
        found = None if corner == but else rows(1000, wrong=wrong)
        put_training(folder, found, side=corner, reason=None if found else "exit code 1")
    return made


def test_the_report_says_how_much_came_from_which(tmp_path: Path) -> None:
    made = put_corners(tmp_path)
    models, verdict = judge(made, tmp_path)
    write(tmp_path, made, models, verdict)
    found = Attribution.read(tmp_path / MODEL)
    effects = {effect.effect: effect.difference for effect in found.effects}
    assert effects["total"] == pytest.approx(-0.01)
    assert effects["code"] == pytest.approx(0.035)
    assert effects["data"] == pytest.approx(-0.045)
    shown = report_of(made, tmp_path)
    assert "**How much came from code and data** (1,000 test rows that all four predict)" in shown
    assert "The head's code on the base's data" in shown
    verify(tmp_path)
    assert "byte for byte" in replay_differences(tmp_path)
    assert f"{MODEL}/attribution.json" in verdict.inputs


@pytest.mark.parametrize("corner", ["code-only", "data-only"])
def test_a_corner_that_failed_is_said_and_changes_no_verdict(tmp_path: Path, corner: str) -> None:
    whole = judge(put_corners(tmp_path), tmp_path)[1]
    made = put_corners(tmp_path, but=corner)
    _, verdict = judge(made, tmp_path)
    assert (verdict.state, verdict.sentence) == (whole.state, whole.sentence)
    shown = report_of(made, tmp_path)
    assert "**Code and data**: not attributed, " in shown
    assert "exit code 1" in shown


def test_corners_that_nobody_ran_are_said(tmp_path: Path) -> None:
    made = attributed_plan()
    made.write(tmp_path)
    for side in ("base", "head"):
        put_training(tmp_path, rows(100), side=side)
    models, verdict = judge(made, tmp_path)
    assert models[0].attribution is not None
    assert "it left no evidence" in (models[0].attribution.not_measured or "")
    assert verdict.state is not Outcome.FAIL


def test_altered_predictions_of_a_corner_are_refused(tmp_path: Path) -> None:
    made = put_corners(tmp_path)
    (tmp_path / MODEL / "code-only" / "predictions.csv").write_text("id,y_true,y_pred\n1,1,1\n")
    with pytest.raises(IntegrityError, match="SHA-256 differs"):
        judge(made, tmp_path)


def test_the_corners_come_along_in_the_heads_artifact(tmp_path: Path) -> None:
    put_corners(tmp_path / "made")
    head = tmp_path / "artifacts" / f"assay-head-{MODEL}-1"
    head.parent.mkdir()
    (tmp_path / "made" / MODEL).rename(head)
    (head / "code-only" / "attribution.json").write_text("{}")
    assemble(tmp_path / "artifacts", tmp_path / "evidence")
    own = tmp_path / "evidence" / MODEL
    assert sorted(path.name for path in (own / "code-only").iterdir()) == [
        "predictions.csv",
        "training.json",
    ]
    assert (own / "data-only" / "training.json").is_file()
    assert not (own / "base").exists()
