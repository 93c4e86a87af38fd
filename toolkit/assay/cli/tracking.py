"""MLflow tracking as ``assay train`` does it."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.cli.consumer import Consumer
    from assay.config import Model
    from assay.evidence import Training
    from assay.registry.tracking import Tracked, Tracker, Uploader

_MOST_BYTES = 20_000_000


def open_tracker(consumer: Consumer, model: Model) -> Tracker | None:
    """Start connecting to MLflow in the background; None where tracking is off."""
    from assay.registry.tracking import Tracker, limit_waiting, local_uri

    if not model.tracking.enabled:
        return None
    folder = consumer.own_folder
    limit_waiting(os.environ)
    given = os.environ.get("MLFLOW_TRACKING_URI")
    uri = given or local_uri(folder)
    artifacts = None if given else folder / "mlflow-artifacts"

    def connect() -> Uploader:
        from assay.registry.client import mlflow_uploader

        return mlflow_uploader(uri, artifacts=artifacts)

    tracker = Tracker(folder / "spool", connect)
    tracker.warm()
    return tracker


def track(tracker: Tracker, made: Training, model: Model, folder: Path, evidence: Path) -> Tracked:
    """Track one run with its evidence files, predictions among them unless they are large."""
    from assay.github.settings import read_settings
    from assay.registry.record import record_of
    from assay.training.outputs import pipeline_metrics

    event = read_settings(os.environ).event
    tags = {
        "assay.repository": event.repository,
        "assay.pull_request": str(event.number) if event.number else None,
        "assay.branch": event.head_branch,
        "assay.run_url": event.run_url,
    }
    started = datetime.fromisoformat(made.started) if made.started else datetime.now().astimezone()
    record = record_of(
        made,
        experiment=model.tracking.experiment or made.model,
        started_ms=round(started.timestamp() * 1000),
        metrics=pipeline_metrics(folder),
        tags={name: value for name, value in tags.items() if value},
    )
    files = [file for file in sorted(evidence.iterdir()) if file.is_file()]
    kept = [file for file in files if file.stat().st_size <= _MOST_BYTES and file.name[0] != "."]
    return tracker.track(record, kept)
