"""Evidence of earlier runs: what a plan takes from them, and what is carried over a merge."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from assay.errors import IntegrityError, OutsideError
from assay.evidence import Event, Outcome, Plan, Revision, Verdict
from assay.evidence.verdict import Override
from assay.gate.assemble import CARRIED
from assay.gate.earlier import EARLIER, bring_earlier, judge_carried
from assay.gate.judge import judge, write
from assay.github.evidence_store import artifact_name
from assay.github.settings import Settings
from assay.verdict.decide import accept
from support.archives import packed
from support.evidence_folders import BASE_TREE, HEAD_TREE, MODEL, plan, put_evidence, rows, rules
from support.github_stand_in import Answer, Asked, Respond, stand_in

RUN = "https://github.example/octo/churn/actions/runs/4"


def judged(folder: Path, *, wrong: int = 5) -> Path:
    """Evidence of a run that judged: 5 wrong rows pass, 90 do not."""
    made = put_evidence(folder, base=rows(300, wrong=20), head=rows(300, wrong=wrong))
    write(folder, made, *judge(made, folder))
    return folder


def settings(url: str, event: str) -> Settings:
    return Settings(
        in_actions=True,
        event=Event(name=event, repository="octo/churn", base_branch="main"),
        token="ghs_token",
        api_url=url,
        default_branch="main",
    )


def github(
    tree: str, folder: Path, *, event: str, branch: str = "main", mode: int | None = None
) -> Respond:
    """One artifact with the evidence in ``folder``, of a run for ``tree``."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    archive = packed(
        *((str(path.relative_to(folder)), path.read_bytes()) for path in files), mode=mode
    )
    artifact: dict[str, Any] = {
        "id": 9,
        "name": artifact_name(tree),
        "expired": False,
        "created_at": "2026-11-20T09:00:00Z",
        "workflow_run": {"id": 4},
    }
    run: dict[str, Any] = {
        "id": 4,
        "event": event,
        "head_branch": branch,
        "head_sha": "d" * 40,
        "head_repository": {"full_name": "octo/churn"},
        "html_url": RUN,
    }

    def respond(asked: Asked) -> Answer:
        if asked.path.endswith("/actions/artifacts"):
            wanted = asked.query["name"] == artifact["name"]
            return Answer(document={"artifacts": [artifact] if wanted else []})
        if asked.path.endswith("/actions/runs/4"):
            return Answer(document=run)
        if asked.path.endswith(f"/git/commits/{'d' * 40}"):
            return Answer(document={"tree": {"sha": tree}})
        if asked.path.endswith("/zip"):
            return Answer(raw=archive, headers={"Content-Type": "application/zip"})
        return Answer(status=404, document={"message": "Not Found"})

    return respond


def brought(
    respond: Respond, folder: Path, *, event: str = "pull_request"
) -> tuple[Plan, list[str]]:
    said: list[str] = []
    with stand_in(respond) as server:
        made = bring_earlier(plan(), settings(server.url, event), folder, say=said.append)
    return made, said


def test_evidence_of_the_bases_tree_lies_where_the_base_looks_for_it(tmp_path: Path) -> None:
    kept = judged(tmp_path / "kept")
    folder = tmp_path / "evidence"
    made, said = brought(github(BASE_TREE, kept, event="push"), folder)
    assert made == plan()
    assert said == [f"Earlier evidence of tree {BASE_TREE[:12]}: {RUN}"]
    found = folder / EARLIER / BASE_TREE / MODEL / "predictions.csv"
    assert found.read_bytes() == (kept / MODEL / "predictions.csv").read_bytes()


def test_a_pull_requests_own_run_is_no_base(tmp_path: Path) -> None:
    kept = judged(tmp_path / "kept")
    made, said = brought(github(BASE_TREE, kept, event="pull_request"), tmp_path / "evidence")
    assert made == plan()
    assert "what it ran was not merged yet" in said[0]
    assert not (tmp_path / "evidence").exists()


@pytest.mark.parametrize("event", ["push", "workflow_dispatch"])
def test_a_merge_of_a_tree_that_was_judged_carries_its_evidence(tmp_path: Path, event: str) -> None:
    kept = judged(tmp_path / "kept")
    folder = tmp_path / "evidence"
    respond = github(HEAD_TREE, kept, event="pull_request", branch="topic")
    made, _ = brought(respond, folder, event=event)
    assert made.carried is None, "the plan's own event decides, not the settings'"
    merged = plan(event=Event(name=event, repository="octo/churn"))
    with stand_in(respond) as server:
        made = bring_earlier(merged, settings(server.url, event), folder, say=lambda _: None)
    assert made.carried == RUN
    assert [model.touched for model in made.models] == [False]
    carried, models, verdict = judge_carried(folder)
    assert carried == Plan.read(kept)
    assert verdict == Verdict.read(kept)
    assert verdict.state is Outcome.PASS
    assert models[0].comparison is not None


