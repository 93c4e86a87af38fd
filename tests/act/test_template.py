"""The template repository, with its real training, through the shipped workflows."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.act.harness import Harness
from assay.act.site import Settings
from demo.consumer import Consumer, build, commit_all, git
from demo.scenarios import SCENARIOS, use_history

from .gating import ROOT, WORKFLOW, assay, document, evidence, gate_job, models

pytestmark = [pytest.mark.act, pytest.mark.timeout(1200)]

NEEDED = ("worse-model", "looser-margin", "hostile")


@pytest.fixture(scope="module")
def consumer(tmp_path_factory: pytest.TempPathFactory) -> Consumer:
    """The template with a DVC remote and a trained base."""
    chosen = [scenario for scenario in SCENARIOS if scenario.name in NEEDED]
    folder = tmp_path_factory.mktemp("template") / "consumer"
    uv = str(ROOT / "toolkit" / "bin" / "uv")
    return build(folder, ROOT / "template-repo", scenarios=chosen, uv=uv)


@pytest.fixture(scope="module")
def harness(consumer: Consumer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    settings = Settings(
        repository=consumer.main,
        environ=dict(os.environ),
        scratch=tmp_path_factory.mktemp("template-act"),
        slug="octo/doctor-visit",
    )
    with Harness(settings) as entered:
        yield entered


def scenario(name: str) -> tuple[str, str]:
    """Return a scenario's branch and title."""
    (found,) = [one for one in SCENARIOS if one.name == name]
    return found.branch, found.title


def test_a_pull_request_gets_worse_and_better_in_one_comment(
    consumer: Consumer, harness: Harness, tmp_path: Path
) -> None:
    branch, title = scenario("worse-model")
    pull = harness.open_pull_request(branch, title=title)
    first = harness.run(WORKFLOW, harness.pull_request_event(pull))
    assert gate_job(first).result == "failure"
    (posted,) = harness.github.comments(pull.number)
    # Both gates fail; the sentence names the one that is least likely chance.
    worse = r"### Assay: fail\n\n\*\*(Accuracy|ROC AUC) is worse: 0\.\d+ to 0\.\d+"
    assert re.match(worse, posted.body)
    assert "dvc.lock" in posted.body
    assert document(first, "doctor-visit/base/training.json")["source"] == "dvc-outputs"
    replayed = assay("verify", "--replay", str(evidence(first, tmp_path)), cwd=tmp_path)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr

    git(consumer.main, "switch", "--quiet", branch)
    git(consumer.main, "revert", "--no-edit", "HEAD")
    use_history(consumer.main)
    commit_all(consumer.main, "Use the visits of earlier years instead")
    git(consumer.main, "switch", "--quiet", "main")
    moved = harness.update_pull_request(pull, branch)
    second = harness.run(WORKFLOW, harness.pull_request_event(moved, "synchronize"))
    assert gate_job(second).result == "success", gate_job(second).log
    (updated,) = harness.github.comments(pull.number)
    assert updated.id == posted.id
    assert re.match(r"### Assay: pass\n\n\*\*Accuracy is better: 0\.\d+ to 0\.\d+", updated.body)
    assert pull.head_sha[:7] in updated.body.partition("Earlier verdicts")[2]


def test_a_looser_margin_of_its_own_does_not_count(harness: Harness) -> None:
    branch, title = scenario("looser-margin")
    pull = harness.open_pull_request(branch, title=title)
    run = harness.run(WORKFLOW, harness.pull_request_event(pull))
    assert gate_job(run).result == "failure"
    (comment,) = harness.github.comments(pull.number)
    assert comment.body.startswith("### Assay: fail\n")
    assert "The rules are those of the base's `assay.yaml`" in comment.body
    assert "gates.accuracy.margin: 0.01 → 0.2" in comment.body
    (proposed,) = document(run, "verdict.json")["proposed"].values()
    assert proposed["state"] == "warn"
    assert "the new ones would say **pass with warnings**" in comment.body


def test_a_hostile_branch_title_and_file_are_only_shown(harness: Harness) -> None:
    branch, title = scenario("hostile")
    pull = harness.open_pull_request(branch, title=title)
    run = harness.run(WORKFLOW, harness.pull_request_event(pull))
    assert gate_job(run).result == "success", gate_job(run).log
    assert models(run)["doctor-visit"].result == "success"
    (comment,) = harness.github.comments(pull.number)
    assert comment.body.startswith("### Assay: pass\n")
    assert "identical" in comment.body
    assert not [note for note in run.annotations if "owned" in note.message]
