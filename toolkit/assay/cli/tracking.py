"""MLflow tracking as ``assay train`` does it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.cli.consumer import Consumer
    from assay.config import Model
    from assay.evidence import Training
    from assay.registry.record import RunRecord
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
    from assay.training.outputs import pipeline_metrics

    record = _record(made, model, pipeline_metrics(folder), {})
    files = [file for file in sorted(evidence.iterdir()) if file.is_file()]
    kept = [file for file in files if file.stat().st_size <= _MOST_BYTES and file.name[0] != "."]
    return tracker.track(record, kept)


def track_experiments(tracker: Tracker, made: Training, model: Model) -> Training:
    """Track each experiment of a selection as a run; return the training that names the runs.

    Its parameters are its own, its metric the number on validation data; the same experiment is
    the same run again. ``assay.selection`` tells the chosen one from the others.
    """
    from assay.evidence import StageState

    chosen = made.selection
    if chosen is None:
        return made
    named = []
    for each in chosen.experiments:
        lineage = made.lineage.model_copy(update={"params": each.params})
        alone = made.model_copy(
            update={
                "command": "dvc exp run",
                "state": StageState.FAILED if each.value is None else StageState.PASSED,
                "reason": each.reason,
                "seconds": 0.0,
                "lineage": lineage,
                "predictions": None,
                "model_digest": None,
                "test_set_digest": None,
                "scalars": {},
                "missing_scalars": {},
                "selection": None,
            }
        )
        tags = {
            "assay.selection": "chosen" if each.name == chosen.chosen else "tried",
            "assay.selection.experiment": each.name,
            "assay.selection.data": chosen.data,
            "assay.selection.commit": each.commit,
        }
        metrics = {} if each.value is None else {chosen.metric.partition(":")[2]: each.value}
        tracked = tracker.track(_record(alone, model, metrics, tags), ())
        named.append(each.model_copy(update={"tracking": str(tracked)}))
    selection = chosen.model_copy(update={"experiments": tuple(named)})
    return made.model_copy(update={"selection": selection})


def _record(
    made: Training, model: Model, metrics: Mapping[str, float], more: Mapping[str, str | None]
) -> RunRecord:
    from assay.github.settings import read_settings
    from assay.registry.record import record_of

    event = read_settings(os.environ).event
    tags = {
        "assay.repository": event.repository,
        "assay.pull_request": str(event.number) if event.number else None,
        "assay.branch": event.head_branch,
        "assay.run_url": event.run_url,
        **more,
    }
    started = datetime.fromisoformat(made.started) if made.started else datetime.now().astimezone()
    return record_of(
        made,
        experiment=model.tracking.experiment or made.model,
        started_ms=round(started.timestamp() * 1000),
        metrics=metrics,
        tags={name: value for name, value in tags.items() if value},
    )