@pytest.mark.parametrize(
    "merged",
    [
        {"base": Revision(commit="e" * 40, tree="e" * 40)},
        {"models": plan(judged_by=rules(confidence=0.9)).models},
        {"models": (*plan().models, plan().models[0].model_copy(update={"name": "fraud"}))},
    ],
    ids=["another base", "other rules", "another model"],
)
def test_evidence_of_another_question_is_not_carried(
    tmp_path: Path, merged: dict[str, object]
) -> None:
    respond = github(HEAD_TREE, judged(tmp_path / "kept"), event="pull_request", branch="topic")
    pushed = plan(event=Event(name="push", repository="octo/churn"), **merged)
    said: list[str] = []
    with stand_in(respond) as server:
        made = bring_earlier(
            pushed, settings(server.url, "push"), tmp_path / "evidence", say=said.append
        )
    assert made.carried is None
    assert all(model.touched for model in made.models)
    assert any("another base or other rules" in line for line in said)
    assert not (tmp_path / "evidence" / CARRIED).exists()


def test_a_github_that_fails_costs_no_run(tmp_path: Path) -> None:
    def refuse(asked: Asked) -> Answer:
        return Answer(status=403, document={"message": "Resource not accessible"})

    made, said = brought(refuse, tmp_path / "evidence")
    assert made == plan()
    assert "could not be had" in said[0]


def test_what_is_no_evidence_stays_behind(tmp_path: Path) -> None:
    kept = judged(tmp_path / "kept")
    (kept / "run.sh").write_text("echo owned")
    brought(github(BASE_TREE, kept, event="push"), tmp_path / "evidence")
    assert not list(tmp_path.glob("evidence/**/run.sh"))
    assert list(tmp_path.glob("evidence/**/training.json"))


def test_an_archive_of_links_is_left_alone(tmp_path: Path) -> None:
    kept = judged(tmp_path / "kept")
    respond = github(BASE_TREE, kept, event="push", mode=stat.S_IFLNK | 0o777)
    made, said = brought(respond, tmp_path / "evidence")
    assert made == plan()
    assert "could not be had" in said[0]
    assert not (tmp_path / "evidence").exists()


def test_outside_a_job_nobody_is_asked(tmp_path: Path) -> None:
    alone = Settings(in_actions=False, event=Event())
    assert bring_earlier(plan(), alone, tmp_path, say=print) == plan()


def test_an_acceptance_is_carried_too(tmp_path: Path) -> None:
    folder = judged(tmp_path / CARRIED, wrong=90)
    failed = Verdict.read(folder)
    assert failed.state is Outcome.FAIL
    override = Override(by="octo", label="assay-accept", at="2026-03-04T05:06:07Z")
    accept(failed, override).write(folder)
    _, _, verdict = judge_carried(tmp_path)
    assert verdict.override == override
    assert verdict == accept(failed, override)


def test_carried_evidence_that_was_touched_is_refused(tmp_path: Path) -> None:
    folder = judged(tmp_path / CARRIED)
    (folder / MODEL / "predictions.csv").write_text("id,y_true,y_pred\n0,0,0\n")
    with pytest.raises(IntegrityError):
        judge_carried(tmp_path)


def test_a_carried_verdict_that_no_longer_comes_out_asks_for_a_run(tmp_path: Path) -> None:
    folder = judged(tmp_path / CARRIED, wrong=90)
    verdict = Verdict.read(folder)
    verdict.model_copy(update={"state": Outcome.PASS}).write(folder)
    with pytest.raises(OutsideError, match="now comes out as fail"):
        judge_carried(tmp_path)


@pytest.mark.parametrize("kept_files", [True, False])
def test_evidence_of_a_delivered_model_is_carried_with_its_files_alone(
    tmp_path: Path, kept_files: bool
) -> None:
    shipped = rules(delivery={"targets": ["production"]}, artifact="model")
    made = put_evidence(
        tmp_path / "kept",
        base=rows(300, wrong=20),
        head=rows(300, wrong=5),
        made=plan(judged_by=shipped, event=Event(name="pull_request", run_id=4)),
    )
    write(tmp_path / "kept", made, *judge(made, tmp_path / "kept"))
    evidence = github(HEAD_TREE, tmp_path / "kept", event="pull_request", branch="topic")

    def respond(asked: Asked) -> Answer:
        if asked.path.endswith("/actions/runs/4/artifacts"):
            files = [{"id": 10, "name": f"assay-model-{MODEL}-1"}] if kept_files else []
            return Answer(document={"artifacts": files})
        return evidence(asked)

    pushed = plan(judged_by=shipped, event=Event(name="push", repository="octo/churn"))
    said: list[str] = []
    with stand_in(respond) as server:
        found = bring_earlier(
            pushed, settings(server.url, "push"), tmp_path / "evidence", say=said.append
        )
    assert (found.carried == RUN) is kept_files
    assert any("keeps no files of the model" in line for line in said) is not kept_files
