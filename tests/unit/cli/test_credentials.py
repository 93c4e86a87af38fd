"""Credentials of a job: in the environment, in no log, and as a file that only its owner reads."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from assay.cli.credentials import take_credentials
from support.github_stand_in import Answer, stand_in


def test_each_value_is_masked_before_it_is_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "")
    take_credentials("MLFLOW_TRACKING_PASSWORD=hunter2 is long\n", None)
    assert os.environ["MLFLOW_TRACKING_PASSWORD"] == "hunter2 is long"
    assert "::add-mask::hunter2 is long" in capsys.readouterr().out


def test_the_jobs_identity_is_a_file_that_clouds_are_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_WEB_IDENTITY_TOKEN_FILE", "AZURE_FEDERATED_TOKEN_FILE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path))
    with stand_in(lambda _: Answer(document={"value": "ey.J.token"})) as server:
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", server.url)
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "runner")
        take_credentials(None, "sts.amazonaws.com")
    file = Path(os.environ["AWS_WEB_IDENTITY_TOKEN_FILE"])
    assert file.read_text() == "ey.J.token"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.environ["AZURE_FEDERATED_TOKEN_FILE"] == str(file)


def test_nothing_given_is_nothing_done() -> None:
    before = dict(os.environ)
    take_credentials(None, None)
    assert dict(os.environ) == before
