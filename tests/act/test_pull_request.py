"""A pull request through plan, model and gate: one comment, and evidence that replays."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .conftest import StartGated
from .gating import BETTER, WORSE, assay, document, evidence, gate_job, models, path_without

pytestmark = [pytest.mark.act, pytest.mark.timeout(900)]


def test_one_comment_is_posted_and_then_updated_by_whichever_publisher_can(
    start_gated: StartGated, tmp_path: Path
) -> None:
    gated = start_gated()
    pull = gated.propose("change", {"skill.txt": WORSE}, title="Try less")
    first = gated.gate(pull)
    assert (gate_job(first).result, models(first)["toy"].result) == ("failure", "success")
    assert document(first, "verdict.json")["state"] == "fail"
    # Where there is no cml program, setting it up fails and says so; that is not the gate's word.
    own = [
        note for note in first.annotations if "setup-cml" not in note.properties.get("title", "")
    ]
    assert [(note.level, note.job.rpartition("/")[2]) for note in own] == [("error", "Assay gate")]
    posted = gated.comment(pull)
    assert posted.author == "github-actions[bot]"
    assert posted.body.startswith("### Assay: fail\n\n**Accuracy is worse: 0.800 to 0.700")
    by_cml = shutil.which("cml") is not None
    assert ("Comment by cml:" in gate_job(first).log) == by_cml

    folder = evidence(first, tmp_path / "evidence")
    replayed = assay("verify", "--replay", str(folder), cwd=tmp_path)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert "byte for byte the same" in replayed.stdout
    again = assay("gate", "--evidence", str(folder), "--publisher", "file", cwd=tmp_path)
    assert again.returncode == 1
    assert again.stdout.startswith("fail: Accuracy is worse: 0.800 to 0.700")
    predictions = folder / "toy" / "predictions.csv"
    predictions.write_text(predictions.read_text().replace("1,1,0", "1,1,1"))
    altered = assay("verify", str(folder), cwd=tmp_path)
    assert altered.returncode == 4
    assert "toy/predictions.csv" in altered.stderr

    environment = gated.harness.env
    environment["PATH"] = path_without("cml", environment["PATH"], tmp_path / "path")
    moved = gated.push(pull, {"skill.txt": BETTER})
    second = gated.gate(moved, "synchronize")
    assert gate_job(second).result == "success", gate_job(second).log
    assert next(
        step for step in gate_job(second).steps if "setup-cml" in step.name and step.continued
    )
    assert "Assay wrote the comment itself instead of CML: cml is not on PATH" in (
        gate_job(second).log
    )
    updated = gated.comment(pull)
    assert updated.id == posted.id
    assert updated.body.startswith("### Assay: pass\n")
    assert moved.head_sha[:7] in updated.body
    history = updated.body.partition("Earlier verdicts")[2]
    assert "fail" in history
    assert pull.head_sha[:7] in history
    (summary,) = second.summaries()
    assert "Accuracy is better" in summary
