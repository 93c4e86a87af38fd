"""What is tracked of a training run, as plain data that survives in a spool."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from assay.evidence import Document, StageState, Training

_NAME = re.compile(r"[^\w\-. :/]", re.ASCII)
_MOST_NAME = 250
_MOST_PARAM = 500
_MOST_TAG = 5000
_MOST_PARAMS = 1000


class RunRecord(Document):
    """One run for MLflow: everything but the artifacts, which lie beside it in the spool.

    ``key`` names the run: uploading the same key again changes nothing.
    """

    SCHEMA: ClassVar[str] = "assay/run/1"
    FILE: ClassVar[str] = "run.json"

    key: str = Field(pattern=r"^[0-9a-f]{32}$")
    experiment: str
    name: str
    started_ms: int
    ended_ms: int
    finished: bool
    params: dict[str, str] = Field(default_factory=dict)
    metrics: dict[str, float] = Field(default_factory=dict)
    tags: dict[str, str] = Field(default_factory=dict)


def record_of(
    training: Training,
    *,
    experiment: str,
    started_ms: int,
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
) -> RunRecord:
    """Describe a training run for MLflow: parameters, numbers, and its lineage as tags.

    ``metrics`` are further numbers of the pipeline; the evidence's own scalars win. ``tags``
    come from the event (pull request, run). Names and values are cut to MLflow's limits.
    """
    lineage = training.lineage
    given = {**metrics, **training.scalars, "assay.seconds": training.seconds}
    own = {
        "assay.model": training.model,
        "assay.side": training.side,
        "assay.state": training.state.value,
        "assay.cache_hit": str(training.cache_hit).lower(),
        "assay.reason": training.reason,
        "assay.command": training.command,
        "assay.orchestrator_run": training.orchestrated and training.orchestrated.run,
        "assay.tree": lineage.tree,
        "assay.dirty": str(lineage.dirty).lower(),
        "assay.environment": lineage.environment_kind,
        "assay.environment_digest": lineage.environment_digest,
        "assay.python": lineage.python,
        "assay.seed": None if lineage.seed is None else str(lineage.seed),
        "assay.host": lineage.host,
        "assay.platform": lineage.platform,
        "assay.model_digest": training.model_digest,
        "assay.test_set_digest": training.test_set_digest,
        "assay.predictions_sha256": training.predictions and training.predictions.sha256,
        "assay.dvc": json.dumps(lineage.dvc, sort_keys=True) if lineage.dvc else None,
        "mlflow.source.git.commit": lineage.commit,
        "mlflow.source.type": "JOB",
        "mlflow.source.name": "assay train",
    }
    known = {name: value for name, value in {**tags, **own}.items() if value}
    params = list(lineage.params.items())[:_MOST_PARAMS]
    return RunRecord(
        key=_key(training, experiment, started_ms),
        experiment=experiment,
        name=f"{training.model} {(lineage.commit or 'unknown')[:12]}",
        started_ms=started_ms,
        ended_ms=started_ms + round(training.seconds * 1000),
        finished=training.state is StageState.PASSED,
        params={_name(name): value[:_MOST_PARAM] for name, value in params},
        metrics={_name(name): value for name, value in given.items()},
        tags={_name(name): value[:_MOST_TAG] for name, value in known.items()},
    )


def _name(name: str) -> str:
    """MLflow stores a name as a path: what it forbids becomes ``_``."""
    cleaned = _NAME.sub("_", name)[:_MOST_NAME].strip("/ ").replace("..", "__")
    return re.sub(r"//+", "/", cleaned) or "_"


def _key(training: Training, experiment: str, started_ms: int) -> str:
    text = json.dumps([experiment, started_ms, training.digest()])
    return hashlib.sha256(text.encode()).hexdigest()[:32]
