"""A retraining through the shipped workflows: decided, trained, proposed, judged, settled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.act.events import workflow_run_event

from .conftest import StartGated
from .gating import Gated, gate_job
from .pipelines import start_piped

pytestmark = [pytest.mark.act, pytest.mark.timeout(900)]

RETRAIN = "retrain.yml"
BRANCH = "assay/retrain/toy"


def book(gated: Gated) -> list[dict[str, object]]:
    remote = gated.harness.remote
    text = remote.git("show", "assay/desired:retraining/toy.jsonl")
    return [json.loads(line) for line in text.splitlines()]


def test_a_model_that_is_no_better_is_proposed_once_and_closes_itself(
    start_gated: StartGated, tmp_path: Path
) -> None:
    gated, feed = start_piped(start_gated, tmp_path, "    retrain: {every: 60}\n")
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
