"""After the merge: evidence is carried over by git tree, or the gate runs again."""

from __future__ import annotations

from typing import Any

import pytest

from assay.act.result import RunResult

from .conftest import StartGated
from .gating import BETTER, WORKFLOW, WORSE, Gated, document, gate_job, models

pytestmark = [pytest.mark.act, pytest.mark.timeout(900)]

CARRIED = "This tree was judged already"


def pushed(gated: Gated, before: str) -> RunResult:
    """Run what a push to main starts."""
    return gated.harness.run(WORKFLOW, gated.harness.push_event("main", before=before))


def base_source(run: RunResult) -> Any:
    """Say where the base's predictions came from."""
    return document(run, "toy/base/training.json")["source"]


def test_a_squash_merge_carries_its_evidence_over_and_is_then_a_base(
    start_gated: StartGated,
) -> None:
    gated = start_gated()
    pull = gated.propose("change", {"skill.txt": BETTER})
    judged = gated.gate(pull)
    assert gate_job(judged).result == "success", gate_job(judged).log
    assert base_source(judged) == "rerun"
    gated.harness.merge_pull_request(pull, squash=True)

    after = pushed(gated, pull.base_sha)
    assert gate_job(after).result == "success", gate_job(after).log
    assert models(after) == {}
    assert CARRIED in gate_job(after).log
    assert f"actions/runs/{judged.run_id}" in gate_job(after).log
    assert document(after, "verdict.json") == document(judged, "verdict.json")
    assert document(after, "toy/comparison.json") == document(judged, "toy/comparison.json")
    assert len(gated.harness.github.comments(pull.number)) == 1

    by_hand = gated.harness.run(WORKFLOW, gated.harness.dispatch_event("main"))
    assert gate_job(by_hand).result == "success", gate_job(by_hand).log
    assert (models(by_hand), CARRIED in gate_job(by_hand).log) == ({}, True)

    gated.consumer.git("pull", "--quiet", "--ff-only", str(gated.harness.remote.path), "main")
    following = gated.propose("next", {"skill.txt": "840\n"})
    compared = gated.gate(following)
    assert base_source(compared) == "earlier-evidence"


def test_a_forks_merge_is_gated_again_and_a_merge_group_only_summarised(
    start_gated: StartGated,
) -> None:
    gated = start_gated()
    pull = gated.propose("change", {"skill.txt": WORSE}, fork="stranger/toy")
    gated.gate(pull)
    gated.harness.merge_pull_request(pull)
    again = pushed(gated, pull.base_sha)
    assert set(models(again)) == {"toy"}
    assert gate_job(again).result == "failure"
    assert CARRIED not in gate_job(again).log
    assert document(again, "plan.json")["event"]["name"] == "push"

    queued = gated.propose("queued", {"skill.txt": BETTER})
    group = gated.harness.run(WORKFLOW, gated.harness.merge_group_event(queued))
    assert gate_job(group).result == "success", gate_job(group).log
    (summary,) = group.summaries()
    assert "Accuracy is better" in summary
    assert gated.harness.github.comments(queued.number) == ()
