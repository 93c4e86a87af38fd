"""What of a fork's run is published: what GitHub vouches for, and nothing that is stale."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.errors import InputError, IntegrityError, OutsideError
from assay.evidence import Outcome
from assay.github.checks import write_check
from assay.github.client import Client
from assay.github.events import WorkflowRun
from assay.github.fork import (
    Pull,
    Stale,
    changed_files,
    check_models,
    check_run,
    choose_pull,
    could_write,
    event_of,
    fetch_evidence,
    file_at,
    find_pull,
    pull_of,
    revision,
)
from support.archives import packed
from support.github_stand_in import Answer, Asked, StandIn, stand_in

HEAD, BASE, OLD = "a" * 40, "b" * 40, "c" * 40
RUN = WorkflowRun(
    id=5,
    attempt=1,
    event="pull_request",
    path=".github/workflows/assay.yml",
    head_sha=HEAD,
    head_branch="better",
    head_repository="stranger/churn",
    repository="octo/churn",
)
FACTS: dict[str, Any] = {
    "number": 7,
    "state": "open",
    "title": "A better model",
    "user": {"login": "stranger"},
    "head": {"sha": HEAD, "ref": "better", "repo": {"full_name": "stranger/churn"}},
    "base": {"sha": BASE, "ref": "main"},
}
PULL = pull_of(FACTS)


def check(run: WorkflowRun) -> None:
    check_run(run, repository="octo/churn", workflow=".github/workflows/assay.yml")


def test_the_run_of_the_named_workflow_is_taken() -> None:
    check(RUN)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"event": "push"}, "started by push"),
        ({"event": "pull_request_target"}, "started by pull_request_target"),
        ({"event": "workflow_dispatch"}, "started by workflow_dispatch"),
        ({"path": ".github/workflows/evil.yml"}, "evil.yml"),
        ({"repository": "stranger/churn"}, "stranger/churn"),
    ],
)
def test_another_run_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        check(replace(RUN, **changes))


@pytest.mark.parametrize(
    ("head", "actor", "wrote"),
    [
        ("octo/churn", "octo", True),
        ("octo/churn", None, True),
        ("octo/churn", "dependabot[bot]", False),
        ("stranger/churn", "stranger", False),
        ("stranger/churn", "dependabot[bot]", False),
    ],
)
def test_a_run_that_could_write_wrote_for_itself(head: str, actor: str | None, wrote: bool) -> None:
    run = replace(RUN, head_repository=head, actor=actor)
    assert could_write(run, repository="octo/churn") == wrote


def test_the_pull_request_is_found_by_its_head() -> None:
    other = replace(PULL, number=8, head_ref="worse")
    namesake = replace(PULL, number=9, head_repository="octo/churn")
    gone = replace(PULL, number=10, head_repository=None)
    assert choose_pull([other, namesake, gone, PULL], RUN) == PULL


@pytest.mark.parametrize(
    ("pulls", "words"),
    [
        ([], "no open pull request"),
        ([replace(PULL, head_repository="octo/churn")], "no open pull request"),
        ([replace(PULL, head_sha=OLD)], "has moved on from aaaaaaaaaaaa to cccccccccccc"),
    ],
)
def test_a_stale_run_is_refused(pulls: list[Pull], words: str) -> None:
    with pytest.raises(Stale, match=words):
        choose_pull(pulls, RUN)


def test_two_pull_requests_of_one_head_are_refused() -> None:
    with pytest.raises(IntegrityError, match="#7, #8"):
        choose_pull([PULL, replace(PULL, number=8, base_ref="release")], RUN)


@pytest.mark.parametrize(
    "facts",
    [
        {},
        FACTS | {"number": "7"},
        FACTS | {"head": {"sha": "main", "ref": "better"}},
        FACTS | {"base": None},
    ],
)
def test_a_malformed_pull_request_is_an_input_error(facts: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="GitHub's list of pull requests"):
        pull_of(facts)


def test_the_event_is_githubs_word() -> None:
    event = event_of(PULL, RUN, repository="octo/churn")
    assert (event.number, event.head_sha, event.base_branch) == (7, HEAD, "main")
    assert event.head_repository == "stranger/churn"
    assert event.run_id == 5


def test_models_that_nobody_named_are_refused() -> None:
    check_models(["plan.json", "churn/data.json"], ["churn", "other"])
    with pytest.raises(IntegrityError, match="'evil'"):
        check_models(["evil/data.json"], ["churn"])


ARTIFACT = {
    "id": 3,
    "name": f"assay-gate-{'d' * 40}",
    "expired": False,
    "created_at": "2026-11-20T09:00:00Z",
}


def respond(asked: Asked) -> Answer:
    path = asked.path.removeprefix("/repos/octo/churn/")
    if path == "pulls":
        assert asked.query["head"] == "stranger:better"
        return Answer(document=[FACTS])
    if path == "pulls/7/files":
        return Answer(
            document=[
                {"filename": "train.py"},
                {"filename": "new.py", "previous_filename": "old.py"},
            ]
        )
    if path == "actions/runs/5/artifacts":
        older = ARTIFACT | {"id": 2, "created_at": "2026-11-19T09:00:00Z"}
        return Answer(document={"artifacts": [older, ARTIFACT, {"id": 1, "name": "logs"}]})
    if path == "actions/artifacts/3/zip":
        return Answer(raw=packed(("plan.json", b"{}"), ("report.md", b"forged")))
    if path == f"git/commits/{HEAD}":
        return Answer(document={"tree": {"sha": "e" * 40}})
    if path == "contents/a%20b/assay.yaml":
        content = base64.encodebytes(b"version: 1\n").decode()
        return Answer(document={"encoding": "base64", "content": content})
    if path == "contents/folder":
        return Answer(document=[])
    if path == "contents/binary":
        return Answer(document={"encoding": "base64", "content": "/w=="})
    if path == "check-runs":
        return Answer(status=201, document={"id": 1, "html_url": "https://x.example/1"})
    return Answer(status=404, document={"message": "Not Found"})


def client_of(server: StandIn) -> Client:
    return Client(repository="octo/churn", token="t" * 20, api_url=server.url, tries=0)


def test_github_is_asked_for_everything(tmp_path: Path) -> None:
    with stand_in(respond) as server:
        client = client_of(server)
        assert find_pull(client, RUN) == PULL
        assert changed_files(client, 7) == ("new.py", "old.py", "train.py")
        assert revision(client, HEAD).tree == "e" * 40
        assert file_at(client, "a b/assay.yaml", HEAD) == "version: 1\n"
        assert file_at(client, "missing.yaml", HEAD) is None
        fetched = fetch_evidence(client, RUN, tmp_path)
        assert fetched.files == ("plan.json",)
        assert fetched.artifact == ARTIFACT["name"]
    assert not (tmp_path / "report.md").exists()


def test_a_list_of_files_that_is_cut_hides_no_model() -> None:
    def endless(asked: Asked) -> Answer:
        page = int(asked.query["page"])
        size = 100 if page <= 30 else 0
        return Answer(document=[{"filename": f"docs/{page}/{i}"} for i in range(size)])

    with stand_in(endless) as server, pytest.raises(OutsideError, match="3,000 files"):
        changed_files(client_of(server), 7)


@pytest.mark.parametrize("path", ["folder", "binary"])
def test_a_configuration_that_cannot_be_read(path: str) -> None:
    with stand_in(respond) as server, pytest.raises(InputError, match=path):
        file_at(client_of(server), path, HEAD)


def test_a_run_without_evidence(tmp_path: Path) -> None:
    with (
        stand_in(lambda _: Answer(document={"artifacts": []})) as server,
        pytest.raises(OutsideError, match="left no evidence"),
    ):
        fetch_evidence(client_of(server), RUN, tmp_path)


@pytest.mark.parametrize(
    ("outcome", "conclusion"),
    [(Outcome.PASS, "success"), (Outcome.WARN, "neutral"), (Outcome.FAIL, "failure")],
)
def test_a_check_run_concludes_as_the_verdict(outcome: Outcome, conclusion: str) -> None:
    with stand_in(respond) as server:
        url = write_check(
            client_of(server),
            name="Assay",
            head_sha=HEAD,
            outcome=outcome,
            sentence="x" * 300,
            summary="é\n" * 60_000,
        )
    sent = server.asked[0].body
    assert url == "https://x.example/1"
    assert sent["conclusion"] == conclusion
    assert len(sent["output"]["summary"].encode()) <= 65_535
    assert len(sent["output"]["title"]) <= 255
