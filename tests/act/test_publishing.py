"""The publishers, the acceptance by label and a fork's report, on the local GitHub."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from assay.act.events import PullRequest
from assay.act.harness import Harness
from assay.cli.publish_report import plan_of
from assay.config import Override as AcceptRule
from assay.config import Publisher
from assay.errors import IntegrityError, OutsideError
from assay.evidence import Prediction
from assay.gate.forked import Wanted, publish_report
from assay.github.client import Client
from assay.github.comment import Comments
from assay.github.events import WorkflowRun
from assay.github.evidence_store import artifact_name, fetch_earlier, find_earlier
from assay.github.override import find_override
from assay.github.publish import Destination, Published, publish
from assay.github.settings import Settings
from assay.report.markdown import render
from support.archives import packed
from support.reports import MODEL
from support.repositories import Sandbox
from support.reviewed import SITUATIONS, passing

from .conftest import Start

pytestmark = pytest.mark.act

CONFIG = f"""\
version: 1
models:
  {MODEL}:
    predictions: predictions.parquet
    gates:
      accuracy: {{margin: 0.01}}
      roc_auc: {{margin: 0.01}}
"""
CML_MISSING = "the cml program is not on PATH: CML's own publisher was not driven"


@pytest.fixture
def harness(start: Start, consumer: Sandbox) -> Harness:
    consumer.commit({"assay.yaml": CONFIG}, message="judge")
    consumer.git("checkout", "--quiet", "-b", "looser")
    consumer.commit({"assay.yaml": CONFIG.replace("0.01", "0.2")}, message="looser")
    consumer.git("checkout", "--quiet", "main")
    return start(people=("zoe",))


def client_of(harness: Harness, token: str = "") -> Client:
    api = harness.github
    return Client(
        repository=harness.slug,
        token=token or api.job_token,
        api_url=api.api_url,
        backoff=0.01,
        tries=1,
    )


def say(harness: Harness, pull: PullRequest, text: str, publisher: Publisher) -> Published:
    api = harness.github
    destination = Destination(
        number=pull.number,
        title="assay",
        commit=pull.head_sha,
        server_url=api.server_url,
        token=api.job_token,
        environ={
            "PATH": os.environ["PATH"],
            "NODE_EXTRA_CA_CERTS": harness.env["NODE_EXTRA_CA_CERTS"],
            "GITHUB_SERVER_URL": api.server_url,
            "GITHUB_REPOSITORY": harness.slug,
            "GITHUB_SHA": pull.merge_sha,
            "CI": "true",
        },
    )
    return publish(text, destination, client=client_of(harness), publisher=publisher)


def test_the_report_is_posted_and_then_updated(harness: Harness) -> None:
    pull = harness.open_pull_request("feature")
    for name in SITUATIONS:
        say(harness, pull, render(SITUATIONS[name]()), Publisher.GITHUB)
    (comment,) = harness.github.comments(pull.number)
    assert comment.author == "github-actions[bot]"
    assert comment.body.startswith("### Assay: fail")


def test_a_read_only_token_is_refused_with_the_permission_it_lacks(harness: Harness) -> None:
    pull = harness.open_pull_request("feature")
    comments = Comments(client_of(harness, harness.github.read_only_token), pull.number)
    with pytest.raises(OutsideError, match="pull-requests: write"):
        comments.publish("x", title="assay", commit=pull.head_sha)


@pytest.mark.skipif(shutil.which("cml") is None, reason=CML_MISSING)
def test_cml_and_assay_take_over_each_others_comment(harness: Harness) -> None:
    pull = harness.open_pull_request("feature")
    chosen = [Publisher.CML, Publisher.CML, Publisher.GITHUB, Publisher.CML]
    for number, publisher in enumerate(chosen):
        done = say(harness, pull, f"report {number}", publisher)
        assert done.by is publisher, done.notes
        (comment,) = harness.github.comments(pull.number)
        assert comment.body.startswith(f"report {number}\n")
        assert done.url


@pytest.mark.skipif(shutil.which("cml") is None, reason=CML_MISSING)
def test_cml_is_kept_from_a_strangers_comment(harness: Harness) -> None:
    pull = harness.open_pull_request("feature")
    api = harness.github
    forged = 'x\n\n![](https://cml.dev/watermark.png#ab "CML watermark assay")'
    path = f"/repos/{harness.slug}/issues/{pull.number}/comments"
    api.demand("POST", path, {"body": forged}, token=api.token_of("zoe"))
    done = say(harness, pull, "report", Publisher.CML)
    assert done.by is Publisher.GITHUB
    assert "zoe" in done.notes[0]
    bodies = {comment.author: comment.body for comment in api.comments(pull.number)}
    assert bodies["zoe"] == forged
    assert bodies["github-actions[bot]"].startswith("report\n")


@pytest.mark.parametrize(("role", "accepted"), [("write", True), ("read", False)])
def test_a_label_accepts_by_whoever_may(harness: Harness, role: str, accepted: bool) -> None:
    pull = harness.open_pull_request("feature")
    api = harness.github
    api.records.permissions["zoe"] = role
    api.add_label(pull.number, "accept", login="zoe")
    decision = find_override(
        client_of(harness),
        number=pull.number,
        head_sha=pull.head_sha,
        rule=AcceptRule(label="accept"),
        event_time="2020-01-01T00:00:00Z",
    )
    assert (decision.override is not None) == accepted
    assert "zoe" in decision.reason


def evidence_files() -> list[tuple[str, bytes]]:
    report = passing()
    model = report.models[0]
    prefix = f"{MODEL}/"
    predictions = b"predictions that nobody parses"
    files: list[tuple[str, bytes]] = [("plan.json", report.plan.to_json().encode())]
    files.append(("verdict.json", report.verdict.to_json().encode()))
    for document in (model.tests, model.data, model.comparison):
        assert document is not None
        files.append((prefix + document.FILE, document.to_json().encode()))
    for folder, side in ((prefix, model.head), (f"{prefix}base/", model.base)):
        assert side is not None
        kept = side.model_copy(update={"predictions": _prediction(predictions)})
        files.append((folder + side.FILE, kept.to_json().encode()))
        files.append((f"{folder}predictions.parquet", predictions))
    return files


def _prediction(content: bytes) -> Prediction:
    digest = hashlib.sha256(content).hexdigest()
    return Prediction(file="predictions.parquet", sha256=digest, bytes=len(content))


def store(harness: Harness, run: int, name: str, archive: bytes) -> None:
    folder = harness.store / "artifacts" / str(run) / "1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "4.zip").write_bytes(archive)
    facts = {"id": 4, "name": name, "digest": "sha256:x", "size_in_bytes": 5, "run_id": run}
    more = {"created_at": "2026-01-02T03:04:05Z", "run_attempt": 1, "head_sha": "a" * 40}
    (folder / "4.json").write_text(json.dumps({**facts, **more}))


def forked(harness: Harness, pull: PullRequest) -> Settings:
    api = harness.github
    run = WorkflowRun(
        id=7001,
        attempt=1,
        event="pull_request",
        path=".github/workflows/assay.yml",
        head_sha=pull.head_sha,
        head_branch=pull.head_ref,
        head_repository=pull.head_repository,
        repository=harness.slug,
    )
    event = passing().plan.event.model_copy(
        update={"name": "workflow_run", "repository": harness.slug, "number": None}
    )
    return Settings(
        in_actions=True,
        event=event,
        triggering=run,
        token=api.job_token,
        api_url=api.api_url,
        server_url=api.server_url,
    )


def run_publish(settings: Settings, said: list[str]) -> Published | None:
    wanted = Wanted(config="assay.yaml", workflow=".github/workflows/assay.yml", publisher="github")
    return publish_report(settings, wanted, make_plan=plan_of, say=said.append)


def test_a_forks_numbers_are_published_by_the_bases_rules(harness: Harness) -> None:
    pull = harness.open_pull_request("looser", fork="stranger/churn")
    store(harness, 7001, artifact_name("d" * 40), packed(*evidence_files()))
    said: list[str] = []
    run_publish(forked(harness, pull), said)
    (comment,) = harness.github.comments(pull.number)
    assert comment.author == "github-actions[bot]"
    assert "computed by the code of `stranger/churn`" in comment.body
    assert "models.doctor" not in comment.body
    assert "gates.accuracy.margin: 0.01 → 0.2" in comment.body
    assert "The rules are those of the base's `assay.yaml`" in comment.body
    assert "`looser` at " in comment.body


def test_a_forks_run_of_an_older_head_is_left_alone(harness: Harness) -> None:
    pull = harness.open_pull_request("looser", fork="stranger/churn")
    store(harness, 7001, artifact_name("d" * 40), packed(*evidence_files()))
    settings = forked(harness, pull)
    assert settings.triggering is not None
    older = replace(settings, triggering=replace(settings.triggering, head_sha="f" * 40))
    said: list[str] = []
    assert run_publish(older, said) is None
    assert "has moved on" in said[0]
    assert harness.github.comments(pull.number) == ()


@pytest.mark.parametrize("forgery", ["altered", "another model", "no schema", "path"])
def test_a_forged_artifact_is_refused(harness: Harness, forgery: str) -> None:
    pull = harness.open_pull_request("looser", fork="stranger/churn")
    files = dict(evidence_files())
    if forgery == "altered":
        files[f"{MODEL}/predictions.parquet"] = b"other predictions"
    elif forgery == "another model":
        files["evil/data.json"] = files[f"{MODEL}/data.json"]
    elif forgery == "no schema":
        files[f"{MODEL}/comparison.json"] = b'{"schema": "assay/comparison/1", "evil": 1}'
    else:
        files["../../plan.json"] = b"{}"
    store(harness, 7001, artifact_name("d" * 40), packed(*files.items()))
    with pytest.raises(IntegrityError):
        run_publish(forked(harness, pull), [])
    assert harness.github.comments(pull.number) == ()


def test_earlier_evidence_is_found_by_tree_and_unpacked(harness: Harness, tmp_path: Path) -> None:
    tree = "d" * 40
    store(harness, 7001, artifact_name(tree), packed(*evidence_files()))
    harness.github.records.runs[7001] = {
        "id": 7001,
        "event": "push",
        "head_branch": "main",
        "head_repository": {"full_name": harness.slug},
        "html_url": "https://github.example/runs/7001",
    }
    client = client_of(harness)
    found = find_earlier(client, tree, base_branch="main")
    assert found.earlier is not None, found.reason
    files = fetch_earlier(client, found.earlier, tmp_path / "earlier" / tree)
    assert f"{MODEL}/predictions.parquet" in files
    assert find_earlier(client, "e" * 40, base_branch="main").earlier is None
