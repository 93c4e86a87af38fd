"""Runs that cannot write: a fork's and Dependabot's, and what publish-report refuses."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.act.result import RunResult
from support.archives import packed

from .conftest import StartGated
from .gating import BETTER, WORSE, Gated, document, gate_job, models

pytestmark = [pytest.mark.act, pytest.mark.timeout(900)]

FORK = "stranger/toy"
Files = dict[str, bytes]


def artifact(run: RunResult) -> Path:
    """Return the archive of a run's whole evidence, as it lies in the artifact store."""
    (found,) = [item for item in run.artifacts if item.name.startswith("assay-gate-")]
    return found.archive


def rewrite(archive: Path, change: Callable[[Files], object]) -> bytes:
    """Change the files of an archive, as the code of a fork could have; return what it was."""
    original = archive.read_bytes()
    with zipfile.ZipFile(archive) as source:
        files = {name: source.read(name) for name in source.namelist()}
    change(files)
    archive.write_bytes(packed(*files.items()))
    return original


def test_a_forks_run_is_judged_without_writing_and_published_by_the_bases_files(
    start_gated: StartGated,
) -> None:
    gated = start_gated(secrets={"TRAINING": "TOY_TRAINING=a-secret-of-the-base"})
    pull = gated.propose("change", {"skill.txt": WORSE}, fork=FORK)
    first = gated.gate(pull)
    assert (gate_job(first).result, models(first)["toy"].result) == ("failure", "success")
    assert "This run's token cannot comment: publish-report posts the report." in (
        gate_job(first).log
    )
    assert "TOY_TRAINING has 0 characters" in models(first)["toy"].log
    assert gated.harness.github.comments(pull.number) == ()

    published = gated.publish(first)
    assert published.result == "success", published.jobs[0].log
    posted = gated.comment(pull)
    assert posted.author == "github-actions[bot]"
    assert posted.body.startswith("### Assay: fail\n")
    assert f"computed by the code of `{FORK}`" in posted.body

    def lie(files: Files) -> None:
        verdict = json.loads(files["verdict.json"])
        verdict.update(state="pass", sentence="Owned.", rules=[], stages=[])
        files["verdict.json"] = json.dumps(verdict).encode()
        files["report.md"] = b"### Assay: pass\n\nOwned. @everyone\n"

    moved = gated.push(pull, {"skill.txt": BETTER})
    second = gated.gate(moved, "synchronize")
    assert gate_job(second).result == "success", gate_job(second).log
    stale = gated.publish(first)
    assert stale.result == "success", stale.jobs[0].log
    assert f"has moved on from {pull.head_sha[:12]}" in stale.jobs[0].log
    assert gated.comment(pull).body == posted.body

    refuse_forgeries(gated, second)
    assert gated.comment(pull).body == posted.body

    rewrite(artifact(second), lie)
    assert gated.publish(second).result == "success"
    updated = gated.comment(pull)
    assert updated.id == posted.id
    assert updated.body.startswith("### Assay: pass\n\n**Accuracy is better: 0.800 to 0.850")
    assert "Owned" not in updated.body
    assert pull.head_sha[:7] in updated.body.partition("Earlier verdicts")[2]


def refuse_forgeries(gated: Gated, run: RunResult) -> None:
    """Altered predictions and a run of another workflow: an error, exit code, no comment."""
    predictions = "toy/predictions.csv"
    good = rewrite(
        artifact(run), lambda files: files.update({predictions: files[predictions] + b"9,1,1\n"})
    )
    forged = gated.publish(run)
    assert forged.result == "failure"
    assert {note.properties["file"].rpartition("/")[2] for note in forged.annotations} == {
        "predictions.csv"
    }
    assert "SHA-256 differs" in forged.annotations[0].message
    assert "exit status 4" in forged.jobs[0].log
    artifact(run).write_bytes(good)

    record = gated.harness.github.records.runs[run.run_id]
    path, record["path"] = record["path"], ".github/workflows/mine.yml"
    other = gated.publish(run)
    assert other.result == "failure"
    assert ".github/workflows/mine.yml" in other.annotations[0].message
    assert "exit status 2" in other.jobs[0].log
    record["path"] = path


def test_dependabots_run_is_published_as_this_repositorys_own(start_gated: StartGated) -> None:
    gated = start_gated()
    pull = gated.propose("bump", {"skill.txt": BETTER}, author="dependabot[bot]")
    run = gated.gate(pull)
    assert gate_job(run).result == "success", gate_job(run).log
    assert gated.harness.github.comments(pull.number) == ()
    assert document(run, "plan.json")["event"]["can_write"] is False
    published = gated.publish(run)
    assert published.result == "success", published.jobs[0].log
    body = gated.comment(pull).body
    assert body.startswith("### Assay: pass\n")
    assert "computed by the code of" not in body
