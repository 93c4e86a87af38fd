"""Real act, a real git remote and the local GitHub, around a toy toolkit and a toy consumer."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from assay.act.run import Trigger, run_workflow
from assay.act.site import Settings
from assay.errors import InputError
from support.repositories import Sandbox

from .conftest import Start

pytestmark = pytest.mark.act


def test_pull_request_runs_the_called_workflow_and_posts_one_comment_then_updates_it(
    start: Start, consumer: Sandbox
) -> None:
    harness = start(secrets={"TRAINING": "a=long secret value\nb=2"})
    pull = harness.open_pull_request("feature")
    first = harness.run("model.yml", harness.pull_request_event(pull))

    assert first.result == "success", first.log.read_text()
    assert [job.name for job in first.jobs][::3] == ["Plan", "Assay gate"]
    legs = {job.matrix["model"]["name"]: job for job in first.jobs if job.id == "model"}
    assert legs["one"].name == "Model one"
    assert legs["one"].step("say").outputs == {"greeting": "hello one"}
    assert legs["two"].step("secret").outputs == {"length": "23"}
    assert sorted(first.summaries()) == ["## one\n", "## two\n"]
    assert {note.message for note in first.annotations} == {"greeted one", "greeted two"}
    assert first.annotations[0].properties == {"file": "model.py", "line": "3"}
    assert f"{pull.base_sha}\n{pull.head_sha}" in first.job("Plan").log

    stored = {artifact.name: artifact for artifact in first.artifacts}
    assert sorted(stored) == ["toy-one-1", "toy-two-1"]
    assert zipfile.ZipFile(stored["toy-one-1"].archive).namelist() == ["one.json"]

    (comment,) = harness.github.comments(pull.number)
    assert comment.author == "github-actions[bot]"
    assert comment.body == f"models: one, two of {pull.merge_sha}"

    consumer.git("checkout", "--quiet", "feature")
    consumer.commit({"feature.txt": "more"}, message="more")
    moved = harness.update_pull_request(pull, "feature")
    second = harness.run("model.yml", harness.pull_request_event(moved, "synchronize"))
    assert second.result == "success"
    (updated,) = harness.github.comments(pull.number)
    assert updated.id == comment.id
    assert updated.body == f"models: one, two of {moved.merge_sha}" != comment.body


def test_one_failed_leg_fails_the_gate_and_names_only_itself(start: Start) -> None:
    harness = start(variables={"FAIL": "two"})
    pull = harness.open_pull_request("feature")
    run = harness.run("model.yml", harness.pull_request_event(pull))

    assert (run.result, run.exit_code) == ("failure", 1)
    results = {job.name: job.result for job in run.jobs}
    assert results == {
        "Plan": "success",
        "Model one": "success",
        "Model two": "failure",
        "Assay gate": "failure",
    }
    assert run.job("Model two").step("break").result == "failure"
    again = harness.run("model.yml", harness.pull_request_event(pull), rerun_of=run)
    assert (again.run_id, again.run_attempt) == (run.run_id, 2)
    assert sorted(artifact.name for artifact in again.artifacts) == ["toy-one-2", "toy-two-2"]


def test_forks_run_with_a_token_that_cannot_write_and_report_through_workflow_run(
    start: Start,
) -> None:
    harness = start(secrets={"TRAINING": "a=long secret value"})
    pull = harness.open_pull_request("feature", fork="stranger/churn")
    run = harness.run("model.yml", harness.pull_request_event(pull))

    assert run.job("Model one").step("secret").outputs == {"length": "0"}
    assert "HTTP Error 403" in run.job("Assay gate").log
    assert harness.github.comments(pull.number) == ()

    event = harness.workflow_run_event(run)
    seen = event.payload["workflow_run"]
    assert seen["pull_requests"] == []
    assert seen["head_repository"]["full_name"] == "stranger/churn"
    assert (seen["head_sha"], seen["conclusion"]) == (pull.head_sha, "failure")
    report = harness.run("report.yml", event)
    assert report.job("Report").step("found").outputs == {"names": "toy-one-1 toy-two-1 "}


def test_the_working_tree_as_it_is_is_what_runs(tmp_path: Path, start: Start) -> None:
    harness = start()
    (harness.source / "model.py").write_text("print('changed, not committed')\n")
    pull = harness.open_pull_request()

    assert pull.head_ref == "working-tree"
    shown = harness.remote.git("show", f"{pull.merge_sha}:model.py")
    assert shown == "print('changed, not committed')"
    _, document = harness.github.call("GET", f"/repos/octo/churn/pulls/{pull.number}/files")
    assert document == [{"filename": "model.py", "status": "modified"}]


def test_timeout_ends_what_act_started_and_says_so(start: Start) -> None:
    harness = start(timeout=3.0)
    run = harness.run("slow.yml", harness.dispatch_event("main"))
    assert (run.result, run.exit_code) == ("timeout", None)
    assert run.seconds < 20


def test_one_call_runs_a_workflow_twice(tmp_path: Path, consumer: Sandbox, toolkit: Path) -> None:
    settings = Settings(
        repository=consumer.root / ".github",
        environ=dict(os.environ),
        toolkit=toolkit,
        scratch=tmp_path / "scratch",
        tool_cache=tmp_path / "tools",
        slug="octo/churn",
    )
    outcome = run_workflow("model", settings, Trigger(head="feature", times=2))
    assert [run.result for run in outcome.runs] == ["success", "success"]
    assert len(outcome.comments) == 1
    assert outcome.last.artifacts[0].archive.is_file()

    with pytest.raises(InputError, match="is not empty"):
        run_workflow("model", settings, Trigger(head="feature"))


@pytest.mark.parametrize(
    ("workflow", "message"),
    [
        ("modle.yml", "Did you mean 'model.yml'"),
        ("../../etc/passwd", "no workflow"),
        ("unknown-action.yml", r"unknown-action.yml:6: there is no stand-in for some/where/deep"),
    ],
)
def test_what_cannot_run_is_refused_by_name(
    start: Start, consumer: Sandbox, workflow: str, message: str
) -> None:
    text = (
        "on: [push]\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - uses: some/where/deep@v1\n"
    )
    consumer.commit({".github/workflows/unknown-action.yml": text}, message="unknown")
    harness = start()
    with pytest.raises(InputError, match=message):
        harness.run(workflow, harness.push_event("main"))


def test_a_pull_request_needs_commits_of_its_own_and_no_conflict(
    start: Start, consumer: Sandbox
) -> None:
    consumer.commit({"feature.txt": "another"}, message="conflict")
    harness = start()
    with pytest.raises(InputError, match="no commits between main and main"):
        harness.open_pull_request("main")
    with pytest.raises(InputError, match=r"conflicts with its base.*feature\.txt"):
        harness.open_pull_request("feature")
    with pytest.raises(InputError, match=r"no branch or commit .nope.+feature, main"):
        harness.open_pull_request("nope")
