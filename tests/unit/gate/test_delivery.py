"""The plan of a delivery: what evidence lets through, and what later jobs are given."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.cli.delivery_plan import outputs_of
from assay.config import Config, parse_config
from assay.errors import InputError, IntegrityError, OutsideError, VerdictFailed
from assay.evidence import DeliveryPlan, Event, Training
from assay.gate.delivery import Checkout, plan_delivery, write_folder
from assay.gate.judge import judge, write
from assay.github.events import Revisions
from assay.github.settings import Settings
from support.evidence_folders import HEAD_TREE, MODEL, plan, put_evidence, rows, rules
from support.github_stand_in import Answer, Asked, Respond, stand_in

TEXT = """\
version: 1
models:
  churn:
    predictions: p.csv
    artifact: model
    gates: {accuracy: {margin: 0.05}}
    delivery: {targets: [staging, production]}
delivery:
  targets: {staging: {kind: local}, production: {kind: local, port: 8081}}
  trust: {keys: [keys/signing.pub]}
"""
COMMIT, RAN = "c" * 40, "d" * 40
PULL = {
    "number": 7,
    "state": "closed",
    "user": {"login": "octo"},
    "merge_commit_sha": COMMIT,
    "head": {"sha": RAN, "ref": "topic", "repo": {"full_name": "octo/churn"}},
    "base": {"sha": "b" * 40, "ref": "main"},
}
Judged = Callable[..., Path]


@pytest.fixture
def judged(tmp_path: Path) -> Judged:
    """Evidence of a run that judged: 5 wrong rows pass, 90 do not."""

    def make(*, wrong: int = 5, digest: str | None = "f" * 64, **changes: object) -> Path:
        folder = tmp_path / "evidence"
        made = put_evidence(
            folder,
            base=rows(300, wrong=20),
            head=rows(300, wrong=wrong),
            made=plan(
                judged_by=rules(delivery={"targets": ["production"]}, artifact="m"), **changes
            ),
        )
        training = Training.read(folder / MODEL)
        training.model_copy(update={"model_digest": digest}).write(folder / MODEL)
        write(folder, made, *judge(made, folder))
        return folder

    return make


def checkout(root: Path, config: Config | None = None, tree: str = HEAD_TREE) -> Checkout:
    return Checkout(
        root=root,
        commit=COMMIT,
        tree=tree,
        config_file="teams/assay.yaml",
        config=config or parse_config(TEXT, file="assay.yaml"),
    )


def settings(url: str, **facts: Any) -> Settings:
    event = {
        "name": "push",
        "repository": "octo/churn",
        "author": "merger",
        "head_branch": "main",
        "run_id": 9,
        **facts,
    }
    dispatched = event["name"] == "workflow_dispatch"
    side = "origin/main" if event["head_branch"] != "main" else None
    return Settings(
        in_actions=True,
        event=Event.model_validate(event),
        revisions=Revisions(head=COMMIT, merge_base_with=side) if dispatched else None,
        token="ghs_token",
        api_url=url,
        default_branch="main",
    )


def github(
    *, pulls: list[Any] | None = None, names: tuple[str, ...] = ("assay-model-churn-1",)
) -> Respond:
    run = {
        "event": "pull_request",
        "head_sha": RAN,
        "head_repository": {"full_name": "octo/churn"},
    }
    answers: dict[str, Any] = {
        "/actions/runs/5/artifacts": {
            "artifacts": [{"id": 70 + at, "name": name} for at, name in enumerate(names)]
        },
        "/actions/runs/5": run,
        f"/git/commits/{RAN}": {"tree": {"sha": HEAD_TREE}},
        f"/commits/{COMMIT}/pulls": [PULL] if pulls is None else pulls,
    }

    def respond(asked: Asked) -> Answer:
        found = next((answers[end] for end in answers if asked.path.endswith(end)), None)
        if found is None:
            return Answer(status=404, document={"message": "Not Found"})
        return Answer(document=found)

    return respond


def planned(evidence: Path, respond: Respond, made: Checkout, **facts: Any) -> DeliveryPlan:
    with stand_in(respond) as server:
        return plan_delivery(evidence, settings(server.url, **facts), made)


def test_a_merge_is_delivered_from_the_run_that_judged_it(judged: Judged, tmp_path: Path) -> None:
    made = planned(judged(), github(), checkout(tmp_path))
    (model,) = made.models
    assert (model.name, model.run, model.artifact) == (MODEL, 5, 70)
    assert (made.author, made.pull_request, made.commit) == ("octo", 7, COMMIT)
    found = outputs_of(made)
    assert found["any"] == "true"
    assert json.loads(found["models"]) == [{"name": MODEL, "run": 5, "artifact": 70}]
    assert json.loads(found["stages"]) == [{"model": MODEL, "target": "staging"}]
    assert json.loads(found["last"]) == [{"model": MODEL, "target": "production"}]


def test_a_push_without_a_pull_request_is_the_pushers(judged: Judged, tmp_path: Path) -> None:
    other = {**PULL, "merge_commit_sha": "e" * 40}
    made = planned(judged(), github(pulls=[other]), checkout(tmp_path))
    assert (made.author, made.pull_request) == ("merger", None)


def test_the_default_branch_alone_is_delivered(judged: Judged, tmp_path: Path) -> None:
    evidence = judged()
    by_hand = {"name": "workflow_dispatch"}
    assert planned(evidence, github(), checkout(tmp_path), **by_hand).models
    for facts in (
        {"head_branch": "topic"},
        {"head_branch": "topic", **by_hand},
        {"name": "pull_request"},
        {"name": "schedule"},
    ):
        with pytest.raises(InputError, match="push to the default branch"):
            planned(evidence, github(), checkout(tmp_path), **facts)


def test_what_must_not_be_delivered_is_refused(judged: Judged, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="is of tree"):
        planned(judged(), github(), checkout(tmp_path, tree="9" * 40))
    with pytest.raises(OutsideError, match="keeps no files"):
        planned(judged(), github(names=()), checkout(tmp_path))
    with pytest.raises(InputError, match="left no files under `artifact`"):
        planned(judged(digest=None), github(), checkout(tmp_path))
    with pytest.raises(VerdictFailed, match="the verdict is fail"):
        planned(judged(wrong=90), github(), checkout(tmp_path))


def test_altered_evidence_is_refused(judged: Judged, tmp_path: Path) -> None:
    evidence = judged()
    file = next((evidence / MODEL).glob("predictions.*"))
    file.write_bytes(file.read_bytes() + b"\n")
    with pytest.raises(IntegrityError, match="SHA-256 differs"):
        planned(evidence, github(), checkout(tmp_path))


def test_what_is_not_delivered_needs_nothing(judged: Judged, tmp_path: Path) -> None:
    evidence = judged()
    made = plan(touched=False)
    made.write(evidence)
    write(evidence, made, *judge(made, evidence))
    found = planned(evidence, github(names=()), checkout(tmp_path))
    assert found.models == ()
    assert outputs_of(found)["any"] == "false"


def test_the_lock_of_an_image_goes_to_the_job_that_builds_it(
    judged: Judged, tmp_path: Path
) -> None:
    parts = f"image: {{base: 'python@sha256:{'a' * 64}', lock: locks/churn.lock}}"
    text = TEXT.replace("production]}", f"production], {parts}}}", 1)
    root = tmp_path / "root"
    (root / "teams/keys").mkdir(parents=True)
    (root / "teams/locks").mkdir()
    (root / "teams/assay.yaml").write_text(text)
    (root / "teams/keys/signing.pub").write_text("a key")
    at = replace(checkout(root), config=parse_config(text, file="assay.yaml"))
    made = planned(judged(), github(), at)
    with pytest.raises(InputError, match="image names this file"):
        write_folder(made, at, tmp_path / "delivery")
    (root / "teams/locks/churn.lock").write_text("uvicorn==1 --hash=sha256:" + "b" * 64)
    write_folder(made, at, tmp_path / "delivery")
    assert (tmp_path / "delivery/teams/locks/churn.lock").is_file()


def test_later_jobs_get_the_configuration_and_the_public_keys(
    judged: Judged, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    (root / "teams/keys").mkdir(parents=True)
    (root / "teams/assay.yaml").write_text(TEXT)
    made = planned(judged(), github(), checkout(root))
    folder = tmp_path / "delivery"
    with pytest.raises(InputError, match="none of this commit"):
        write_folder(made, checkout(root), folder)
    (root / "teams/keys/signing.pub").write_text("a key")
    (folder / "left-over").write_text("an earlier job's")
    write_folder(made, checkout(root), folder)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {"delivery.json", "teams/assay.yaml", "teams/keys/signing.pub"}
    assert DeliveryPlan.read(folder) == made
