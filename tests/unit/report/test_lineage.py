"""What the report says of how a model was made."""

from __future__ import annotations

from assay.evidence import Experiment, ModelSelection, OrchestratedRun
from assay.report.bundle import ModelEvidence
from assay.report.details import lineage
from support.reports import plan, training


def shown(**facts: object) -> str:
    return lineage(ModelEvidence(plan=plan().models[0], head=training("head", **facts)))


def test_a_selection_is_shown_with_what_it_was_chosen_by() -> None:
    chosen = ModelSelection(
        metric="validation.json:auc",
        direction="maximize",
        chosen="assay-1",
        experiments=(
            Experiment(name="assay-1", params={"depth": "4", "kind": "a|b"}, value=0.9),
            Experiment(name="assay-2", params={"depth": "5"}, value=0.8),
        ),
    )
    said = shown(selection=chosen)
    assert "depth=4" in said
    assert "of 2, by validation.json:auc (validation data)" in said
    assert "a|b" not in said.replace("a\\|b", "")


def test_a_server_that_trained_it_is_named() -> None:
    run = OrchestratedRun(
        orchestrator="airflow", server="https://airflow.example.org", run="assay-churn-1",
        attached=False,
    )  # fmt: skip
    assert "airflow run assay-churn-1 at https://airflow.example.org" in shown(orchestrated=run)
    assert "Trained by" not in shown()
