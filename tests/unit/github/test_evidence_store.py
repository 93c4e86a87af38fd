"""Earlier evidence counts by its tree, and only where this repository's own code made it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from assay.github.client import Client
from assay.github.evidence_store import (
    Found,
    artifact_name,
    fetch_earlier,
    find_earlier,
    is_evidence,
    tree_of_commit,
    why_not_trusted,
)
from support.archives import packed
from support.github_stand_in import Answer, Asked, Respond, stand_in

TREE = "c" * 40
RUN: dict[str, Any] = {
    "id": 5,
    "event": "pull_request",
    "head_branch": "better",
    "head_sha": "a" * 40,
    "head_repository": {"full_name": "octo/churn"},
    "html_url": "https://github.example/runs/5",
}


@pytest.mark.parametrize(
    ("changes", "trusted"),
    [
        ({}, True),
        ({"event": "push", "head_branch": "main"}, True),
        ({"event": "workflow_dispatch", "head_branch": "main"}, True),
        ({"event": "merge_group"}, True),
        ({"event": "push", "head_branch": "better"}, False),
        ({"event": "workflow_dispatch", "head_branch": "better"}, False),
        ({"head_repository": {"full_name": "stranger/churn"}}, False),
        ({"head_repository": None}, False),
        ({"event": "pull_request_target"}, False),
        ({"event": "workflow_run"}, False),
        ({"event": "issue_comment"}, False),
        ({"event": None}, False),
    ],
)
def test_who_is_trusted(changes: dict[str, Any], trusted: bool) -> None:
    reason = why_not_trusted(
        RUN | changes, repository="octo/churn", base_branch="main", proposals=True
    )
    assert (reason is None) == trusted


@pytest.mark.parametrize("event", ["pull_request", "merge_group"])
def test_a_proposal_is_nothing_to_compare_with(event: str) -> None:
    reason = why_not_trusted(
        RUN | {"event": event}, repository="octo/churn", base_branch="main", proposals=False
    )
    assert reason == "what it ran was not merged yet"


def artifact(number: int = 9, **changes: Any) -> dict[str, Any]:
    made = {
        "id": number,
        "name": artifact_name(TREE),
        "expired": False,
        "created_at": f"2026-11-20T09:0{number}:00Z",
        "workflow_run": {"id": 5},
    }
    return made | changes


def responding(artifacts: list[dict[str, Any]], runs: dict[int, dict[str, Any]]) -> Respond:
    def respond(asked: Asked) -> Answer:
        if asked.path.endswith("/actions/artifacts"):
            return Answer(document={"artifacts": artifacts})
        if asked.path.endswith("/zip"):
            data = packed(("churn/training.json", b"{}"), ("report.md", b"x"))
            return Answer(raw=data, headers={"Content-Type": "application/zip"})
        if "/git/commits/" in asked.path:
            tree = TREE if asked.path.endswith("a" * 40) else "e" * 40
            return Answer(document={"tree": {"sha": tree}})
        number = int(asked.path.rsplit("/", 1)[1])
        if number not in runs:
            return Answer(status=404, document={"message": "Not Found"})
        return Answer(document=runs[number])

    return respond


def find(artifacts: list[dict[str, Any]], runs: dict[int, dict[str, Any]]) -> Found:
    with stand_in(responding(artifacts, runs)) as server:
        client = Client(repository="octo/churn", token="t" * 20, api_url=server.url, tries=0)
        found = find_earlier(
            client,
            TREE,
            base_branch="main",
            proposals=True,
            tree_of=partial(tree_of_commit, client),
        )
        assert server.asked[0].query["name"] == f"assay-gate-{TREE}"
    return found


def test_the_newest_trusted_artifact_is_found() -> None:
    found = find([artifact(1), artifact(3), artifact(2)], {5: RUN})
    assert found.earlier is not None
    assert found.earlier.artifact == 3
    assert found.earlier.event == "pull_request"


@pytest.mark.parametrize(
    ("artifacts", "runs", "words"),
    [
        ([], {}, "no earlier run"),
        ([artifact(expired=True)], {5: RUN}, "expired"),
        ([artifact(name="assay-gate-other")], {5: RUN}, "expired"),
        ([artifact()], {}, "its run is gone"),
        ([artifact(workflow_run=None)], {5: RUN}, "its run is gone"),
        (
            [artifact()],
            {5: RUN | {"head_repository": {"full_name": "stranger/churn"}}},
            "stranger/churn",
        ),
    ],
)
def test_what_does_not_count_says_why(
    artifacts: list[dict[str, Any]], runs: dict[int, dict[str, Any]], words: str
) -> None:
    found = find(artifacts, runs)
    assert found.earlier is None
    assert words in found.reason


def test_a_forged_artifact_does_not_hide_a_trusted_one() -> None:
    forged = artifact(4, workflow_run={"id": 6})
    runs = {5: RUN, 6: RUN | {"head_repository": {"full_name": "stranger/churn"}}}
    found = find([forged, artifact(2)], runs)
    assert found.earlier is not None
    assert found.earlier.artifact == 2


@pytest.mark.parametrize("event", ["push", "workflow_dispatch", "pull_request", "merge_group"])
@pytest.mark.parametrize("commit", ["b" * 40, "main", None])
def test_a_run_of_another_tree_counts_for_none(event: str, commit: str | None) -> None:
    # A tag called main: GitHub shows its name as the run's branch, whatever it points to.
    run = RUN | {"event": event, "head_branch": "main", "head_sha": commit}
    found = find([artifact(4, workflow_run={"id": 6}), artifact(2)], {5: RUN, 6: run})
    assert found.earlier is not None
    assert found.earlier.artifact == 2
    found = find([artifact()], {5: run})
    assert found.earlier is None
    assert "another tree" in found.reason


def test_it_is_unpacked_without_what_is_no_evidence(tmp_path: Path) -> None:
    with stand_in(responding([artifact()], {5: RUN})) as server:
        client = Client(repository="octo/churn", token="t" * 20, api_url=server.url, tries=0)
        found = find_earlier(client, TREE, base_branch="main", proposals=True)
        assert found.earlier is not None
        assert fetch_earlier(client, found.earlier, tmp_path) == ("churn/training.json",)
    assert not (tmp_path / "report.md").exists()


def test_a_tree_that_is_none_asks_nothing() -> None:
    client = Client(repository="octo/churn", token="t", api_url="http://127.0.0.1:1", tries=0)
    assert find_earlier(client, "main", base_branch="main").earlier is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("plan.json", True),
        ("churn/base/training.json", True),
        ("churn/predictions.csv", True),
        ("churn/base/predictions.jsonl", True),
        ("churn/report.md", False),
        ("churn/x/training.json", False),
        ("Churn/training.json", False),
        ("predictions.sh", False),
        ("churn/training.json\n", False),
    ],
)
def test_what_evidence_is(path: str, expected: bool) -> None:
    assert is_evidence(path) == expected
