"""The MLflow client against a real store and a real server; importing MLflow takes seconds."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.registry.spool import put, waiting
from assay.registry.tracking import Tracker, Uploader, UploadError, limit_waiting, local_uri
from support.mlflow_server import mlflow_server
from support.runs import record

pytestmark = pytest.mark.heavy


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Uploader]:
    limits: dict[str, str] = {}
    limit_waiting(limits)
    for name, value in limits.items():
        monkeypatch.setenv(name, value)
    module = importlib.import_module("assay.registry.client")
    uploader: Callable[..., Uploader] = module.mlflow_uploader
    return uploader


def mlflow_client(uri: str) -> Any:
    return importlib.import_module("mlflow.tracking").MlflowClient(tracking_uri=uri)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    with mlflow_server(tmp_path / "server") as uri:
        yield uri


def check_kept(uri: str, run_id: str) -> None:
    client = mlflow_client(uri)
    found = client.search_runs([client.get_experiment_by_name("churn").experiment_id])
    assert [one.info.run_id for one in found] == [run_id]
    assert found[0].info.status == "FINISHED"
    assert found[0].data.params == {"depth": "3"}
    assert found[0].data.metrics["auc"] == 0.75
    assert found[0].data.tags["assay.tree"] == "b" * 40
    assert [file.path for file in client.list_artifacts(run_id)] == ["training.json"]


def evidence_in(folder: Path) -> Path:
    file = folder / "training.json"
    file.write_text("{}")
    return file


def test_a_local_store_keeps_the_run_once(tmp_path: Path, connect: Callable[..., Uploader]) -> None:
    uri = local_uri(tmp_path / "store")
    upload = connect(uri, artifacts=tmp_path / "store" / "artifacts")
    run = put(tmp_path / "spool", record(), [evidence_in(tmp_path)])
    first = upload(run)
    assert upload(run) == first
    check_kept(uri, first)


def test_a_run_kept_while_the_server_was_dead_is_uploaded_once(
    tmp_path: Path, connect: Callable[..., Uploader], server: str
) -> None:
    spool = tmp_path / "spool"
    dead = Tracker(spool, lambda: connect("http://octo:secret@127.0.0.1:9"))
    started = time.monotonic()
    kept = dead.track(record(1), [evidence_in(tmp_path)])
    assert time.monotonic() - started < 30
    assert kept.run_id is None
    assert "secret" not in (kept.why or "")
    assert "refused" in (kept.why or "").lower()
    assert len(waiting(spool)) == 1

    upload = connect(server)
    interrupted = upload(waiting(spool)[0])
    sent = Tracker(spool, lambda: upload).track(record(1), [])
    assert sent.run_id == interrupted
    assert waiting(spool) == []
    check_kept(server, interrupted)


def test_a_deleted_experiment_is_an_upload_error(
    tmp_path: Path, connect: Callable[..., Uploader]
) -> None:
    uri = local_uri(tmp_path / "store")
    upload = connect(uri, artifacts=tmp_path / "store")
    client = mlflow_client(uri)
    client.delete_experiment(client.create_experiment("churn"))
    with pytest.raises(UploadError, match="was deleted there"):
        upload(put(tmp_path / "spool", record(), []))
