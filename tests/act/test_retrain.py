"""A retraining through the shipped workflows: decided, trained, proposed, judged, settled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.act.events import workflow_run_event

from .conftest import StartGated
from .gating import TOY, Gated, gate_job

pytestmark = [pytest.mark.act, pytest.mark.timeout(900)]

RETRAIN = "retrain.yml"
BRANCH = "assay/retrain/toy"
PIPELINE = """\
stages:
  train:
    cmd: python3 train.py
    always_changed: true
    outs: [predictions.csv]
"""


def with_dvc() -> dict[str, str]:
    """An environment with the dvc of the development environment on its PATH, behind the rest."""
    path = os.pathsep.join((os.environ["PATH"], str(Path(sys.executable).parent)))
    return {**os.environ, "PATH": path}


def retrained(start_gated: StartGated, folder: Path) -> tuple[Gated, Path]:
    """Start on a toy whose skill lies outside the repository, as new data does; main has 800."""
    feed = folder / "feed.txt"
    feed.write_text("800\n")
    training = (TOY / "train.py").read_text().replace('Path("skill.txt")', f'Path("{feed}")')
    config = (TOY / "assay.yaml").read_text()
    config = config.replace("python3 train.py}", "dvc repro}").replace('"*.txt"', '"dvc.*"')
    config += "    retrain: {every: 60}\n"
    files: dict[str, str | bytes] = {
        "assay.yaml": config,
        "train.py": training,
        "dvc.yaml": PIPELINE,
        ".gitignore": "/predictions.csv\n",
    }
    gated = start_gated(files, environ=with_dvc())
    root = gated.consumer.root
    for command in (
        "dvc init --quiet",
        f"dvc remote add --quiet --default store {folder}/store",
        "dvc repro --quiet",
        "dvc push --quiet",
    ):
        subprocess.run(command.split(), cwd=root, env=with_dvc(), check=True, capture_output=True)
    gated.consumer.commit(message="pipeline")
    gated.harness.fetch()
    return gated, feed


def book(gated: Gated) -> list[dict[str, object]]:
    remote = gated.harness.remote
    text = remote.git("show", "assay/desired:retraining/toy.jsonl")
    return [json.loads(line) for line in text.splitlines()]


def test_a_model_that_is_no_better_is_proposed_once_and_closes_itself(
    start_gated: StartGated, tmp_path: Path
) -> None:
    gated, feed = retrained(start_gated, tmp_path)
    harness = gated.harness
    main = harness.remote.commit_of("main")
    feed.write_text("700\n")
    asked = harness.dispatch_event("main", {"reason": "late returns @octo"})
    run = harness.run(RETRAIN, asked)
    assert run.result == "success", "\n".join(job.log for job in run.jobs)

    training = next(job for job in run.jobs if job.id == "train")
    assert "GITHUB_TOKEN has 0 characters" in training.log
    assert harness.remote.git("diff", "--name-only", main, BRANCH) == "dvc.lock"
    assert harness.remote.git("rev-parse", f"{BRANCH}^") == main
    (pull,) = harness.github.records.pulls.values()
    facts = harness.github.demand("GET", f"/repos/{harness.slug}/pulls/{pull.number}")
    assert facts["head"]["ref"] == BRANCH
    warned = [note.message for note in run.annotations if note.level == "warning"]
    assert any("waits for a person" in said for said in warned)
    assert [line["kind"] for line in book(gated)] == ["reserved", "ended"]

    again = harness.run(RETRAIN, asked, rerun_of=run)
    assert again.result == "success", "\n".join(job.log for job in again.jobs)
    assert list(harness.github.records.pulls) == [pull.number]

    judged = gated.gate(pull)
    assert gate_job(judged).result == "failure"
    settled = harness.run(RETRAIN, harness.workflow_run_event(judged))
    assert settled.result == "success", "\n".join(job.log for job in settled.jobs)
    assert harness.github.records.pulls[pull.number].state == "closed"
    said = [note.body for note in harness.github.comments(pull.number)]
    assert any("is not better, so this closes itself" in body for body in said)
    assert book(gated)[-1]["outcome"] == "closed"


def test_a_run_of_any_other_branch_settles_nothing(start_gated: StartGated) -> None:
    gated = start_gated()
    harness = gated.harness
    ended = {
        "id": 77,
        "run_attempt": 1,
        "event": "pull_request",
        "path": ".github/workflows/pull-request.yml",
        "head_sha": harness.remote.commit_of("main"),
        "head_branch": "feature",
        "head_repository": {"full_name": harness.slug},
        "repository": {"full_name": harness.slug},
    }
    event = workflow_run_event(
        ended,
        slug=harness.slug,
        sha=harness.remote.commit_of("main"),
        default_branch="main",
        actor="octo",
    )
    run = harness.run(RETRAIN, event)
    assert run.result == "success", "\n".join(job.log for job in run.jobs)
    assert [job.id for job in run.jobs if job.result == "success"] == ["settle"]
    assert "feature is no retrained model's branch: nothing to do" in run.job("Settle").log
