"""What a look is told through goes away at every call: nothing is lost, and nothing is told twice.

GitHub and the Pushgateway are small stand-ins that keep what they are sent, behind a front that
fails from any request on; MLflow is a real server behind the same front.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from assay.alerting.push import push
from assay.alerting.telling import Channels, Result, tell
from assay.config import Severity
from assay.errors import OutsideError
from assay.evidence import ProblemKind
from assay.github.client import Client
from assay.github.issues import Issues
from assay.registry.store import Registry
from support.failing_front import Front, failing_front
from support.github_stand_in import Answer, Asked, stand_in
from support.mlflow_server import mlflow_server
from support.pushgateway import pushgateway
from support.watching import look, problem, told

BOTH = (problem(), problem(ProblemKind.DRIFT, "age", severity=Severity.WARN))


class Repository:
    """Issues of a repository, as GitHub keeps them."""

    def __init__(self) -> None:
        self.issues: list[dict[str, Any]] = []
        self.comments = 0

    def answer(self, asked: Asked) -> Answer:
        if asked.path.endswith("/user"):
            return Answer(document={"login": "octo"})
        if asked.method == "POST" and asked.path.endswith("/issues"):
            made = {
                "number": len(self.issues) + 1, "state": "open", "user": {"login": "octo"},
                "html_url": "", **asked.body,
            }  # fmt: skip
            self.issues.append(made)
            return Answer(status=201, document=made)
        if asked.method == "POST":
            self.comments += 1
            return Answer(status=201, document={"id": self.comments})
        if asked.method == "PATCH":
            number = int(asked.path.rsplit("/", 1)[1])
            self.issues[number - 1].update(asked.body)
            return Answer(document=self.issues[number - 1])
        return Answer(document=self.issues)

    def open(self) -> list[str]:
        return sorted(one["title"] for one in self.issues if one["state"] == "open")


def told_on_github(front: Front, state: Path, *problems: Any) -> Result:
    def issues() -> Issues:
        return Issues(
            Client(repository="octo/churn", token="t", api_url=front.uri, backoff=0.01, tries=1)
        )

    return tell((told(look(*problems)),), Channels(state=state, issues=issues))


def test_github_down_at_any_call_opens_no_issue_twice_and_forgets_none(tmp_path: Path) -> None:
    """Two problems begin and one passes; GitHub goes away from each call on, then is back."""
    for fails_at in itertools.count():
        repository = Repository()
        with stand_in(repository.answer) as server, failing_front(server.url) as front:
            front.fails_at = fails_at
            first = told_on_github(front, tmp_path, *BOTH)
            failed = bool(first.troubles)
            front.fails_at = None
            assert told_on_github(front, tmp_path, *BOTH).troubles == ()
            assert repository.open() == ["churn: drift of age", "churn: quality of f1"], fails_at
            assert len(repository.issues) == 2
            front.seen, front.fails_at = 0, fails_at
            told_on_github(front, tmp_path, BOTH[0])
            front.fails_at = None
            told_on_github(front, tmp_path, BOTH[0])
            assert repository.open() == ["churn: quality of f1"], fails_at
            assert len(repository.issues) == 2
        if not failed:
            break
    assert fails_at >= 4


def test_a_pushgateway_that_is_down_gets_the_newest_look_once_it_is_back(tmp_path: Path) -> None:
    with pushgateway() as (address, groups), failing_front(address) as front:
        channels = Channels(state=tmp_path, push=lambda model, of: push(front.uri, model, of))
        front.fails_at = 0
        for _ in range(2):
            result = tell((told(look(*BOTH)),), channels)
            assert "the Pushgateway did not take the metrics" in result.troubles[0]
        assert groups == {}
        front.fails_at = None
        assert tell((told(look(problem())),), channels).troubles == ()
    [(path, text)] = groups.items()
    assert path == "/metrics/job/assay-monitor/model/churn"
    assert text.count("assay_monitor_problem{") == 1


@pytest.mark.heavy
def test_mlflow_down_at_any_call_of_a_look_is_said_and_then_its_versions_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    with mlflow_server(tmp_path / "server") as behind, failing_front(behind) as front:
        client = MlflowClient(behind, behind)
        client.create_registered_model("churn")
        run = client.create_run("0").info
        client.create_model_version(
            "churn", f"{run.artifact_uri}/model", run.run_id,
            tags={"assay.artifact_digest": "1" * 64},
        )  # fmt: skip
        for fails_at in itertools.count():
            front.seen, front.fails_at = 0, fails_at
            try:
                found = Registry(front.uri).known_versions("churn")
            except OutsideError as error:
                assert "MLflow registry" in str(error)  # noqa: PT017 -- until it no longer fails
            else:
                break
    assert found == {"1", "1" * 64}
    assert fails_at >= 1
