"""Input that a person can get wrong, at the door: a stated result or a clear error, for each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.config import METRICS, Gate, Slice, Task
from assay.errors import InputError
from assay.evidence import Comparison, Measurement
from support.compared import compared
from support.predictions import binary, multiclass, regression

MAKE = {Task.BINARY: binary, Task.MULTICLASS: multiclass, Task.REGRESSION: regression}
ROWS = 60


def every(task: Task) -> tuple[str, ...]:
    return tuple(name for name, metric in METRICS.items() if task in metric.tasks)


def only(comparison: Comparison) -> dict[str, Measurement]:
    return {each.metric: each for each in comparison.measurements if each.slice == "all"}


@pytest.mark.parametrize("task", MAKE)
def test_a_single_row_is_never_judged(tmp_path: Path, task: Task) -> None:
    sides = [{name: np.asarray(v)[:1] for name, v in side.items()} for side in MAKE[task](ROWS)]
    found = only(compared(tmp_path, *sides, task=task, report=every(task)))
    assert set(found) == set(every(task))
    for each in found.values():
        assert each.n == 1
        assert each.interval is None, each.metric
        assert each.regime or each.undefined, each.metric


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS])
def test_one_class_leaves_what_needs_two_undefined(tmp_path: Path, task: Task) -> None:
    label = {Task.BINARY: ("y_true", 1), Task.MULTICLASS: ("label", "cat")}[task]
    sides = [{**side, label[0]: [label[1]] * ROWS} for side in MAKE[task](ROWS)]
    found = only(compared(tmp_path, *sides, task=task, report=every(task)))
    for name in ("balanced_accuracy", "mcc", "f1_macro", "roc_auc", "average_precision"):
        if name in found:
            assert found[name].undefined == "only one class among the labels"
    assert found["accuracy"].interval is not None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("task", MAKE)
def test_scores_that_are_no_numbers(tmp_path: Path, task: Task, value: float) -> None:
    column = {Task.BINARY: "y_score", Task.MULTICLASS: "proba_cat", Task.REGRESSION: "pred"}[task]
    base, head = MAKE[task](ROWS)
    broken = {**head, column: np.r_[value, np.asarray(head[column])[1:]]}
    if task is Task.REGRESSION:
        with pytest.raises(InputError, match="missing, infinite or no number in 1 joined rows"):
            compared(tmp_path, base, broken, task=task)
        return
    found = only(compared(tmp_path, base, broken, task=task, report=("log_loss", "accuracy")))
    assert "1 rows of the head have probabilities missing" in (found["log_loss"].undefined or "")
    assert found["accuracy"].interval is not None


@pytest.mark.parametrize("kind", [str, float, bool])
def test_labels_of_another_type_count_as_what_they_say(tmp_path: Path, kind: type) -> None:
    base, head = binary(ROWS)
    other = {**head, **{name: head[name].astype(kind) for name in ("y_true", "y_pred")}}
    found = compared(tmp_path, base, other, report=("accuracy", "f1"))
    assert only(found) == only(compared(tmp_path, base, head, report=("accuracy", "f1")))
    assert any(note.startswith("The label is integer on the base and") for note in found.notes)


def test_labels_with_other_names_are_refused(tmp_path: Path) -> None:
    base, head = binary(ROWS)
    words = {name: np.where(head[name], "yes", "no") for name in ("y_true", "y_pred")}
    with pytest.raises(InputError, match="60 of 60 joined rows have another label on the base"):
        compared(tmp_path, base, {**head, **words})


def test_numbers_written_as_text(tmp_path: Path) -> None:
    base, head = regression(ROWS)
    text = [f"{value:.6f}" for value in head["pred"]]
    found = only(compared(tmp_path, base, {**head, "pred": text}, report=("mae",)))
    plain = only(compared(tmp_path, base, {**head, "pred": np.round(head["pred"], 6)}))
    assert found["mae"].head == plain["mae"].head
    comma = [value.replace(".", ",") for value in text]
    with pytest.raises(InputError, match="no number in 60 joined rows"):
        compared(tmp_path, base, {**head, "pred": comma}, task=Task.REGRESSION)


@pytest.mark.parametrize("factor", [0.7, 1.2])
def test_probabilities_must_add_up_to_one(tmp_path: Path, factor: float) -> None:
    base, head = multiclass(ROWS)
    cat = np.minimum(1, factor * head["proba_cat"])
    found = only(
        compared(tmp_path, base, {**head, "proba_cat": cat}, report=("log_loss", "brier", "mcc"))
    )
    for name in ("log_loss", "brier"):
        assert "not adding up to 1" in (found[name].undefined or "")
    assert found["mcc"].difference is not None


def test_ids_that_are_not_unique_or_not_shared(tmp_path: Path) -> None:
    base, head = binary(ROWS)
    twice = np.r_[1, np.arange(1, ROWS)]
    for sides in (({**base, "id": twice}, head), (base, {**head, "id": twice})):
        with pytest.raises(InputError, match="1 ids of the column 'id' stand on several rows"):
            compared(tmp_path, *sides)
    with pytest.raises(InputError, match="no id in common"):
        compared(tmp_path, base, {**head, "id": head["id"] + ROWS})


def test_a_slice_without_values(tmp_path: Path) -> None:
    base, head = ({**side, "region": [None] * ROWS} for side in binary(ROWS))
    found = compared(
        tmp_path, base, head,
        gates={"accuracy": Gate(margin=0.02)}, slices=(Slice(column="region"),), min_slice_rows=5,
    )  # fmt: skip
    assert {each.slice for each in found.measurements} == {"all", "region=missing"}


@pytest.mark.parametrize("value", [0.0, 1.0, 0.25])
def test_a_constant_on_both_sides(tmp_path: Path, value: float) -> None:
    side = {"id": range(ROWS), "cost": [value] * ROWS}
    found = only(compared(tmp_path, side, side))["mean:cost"]
    assert (found.base, found.head, found.difference) == (value, value, 0.0)
    if value == 1.0:
        # A share: the next row may be a 0.
        assert found.interval is not None
        assert found.interval[0] < 0 < found.interval[1]
    else:
        assert found.regime == "no row tells the models apart"


def test_predictions_that_never_err_have_no_scale(tmp_path: Path) -> None:
    base, head = ({**side, "pred": side["target"]} for side in regression(ROWS))
    found = only(
        compared(tmp_path, base, head, task=Task.REGRESSION, report=every(Task.REGRESSION))
    )
    for each in found.values():
        assert each.difference == 0, each.metric
        assert each.interval is None, each.metric
        assert each.regime, each.metric


def test_one_prediction_for_all_rows(tmp_path: Path) -> None:
    sides = [{**side, "y_pred": [0] * ROWS, "y_score": [0.5] * ROWS} for side in binary(ROWS)]
    found = only(compared(tmp_path, *sides, task=Task.BINARY, report=every(Task.BINARY)))
    assert "0/0" in (found["precision"].undefined or "")
    assert "0/0" in (found["mcc"].undefined or "")
    assert found["roc_auc"].base == 0.5
    for each in found.values():
        if each.interval is not None:
            assert each.interval[0] < 0 < each.interval[1], each.metric
