"""MLflow's client, and what it takes to upload a run once. Importing this takes seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import SQLAlchemyError

from assay.registry.record import RunRecord
from assay.registry.spool import Waiting
from assay.registry.tracking import Uploader, UploadError, without_userinfo

KEY_TAG = "assay.run_key"
_BATCH = 100
EXPECTED: tuple[type[Exception], ...] = (MlflowException, SQLAlchemyError, OSError, ValueError)


def mlflow_uploader(uri: str, *, artifacts: Path | None = None) -> Uploader:
    """Connect to MLflow at ``uri``; raises UploadError where that fails.

    ``artifacts`` is where a local store keeps files; a server knows its own place.
    """
    try:
        client = connected(uri)
    except EXPECTED as error:
        raise UploadError(first_line(error, uri)) from None

    def upload(run: Waiting) -> str:
        try:
            return _upload(client, run, artifacts)
        except EXPECTED as error:
            raise UploadError(first_line(error, uri)) from None

    return upload


def connected(uri: str) -> MlflowClient:
    """Return a client whose store was opened once; raises one of ``EXPECTED``."""
    if uri.startswith("sqlite:///"):
        Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    # The store is opened by its first use; a local one is made or migrated then.
    client.search_experiments(max_results=1)
    return client


def first_line(error: BaseException, uri: str) -> str:
    """Say on one line what went wrong at ``uri``, without a password."""
    text = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    # urllib3 puts what happened last, after the request and its address.
    text = text.rsplit("Caused by ", 1)[-1].strip("()")
    text = text.rsplit("Failed to establish a new connection: ", 1)[-1].strip("\"'")
    return without_userinfo(f"{uri}: {text[:300].rstrip('.')}")


def _upload(client: MlflowClient, run: Waiting, artifacts: Path | None) -> str:
    record = run.record
    experiment = experiment_of(client, record.experiment, artifacts)
    run_id, complete = _started(client, experiment, record)
    if not complete:
        _log(client, run_id, record)
        for file in run.artifacts:
            client.log_artifact(run_id, str(file))
        client.set_terminated(
            run_id, status="FINISHED" if record.finished else "FAILED", end_time=record.ended_ms
        )
    return run_id


def experiment_of(client: MlflowClient, name: str, artifacts: Path | None) -> str:
    """Return the id of an experiment, made where there is none; raises MlflowException."""
    found = client.get_experiment_by_name(name)
    if found is None:
        place = None if artifacts is None else artifacts.absolute().as_uri()
        try:
            return str(client.create_experiment(name, artifact_location=place))
        except MlflowException:
            # Another run may have created it a moment ago.
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        raise MlflowException(f"the experiment {name} was deleted there: restore or rename it")
    return str(found.experiment_id)


def _started(client: MlflowClient, experiment: str, record: RunRecord) -> tuple[str, bool]:
    """Return the run of this key, and whether an earlier attempt completed it."""
    found = client.search_runs(
        [experiment], filter_string=f"tags.`{KEY_TAG}` = '{record.key}'", max_results=1
    )
    if found:
        return str(found[0].info.run_id), found[0].info.status in {"FINISHED", "FAILED"}
    tags: dict[str, Any] = {**record.tags, KEY_TAG: record.key}
    made = client.create_run(
        experiment, start_time=record.started_ms, tags=tags, run_name=record.name
    )
    return str(made.info.run_id), False


def _log(client: MlflowClient, run_id: str, record: RunRecord) -> None:
    metrics = [
        Metric(name, value, record.ended_ms, 0) for name, value in sorted(record.metrics.items())
    ]
    params = [Param(name, value) for name, value in sorted(record.params.items())]
    for start in range(0, max(len(metrics), len(params)), _BATCH):
        part = slice(start, start + _BATCH)
        client.log_batch(run_id, metrics=metrics[part], params=params[part])
