"""An evidence folder as the jobs of a pull request leave it: plan, trainings, predictions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assay.config import Comment, Gate, Model
from assay.evidence import (
    Event,
    Lineage,
    ModelPlan,
    Plan,
    Prediction,
    Revision,
    StageState,
    Training,
    file_digest,
)
from assay.gate.judge import judge
from assay.report.bundle import Report
from assay.report.markdown import render

MODEL = "churn"
HEAD_TREE, BASE_TREE = "1" * 40, "2" * 40
Row = tuple[int, int, int]
"""Id, label and prediction."""


def rows(count: int, *, wrong: int = 0, start: int = 0) -> list[Row]:
    """``count`` rows with alternating labels, the first ``wrong`` of them predicted wrongly."""
    return [
        (start + number, number % 2, number % 2 if number >= wrong else 1 - number % 2)
        for number in range(count)
    ]


def rules(**changes: object) -> Model:
    """A model without tests or data checks, gated on accuracy."""
    wanted = {"accuracy": Gate(margin=0.05)}
    return Model.model_validate({"predictions": "p.csv", "gates": wanted, "tests": None, **changes})


def plan(*, judged_by: Model | None = None, touched: bool = True, **changes: object) -> Plan:
    """A pull request's plan with one model, gated on accuracy."""
    made = Plan(
        event=Event(name="pull_request", repository="octo/churn", number=7, run_id=5),
        head=Revision(commit="a" * 40, tree=HEAD_TREE),
        base=Revision(commit="b" * 40, tree=BASE_TREE),
        config_file="assay.yaml",
        config_rules_from="base",
        comment=Comment(),
        models=(
            ModelPlan(
                name=MODEL,
                path=".",
                touched=touched,
                reason="train.py changes",
                rules_from="base",
                rules=judged_by or rules(),
            ),
        ),
    )
    return made.model_copy(update=changes)


def put_training(
    folder: Path, predictions: Sequence[Row] | None, *, side: str = "head", **changes: object
) -> Training:
    """Write one side's training, with its predictions; without any it was not measured."""
    place = folder / MODEL / ("" if side == "head" else side)
    place.mkdir(parents=True, exist_ok=True)
    kept = None
    if predictions is not None:
        file = place / "predictions.csv"
        lines = [f"{number},{label},{guess}" for number, label, guess in predictions]
        file.write_text("\n".join(["id,y_true,y_pred", *lines]) + "\n")
        kept = Prediction(file=file.name, sha256=file_digest(file), bytes=file.stat().st_size)
    made = Training.model_validate(
        {
            "model": MODEL,
            "side": side,
            "state": StageState.PASSED if kept else StageState.NOT_MEASURED,
            "lineage": Lineage(commit="a" * 40, tree=HEAD_TREE),
            "predictions": kept,
            **changes,
        }
    )
    made.write(place)
    return made


def put_evidence(
    folder: Path,
    *,
    base: Sequence[Row] | None,
    head: Sequence[Row] | None,
    made: Plan | None = None,
) -> Plan:
    """Write the plan (or ``made``) and both sides; return the plan."""
    made = made or plan()
    made.write(folder)
    put_training(folder, base, side="base")
    put_training(folder, head, side="head")
    return made


def report_of(made: Plan, folder: Path) -> str:
    """Judge an evidence folder; return the comment."""
    models, verdict = judge(made, folder)
    return render(
        Report(plan=made, verdict=verdict, models=models, reproduce=(), evidence_at="here")
    )
