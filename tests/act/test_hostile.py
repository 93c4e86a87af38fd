"""Secrets stay where they belong, and nothing a stranger writes is obeyed."""

from __future__ import annotations

import json
import os
import sys
import zipfile
from pathlib import Path

import pytest

from assay.report.page import comment_page

from .conftest import StartGated
from .gating import ROOT, TOY, WORKFLOW, gate_job, models

pytestmark = [pytest.mark.act, pytest.mark.timeout(900)]

SECRETS = {
    "TRAINING": "TOY_TRAINING=alpha-bravo-charlie\n",
    "DVC": 'TOY_STORAGE="delta\\necho-foxtrot"\n',
}
HIDDEN = ("alpha-bravo-charlie", "echo-foxtrot")
HANDED_OVER = """\
    secrets:
      training: ${{ secrets.TRAINING }}
      dvc-credentials: ${{ secrets.DVC }}
"""
LINE = "<script>alert(1)</script><img src=x>`$(id)`${{ github.token }} @everyone"
WORD = LINE.partition(" ")[0]
OWNED = f"{LINE}\n::error::owned"
BRANCH = "fix/$(touch${IFS}$HOME/owned)`id`;\"'<b>&|"

TRAIN = """
print("the secrets are", os.environ["TOY_TRAINING"], os.environ["TOY_STORAGE"])
for line in (
    "::set-output name=state::failed",
    "::error file=train.py,line=1::printed by the consumer",
    "::add-mask::passed",
    "::stop-commands::mine",
    "::endgroup::",
    "##[error]printed by the consumer",
    "\\x1b[2J::warning::printed by the consumer",
):
    print(line)
Path("test.csv").write_text(Path("predictions.csv").read_text())
lines = Path("predictions.csv").read_text().splitlines()
with Path("predictions.csv").open("w", newline="") as file:
    rows = csv.writer(file)
    rows.writerow([*lines[0].split(","), WORD])
    rows.writerows([*line.split(","), OWNED if int(line[0]) % 2 else "plain"] for line in lines[1:])
with Path("test.csv").open("w", newline="") as file:
    rows = csv.writer(file)
    rows.writerow(["id", WORD, "label"])
    rows.writerows([OWNED, OWNED, "x"] for _ in range(10))
"""
TESTS = """
import pytest

OWNED = {owned}

@pytest.mark.parametrize("name", ["plain", OWNED], ids=["plain", OWNED])
def test_refuses(name):
    assert name == "plain", OWNED
"""


def hostile_files() -> dict[str, str | bytes]:
    """A consumer whose columns, categories, row ids, tests and output are all hostile."""
    config = (TOY / "assay.yaml").read_text()
    config = config.replace("tests: null", "tests: {command: python -m pytest -q}")
    config += f"    data: {{test: test.csv, id: id}}\n    slices: [{json.dumps(WORD)}]\n"
    train = (TOY / "train.py").read_text() + f"\nWORD, OWNED = {WORD!r}, {OWNED!r}\n" + TRAIN
    workflow = (ROOT / "template-repo" / ".github" / "workflows" / WORKFLOW).read_text()
    return {
        "assay.yaml": config,
        "train.py": train,
        "test_toy.py": TESTS.replace("{owned}", repr(OWNED)),
        f".github/workflows/{WORKFLOW}": workflow + HANDED_OVER,
    }


def test_strangers_words_are_shown_and_not_obeyed_and_secrets_stay(
    start_gated: StartGated,
) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    gated = start_gated(hostile_files(), secrets=SECRETS, environ={**os.environ, "PATH": path})
    pull = gated.propose(BRANCH, {"skill.txt": "790\n"}, title=LINE)
    run = gated.gate(pull)

    model = models(run)["toy"]
    assert model.result == "success", model.log
    for name, length in (("TOY_TRAINING", 19), ("TOY_STORAGE", 18)):
        assert f"{name} has {length} characters" in model.log
    for name in ("GITHUB_TOKEN", "ASSAY_GITHUB_TOKEN", "GITHUB_OUTPUT"):
        assert f"{name} has 0 characters" in model.log
    assert "the secrets are *** ***" in model.log
    for artifact in run.artifacts:
        with zipfile.ZipFile(artifact.archive) as archive:
            content = b"".join(archive.read(name) for name in archive.namelist())
        assert not [word for word in HIDDEN if word.encode() in content], artifact.name
    logs = "\n".join(job.log for job in run.jobs)
    assert not [word for word in HIDDEN if word in logs]

    assert "toy (head): passed" in model.log
    assert not [note for note in run.annotations if note.message == "printed by the consumer"]
    assert not [note for note in run.annotations if not note.properties]
    (failed,) = [note for note in run.annotations if note.properties.get("file") == "test_toy.py"]
    assert failed.properties["line"] == "8"

    assert gate_job(run).result == "failure"
    assert not (gated.harness.scratch / "home" / "owned").exists()
    body = gated.comment(pull).body
    assert "Accuracy is" in body
    assert "repeat the id" in body
    assert "::error" in body
    assert "${{" not in body
    shown = comment_page(body, title="hostile")
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown
