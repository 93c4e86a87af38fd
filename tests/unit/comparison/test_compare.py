"""What a comparison promises beside the values: symmetry, the same bytes, and a stated reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.comparison import Asked, compare, compare_scalars, not_measured
from assay.config import Gate, Scalar, Slice
from support.compared import compared, measured, numbers
from support.predictions import binary, multiclass, regression, write_predictions


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    base, head = binary(3000)
    files = [
        write_predictions(tmp_path / f"{name}.parquet", columns)
        for name, columns in (("base", base), ("head", head))
    ]
    asked = Asked(
        gates={"log_loss": Gate(margin=0.01), "roc_auc": Gate(relative_margin=0.01)},
        slices=(Slice(column="region"), Slice(column="age", bins=(30.0, 60.0))),
    )
    first = compare(*files, asked).to_json()
    assert all(compare(*files, asked).to_json() == first for _ in range(2))


def test_formats_agree_on_every_number(tmp_path: Path) -> None:
    base, head = binary(200)
    one, *others = (
        numbers(compared(tmp_path, base, head, suffix=suffix))
        for suffix in (".parquet", ".csv", ".jsonl")
    )
    assert others == [one, one]


def test_an_identical_model_is_known_to_be_one(tmp_path: Path) -> None:
    base, head = binary(200)
    digests = {"base_model": "d", "head_model": "d"}
    same = compared(tmp_path, base, base, **digests)
    assert same.identical_model
    assert measured(same, "accuracy").interval == (0.0, 0.0)
    copy = compared(tmp_path, base, base)
    assert (copy.identical_model, copy.identical_predictions) == (False, True)
    low, high = measured(copy, "accuracy").interval
    assert low < 0 < high
    odd = compared(tmp_path, base, head, **digests)
    assert not odd.identical_model
    assert any("not deterministic" in note for note in odd.notes)


def test_small_slices_are_counted_and_not_measured(tmp_path: Path) -> None:
    base, head = binary(300)
    region = np.where(np.arange(300) < 20, "east", base["region"])
    found = compared(
        tmp_path, {**base, "region": region}, {**head, "region": region},
        slices=(Slice(column="region"),),
    )  # fmt: skip
    assert found.small_slices == {"region=east": 20}
    assert {m.slice for m in found.measurements} == {"all", "region=north", "region=south"}


def test_slices_are_measured_for_the_metrics_that_gate(tmp_path: Path) -> None:
    base, head = binary(300)
    asked = {"gates": {"accuracy": Gate(margin=0.02)}, "slices": (Slice(column="region"),)}
    found = compared(tmp_path, base, head, report=("f1",), **asked)
    assert [(m.metric, m.slice) for m in found.measurements][:2] == [
        ("accuracy", "all"), ("f1", "all"),
    ]  # fmt: skip
    assert {m.metric for m in found.measurements if m.slice != "all"} == {"accuracy"}


@pytest.mark.parametrize(
    ("change", "metric", "reason"),
    [
        ({"y_score": [float("nan")] + [0.5] * 59}, "roc_auc", "missing, infinite or no number"),
        ({"y_score": [7.0] + [0.5] * 59}, "log_loss", "outside 0 to 1"),
        ({"y_score": None}, "brier", "no probabilities on both sides"),
        ({}, "mae", "not defined for the task binary"),
        ({}, "mean:cost", "the head has no column 'cost'"),
        ({}, "mean:region", "holds text values"),
        ({"y_true": [0] * 60}, "roc_auc", "only one class"),
        ({"y_true": [0] * 60}, "recall", "no row has the positive label"),
        ({"y_pred": [0] * 60}, "mcc", "only one class is predicted"),
    ],
)
def test_what_is_not_there_is_undefined_with_its_reason(
    tmp_path: Path, change: dict[str, Any], metric: str, reason: str
) -> None:
    base, head = binary(60)
    for side in (base, head) if "y_true" in change else (head,):
        side.update(change)
        for name in [name for name, values in side.items() if values is None]:
            del side[name]
    found = measured(compared(tmp_path, base, head, report=(metric,)), metric)
    assert reason in (found.undefined or "")
    assert found.interval is None


def test_scores_beyond_probabilities_still_rank(tmp_path: Path) -> None:
    base, head = binary(200)
    for side in (base, head):
        side["y_score"] = np.log(side["y_score"] / (1.001 - side["y_score"]))
        del side["y_pred"]
    found = compared(tmp_path, base, head, report=("roc_auc", "accuracy", "log_loss"))
    assert measured(found, "roc_auc").interval is not None
    assert "no prediction column" in (measured(found, "accuracy").undefined or "")
    assert "outside 0 to 1" in (measured(found, "log_loss").undefined or "")


def test_percentages_of_zero_are_undefined(tmp_path: Path) -> None:
    base, head = regression(100)
    label = np.where(np.arange(100) < 2, 0.0, base["target"])
    found = compared(
        tmp_path, {**base, "target": label}, {**head, "target": label}, report=("mape",)
    )
    assert measured(found, "mape").undefined == "2 labels are 0, where a percentage is not defined"


def test_numbers_beyond_any_computing_are_undefined(tmp_path: Path) -> None:
    base, head = regression(100)
    pred = np.where(np.arange(100) < 2, 1e200, base["pred"])
    found = compared(tmp_path, base, {**head, "pred": pred}, report=("mae", "rmse", "r2"))
    for metric in ("mae", "rmse", "r2"):
        assert "beyond" in (measured(found, metric).undefined or "")


def test_a_certain_mistake_is_clipped_and_said(tmp_path: Path) -> None:
    base, head = binary(100)
    score = np.where(head["y_true"] == 1, 0.0, head["y_score"])
    found = compared(tmp_path, base, {**head, "y_score": score}, report=("log_loss",))
    assert np.isfinite(measured(found, "log_loss").head)
    assert any(note.startswith("Log loss:") and "2.2e-16" in note for note in found.notes)


def test_classes_that_are_no_labels_are_noted(tmp_path: Path) -> None:
    base, head = multiclass(90)
    prediction = np.where(np.arange(90) < 3, "yak", head["prediction"])
    found = compared(tmp_path, base, {**head, "prediction": prediction}, report=("accuracy",))
    assert "Predicted, but never a label: 'yak'." in found.notes
    assert found.details.classes == ("cat", "dog", "owl", "yak")


def test_rows_that_left_or_changed_mean_another_test_set(tmp_path: Path) -> None:
    base, head = binary(100)
    assert not compared(tmp_path, base, head).test_set_changed
    assert compared(tmp_path, base, head, test_set_changed=True).test_set_changed
    fewer = {name: values[:90] for name, values in head.items()}
    found = compared(tmp_path, base, fewer)
    assert found.test_set_changed
    assert found.rows is not None
    assert (found.rows.joined, found.rows.base_only) == (90, 10)


def test_one_row_is_measured(tmp_path: Path) -> None:
    one = {"id": [1], "y_true": [1], "y_pred": [0]}
    found = compared(tmp_path, one, {**one, "y_pred": [1]}, report=("accuracy",))
    accuracy = measured(found, "accuracy")
    assert (accuracy.base, accuracy.head, accuracy.n) == (0.0, 1.0, 1)
    values = {"id": [1], "cost": [3.0]}
    assert measured(compared(tmp_path, values, values), "mean:cost").n == 1


def test_a_loss_that_is_the_same_on_every_row_is_worse(tmp_path: Path) -> None:
    cost = np.random.default_rng(3).random(200)
    base, head = ({"id": np.arange(200), "cost": values} for values in (cost, cost - 0.25))
    found = measured(compared(tmp_path, base, head), "mean:cost")
    assert found.difference == pytest.approx(-0.25)
    assert found.interval is not None
    assert found.interval[1] < 0
    flat = {"id": np.arange(200), "cost": np.zeros(200)}
    moved = {"id": np.arange(200), "cost": np.full(200, -0.25)}
    assert measured(compared(tmp_path, flat, moved), "mean:cost").difference == -0.25


def test_a_margin_says_how_many_rows_would_settle_it(tmp_path: Path) -> None:
    base, head = binary(100)
    found = compared(tmp_path, base, head, gates={"accuracy": Gate(margin=0.001)}, report=())
    needed = measured(found, "accuracy").rows_needed
    assert needed is not None
    assert needed > 10_000


def test_long_texts_do_not_fill_the_evidence(tmp_path: Path) -> None:
    rows = 200
    base = {
        "id": [f"{i}" + "x" * 5000 for i in range(rows)],
        "y_true": ["no" * 300, "yes" * 300] * (rows // 2),
        "y_pred": ["no" * 300, "yes" * 300] * (rows // 2),
        "city": ["c" * 9000 + str(i % 3) for i in range(rows)],
    }
    head = {**base, "id": [*base["id"][4:], "new1", "new2", "new3", "new4"]}
    found = compared(tmp_path, base, head, slices=(Slice(column="city"),), min_slice_rows=1)
    assert len(found.to_json()) < 40_000
    assert len({m.slice for m in found.measurements}) == 4


def test_probabilities_of_the_other_class_are_suspected(tmp_path: Path) -> None:
    base, head = binary(200)
    assert not [note for note in compared(tmp_path, base, head).notes if "other class" in note]
    turned = {**head, "y_score": 1 - head["y_score"]}
    (note,) = [n for n in compared(tmp_path, base, turned).notes if "other class" in n]
    assert note.startswith("The head's ROC AUC is 0.")


def test_a_misspelt_score_column_gets_the_nearest_name(tmp_path: Path) -> None:
    values = {"id": [1, 2], "grade": [3.0, 4.0]}
    found = compared(tmp_path, values, values, report=("mean:grde",))
    assert measured(found, "mean:grde").undefined == (
        "the head has no column 'grde'; did you mean 'grade'?"
    )


def test_scalars_carry_no_interval(tmp_path: Path) -> None:
    scalars = {
        "latency": Scalar(file="m.json", key="p95", higher_is_better=False),
        "score": Scalar(file="m.json", key="s"),
    }
    latency, score = compare_scalars(
        scalars,
        base={"latency": 10.0, "score": 1.0},
        head={"latency": 12.5},
        head_missing={"score": "m.json has no key s"},
    )
    assert (latency.difference, latency.has_interval, latency.interval) == (-2.5, False, None)
    assert (score.difference, score.undefined) == (None, "head: m.json has no key s")


def test_nothing_to_compare_says_why() -> None:
    found = not_measured("churn", "the base has no predictions")
    assert (found.model, found.not_measured) == ("churn", "the base has no predictions")
    assert not found.measurements
