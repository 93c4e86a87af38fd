"""The local GitHub through its real clients: PyGithub, and CML where it is on PATH."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import github
import pytest
import requests

from assay.act.harness import Harness

from .conftest import Start

pytestmark = pytest.mark.act

CML_MISSING = "the cml program is not on PATH: CML's own publisher was not driven"


@pytest.fixture
def harness(start: Start) -> Harness:
    return start(people=("zoe",))


@pytest.mark.skipif(shutil.which("cml") is None, reason=CML_MISSING)
def test_cml_creates_one_comment_and_then_updates_it(harness: Harness) -> None:
    pull = harness.open_pull_request("feature")
    api = harness.github
    report = harness.scratch / "report.md"
    command = ["cml", "comment", "update", "--publish=false", "--driver", "github"]
    command += ["--repo", f"{api.server_url}/{harness.slug}", "--target", f"pr/{pull.number}"]
    command += ["--watermark-title=assay", str(report)]
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(harness.scratch / "home"),
        "NODE_EXTRA_CA_CERTS": harness.env["NODE_EXTRA_CA_CERTS"],
        "GITHUB_SERVER_URL": api.server_url,
        "GITHUB_REPOSITORY": harness.slug,
        "GITHUB_SHA": pull.merge_sha,
        "GITHUB_ACTIONS": "true",
        "CI": "true",
        "REPO_TOKEN": api.job_token,
        "ITERATIVE_DO_NOT_TRACK": "1",
    }
    for text in ("first", "second"):
        report.write_text(f"# {text}\n")
        done = subprocess.run(
            command, env=env, cwd=harness.source, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    (comment,) = api.comments(pull.number)
    assert comment.author == "github-actions[bot]"
    assert comment.body.startswith("# second\n")
    assert f'#{pull.merge_sha} "CML watermark assay")' in comment.body


@pytest.mark.parametrize("secure", [False, True])
def test_pygithub_works_over_http_and_over_tls(harness: Harness, secure: bool) -> None:
    pull = harness.open_pull_request("feature")
    api = harness.github
    client = github.Github(
        base_url=f"{api.server_url}/api/v3" if secure else api.api_url,
        auth=github.Auth.Token(api.job_token),
        verify=str(api.certificate.ca),
        seconds_between_requests=0,
        seconds_between_writes=0,
    )
    repository = client.get_repo(harness.slug)
    found = repository.get_pull(pull.number)
    assert (found.head.sha, found.base.sha) == (pull.head_sha, pull.base_sha)
    assert found.merge_commit_sha == pull.merge_sha
    for number in range(35):
        found.create_issue_comment(f"comment {number}")
    assert [c.body for c in found.get_issue_comments()][-1] == "comment 34"
    first = found.get_issue_comments()[0]
    first.edit("edited")
    assert (first.user.login, first.user.type) == ("github-actions[bot]", "Bot")
    assert api.comments(pull.number)[0].body == "edited"
    content = repository.get_contents("model.py", ref=pull.base_sha)
    assert content.decoded_content == b'print("model")\n'
    commit = repository.get_git_commit(pull.merge_sha)
    assert [parent.sha for parent in commit.parents] == [pull.base_sha, pull.head_sha]
    run = repository.create_check_run("gate", pull.head_sha, status="in_progress")
    run.edit(status="completed", conclusion="success")
    _, checks = api.call("GET", f"/repos/{harness.slug}/commits/{pull.head_sha}/check-runs")
    assert [check["conclusion"] for check in checks["check_runs"]] == ["success"]


def test_tokens_may_do_what_they_may_on_github(harness: Harness) -> None:
    api = harness.github
    pull = harness.open_pull_request("feature", fork="stranger/churn")
    path = f"/repos/{harness.slug}/issues/{pull.number}/comments"
    assert api.call("POST", path, {"body": "x"}, token=api.read_only_token)[0] == 403
    assert api.call("GET", path, token=api.read_only_token)[0] == 200
    assert api.call("GET", "/user", token=api.job_token)[0] == 403
    assert api.call("GET", "/user", token="nobody's")[0] == 401
    assert api.call("GET", "/user", token=api.token_of("zoe"))[1]["login"] == "zoe"
    status, refusal = api.call("POST", path, {"body": "x" * 65_537}, token=api.job_token)
    assert status == 422
    assert "too long" in refusal["errors"][0]["message"]
    api.records.permissions["zoe"] = "write"
    roles = f"/repos/{harness.slug}/collaborators"
    assert api.call("GET", f"{roles}/zoe/permission")[1]["permission"] == "write"
    assert api.call("GET", f"{roles}/stranger/permission")[1]["permission"] == "read"


def test_labels_leave_who_and_when_in_the_timeline(harness: Harness) -> None:
    api = harness.github
    pull = harness.open_pull_request("feature")
    api.add_label(pull.number, "assay: accept", login="zoe")
    root = f"/repos/{harness.slug}/issues/{pull.number}"
    (event,) = api.call("GET", f"{root}/timeline")[1]
    assert (event["event"], event["label"]["name"]) == ("labeled", "assay: accept")
    assert event["actor"]["login"] == "zoe"
    assert event["created_at"].endswith("Z")
    payload = harness.pull_request_event(pull, "labeled").payload
    assert payload["pull_request"]["labels"] == [{"name": "assay: accept"}]
    api.demand("DELETE", f"{root}/labels/assay:%20accept")
    assert [e["event"] for e in api.call("GET", f"{root}/timeline")[1]] == ["labeled", "unlabeled"]


def test_pull_requests_are_found_by_head_repository_and_branch(harness: Harness) -> None:
    api = harness.github
    own = harness.open_pull_request("feature")
    fork = harness.open_pull_request("feature", fork="stranger/churn")
    root = f"/repos/{harness.slug}/pulls"

    def numbers(query: str) -> list[int]:
        return [pull["number"] for pull in api.call("GET", f"{root}?{query}")[1]]

    assert numbers("head=octo:feature") == [own.number]
    assert numbers("head=stranger:feature") == [fork.number]
    assert numbers("state=all") == [own.number, fork.number]
    assert numbers("base=other") == []
    api.demand("PATCH", f"{root}/{own.number}", {"state": "closed"})
    assert numbers("head=octo:feature") == []
    assert numbers("head=octo:feature&state=closed") == [own.number]
    _, compared = api.call("GET", f"/repos/{harness.slug}/compare/main...feature")
    assert (compared["status"], compared["ahead_by"], compared["behind_by"]) == ("diverged", 1, 1)


def test_artifacts_bytes_come_from_a_storage_that_wants_no_token(harness: Harness) -> None:
    folder = harness.store / "artifacts" / "7001" / "1"
    folder.mkdir(parents=True)
    (folder / "4.zip").write_bytes(b"bytes")
    facts = {"id": 4, "name": "evidence", "digest": "sha256:x", "size_in_bytes": 5, "run_id": 7001}
    more = {"created_at": "2026-01-02T03:04:05Z", "run_attempt": 1, "head_sha": "a" * 40}
    (folder / "4.json").write_text(json.dumps({**facts, **more}))
    api = harness.github
    listed = api.demand("GET", f"/repos/{harness.slug}/actions/artifacts?name=evidence")
    (artifact,) = listed["artifacts"]
    headers = {"Authorization": f"Bearer {api.job_token}"}
    found = requests.get(artifact["archive_download_url"], headers=headers, timeout=10)
    assert found.content == b"bytes"
    (sent_on,) = found.history
    assert sent_on.status_code == 302
    storage = sent_on.headers["Location"]
    assert requests.get(storage, headers=headers, timeout=10).status_code == 400


@pytest.mark.parametrize(("squash", "parents"), [(False, 2), (True, 1)])
def test_a_merge_moves_the_base_and_keeps_the_tree_that_was_judged(
    harness: Harness, squash: bool, parents: int
) -> None:
    pull = harness.open_pull_request("feature")
    commit = harness.merge_pull_request(pull, squash=squash)
    event = harness.push_event("main", before=pull.base_sha)
    assert (event.sha, event.payload["before"]) == (commit, pull.base_sha)
    tree = harness.remote.git("rev-parse", f"{pull.merge_sha}^{{tree}}")
    _, found = harness.github.call("GET", f"/repos/{harness.slug}/git/commits/{commit}")
    assert found["tree"]["sha"] == tree
    assert len(found["parents"]) == parents
    _, shown = harness.github.call("GET", f"/repos/{harness.slug}/pulls/{pull.number}")
    assert shown["state"] == "closed"
