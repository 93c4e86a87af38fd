"""Which models are delivered, and where the run that judged a tree kept their files."""

from __future__ import annotations

from typing import Any

import pytest

from assay.config import Model
from assay.errors import OutsideError
from assay.evidence import Event, Plan
from assay.gate.delivered import artifact_of, delivered, kept_models
from assay.github.client import Client
from support.evidence_folders import HEAD_TREE, MODEL, plan, rules
from support.github_stand_in import Answer, Asked, Respond, stand_in

HEAD = "d" * 40


def shipped(**changes: object) -> Model:
    return rules(delivery={"targets": ["production"]}, artifact="model", **changes)


def judged(**changes: object) -> Plan:
    return plan(judged_by=shipped(), **changes)


def with_proposed(proposed: Model | None, before: Model) -> Plan:
    made = plan(judged_by=before)
    (model,) = made.models
    return made.model_copy(update={"models": (model.model_copy(update={"proposed": proposed}),)})


def github(
    names: list[str], *, run: dict[str, Any] | None = None, expired: bool = False
) -> Respond:
    facts = {
        "id": 5,
        "event": "pull_request",
        "head_branch": "topic",
        "head_sha": HEAD,
        "head_repository": {"full_name": "octo/churn"},
        **(run or {}),
    }

    def respond(asked: Asked) -> Answer:
        if asked.path.endswith("/actions/runs/5/artifacts"):
            listed = [
                {"id": 70 + place, "name": name, "expired": expired}
                for place, name in enumerate(names)
            ]
            return Answer(document={"artifacts": listed})
        if asked.path.endswith("/actions/runs/5"):
            return Answer(document=facts)
        if asked.path.endswith(f"/git/commits/{HEAD}"):
            return Answer(document={"tree": {"sha": HEAD_TREE}})
        return Answer(status=404, document={"message": "Not Found"})

    return respond


def kept(respond: Respond, made: Plan, *, own_run: int | None = None) -> list[Any]:
    with stand_in(respond) as server:
        client = Client(repository="octo/churn", token="t", api_url=server.url, backoff=0)
        try:
            return kept_models(client, made, base_branch="main", own_run=own_run)
        finally:
            client.close()


def test_the_heads_configuration_says_what_is_delivered() -> None:
    assert delivered(with_proposed(shipped(), rules())) == (MODEL,)
    assert delivered(with_proposed(rules(), shipped())) == ()
    assert delivered(with_proposed(None, shipped())) == (MODEL,)
    assert delivered(plan(judged_by=shipped(), touched=False)) == ()


def test_the_files_are_named_from_the_repositorys_root() -> None:
    (model,) = judged().models
    assert artifact_of(model) == "model"
    assert artifact_of(model.model_copy(update={"path": "teams/churn"})) == "teams/churn/model"
    assert artifact_of(model.model_copy(update={"removed": True})) is None


def test_the_newest_attempts_files_are_found_and_no_other_models() -> None:
    names = ["assay-model-churn-1", "assay-model-churn-2", "assay-model-churn-b-9"]
    (found,) = kept(github(names), judged())
    assert (found.model, found.run, found.artifact) == (MODEL, 5, 71)


def test_where_nothing_is_delivered_nothing_is_asked() -> None:
    assert kept(github([]), plan()) == []


@pytest.mark.parametrize(
    ("respond", "said"),
    [
        (github([]), "keeps no files of the model churn"),
        (github(["assay-model-churn-1"], expired=True), "have expired"),
        (
            github(["assay-model-churn-1"], run={"head_repository": {"full_name": "evil/churn"}}),
            "its code came from evil/churn",
        ),
        (
            github(["assay-model-churn-1"], run={"event": "push", "head_branch": "topic"}),
            "it ran on topic, not on main",
        ),
        (
            github(["assay-model-churn-1"], run={"head_sha": "e" * 40}),
            "its commit has another tree",
        ),
    ],
    ids=["none", "expired", "a fork's", "another branch's", "another tree's"],
)
def test_files_that_are_gone_or_do_not_count_are_refused(respond: Respond, said: str) -> None:
    with pytest.raises(OutsideError, match=said):
        kept(respond, judged())


def test_evidence_that_names_no_run_has_no_files() -> None:
    with pytest.raises(OutsideError, match="which run made it"):
        kept(github([]), judged(event=Event(name="local")))


def test_the_own_runs_files_need_no_proof() -> None:
    respond = github(["assay-model-churn-1"], run={"event": "workflow_run"})
    (found,) = kept(respond, judged(), own_run=5)
    assert found.artifact == 70
