"""Training runs as the tracking tests use them."""

from __future__ import annotations

from assay.evidence import Lineage, StageState, Training
from assay.registry.record import RunRecord, record_of


def training(**fields: object) -> Training:
    """Return a passed run of the model churn, with ``fields`` replaced."""
    return Training.model_validate(
        {
            "model": "churn",
            "side": "head",
            "state": StageState.PASSED,
            "seconds": 2.0,
            "lineage": Lineage(commit="a" * 40, tree="b" * 40, params={"depth": "3"}, seed=7),
            "scalars": {"auc": 0.75},
            **fields,
        }
    )


def record(started_ms: int = 1000) -> RunRecord:
    """Return that run as MLflow gets it."""
    return record_of(
        training(),
        experiment="churn",
        started_ms=started_ms,
        metrics={"auc": 0.1, "train.loss": 2.0},
        tags={"pull_request": "7"},
    )
