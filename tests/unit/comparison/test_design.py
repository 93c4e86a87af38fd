"""Clusters, strata, weights and repeats at the comparison's door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score

from assay.config import Columns, Slice
from assay.errors import InputError
from assay.report.drawn import drawn_in_words
from support.compared import compared, measured
from support.predictions import binary, regression

Sides = tuple[dict[str, Any], dict[str, Any]]
METRICS = ("accuracy", "f1", "mcc", "log_loss", "roc_auc", "average_precision")


def with_column(sides: Sides, name: str, values: Any) -> Sides:
    return {**sides[0], name: values}, {**sides[1], name: values}


def clustered(rows: int = 900) -> Sides:
    return with_column(binary(rows), "patient_id", [f"p{row % 60}" for row in range(rows)])


def test_a_declared_entity_is_the_unit(tmp_path: Path) -> None:
    found = compared(tmp_path, *clustered(), columns=Columns(entity="patient_id"), report=METRICS)
    for metric in METRICS:
        assert measured(found, metric).interval is not None, measured(found, metric)
        assert measured(found, metric).clusters == 60
    assert found.drawn is not None
    assert found.drawn.clusters == 60
    assert drawn_in_words(found, escape=True) == (
        "The unit is `patient_id`, not the row: 60 clusters."
    )


def test_a_likely_entity_is_named_where_none_is_declared(tmp_path: Path) -> None:
    found = compared(tmp_path, *clustered())
    assert any("columns.entity: patient_id" in note for note in found.notes)
    assert found.drawn is None
    unique = with_column(binary(100), "patient_id", range(100))
    assert not any("entity" in note for note in compared(tmp_path / "b", *unique).notes)


def test_weighted_values_are_scikit_learns(tmp_path: Path) -> None:
    base, head = binary(700)
    weights = np.random.default_rng(1).gamma(2.0, 1.0, 700)
    weights[:50] = 0
    sides = with_column((base, head), "w", weights)
    found = compared(tmp_path, *sides, columns=Columns(weight="w"), report=METRICS)
    accuracy, auc = measured(found, "accuracy"), measured(found, "roc_auc")
    assert accuracy.head == pytest.approx(
        accuracy_score(head["y_true"], head["y_pred"], sample_weight=weights)
    )
    assert auc.base == pytest.approx(
        roc_auc_score(base["y_true"], base["y_score"], sample_weight=weights)
    )
    kish = weights.sum() ** 2 / (weights**2).sum()
    assert accuracy.effective_n == pytest.approx(kish, abs=0.1)
    assert "(Kish)" in drawn_in_words(found, escape=False)


def test_every_regression_metric_takes_a_design(tmp_path: Path) -> None:
    base, head = regression(800)
    sides = with_column((base, head), "user_id", np.arange(800) % 80)
    names = ("mae", "rmse", "r2", "mape", "median_absolute_error")
    found = compared(tmp_path, *sides, columns=Columns(entity="user_id"), report=names)
    for name in names:
        assert measured(found, name).interval is not None or measured(found, name).regime, name


def test_slices_keep_their_own_clusters(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        *clustered(),
        columns=Columns(entity="patient_id"),
        slices=(Slice(column="region"),),
        report=("accuracy",),
    )
    assert measured(found, "accuracy", "region=north").clusters == 60


def test_the_order_of_the_rows_has_no_effect(tmp_path: Path) -> None:
    base, head = clustered()
    base["w"] = head["w"] = np.random.default_rng(3).random(900) + 0.1
    columns = Columns(entity="patient_id", stratum="region", weight="w")
    # A patient lies in one region.
    base["region"] = head["region"] = np.array([f"r{row % 60 % 3}" for row in range(900)])
    order = np.random.default_rng(4).permutation(900)
    shuffled = {name: np.asarray(values)[order] for name, values in head.items()}
    one = compared(tmp_path / "a", base, head, columns=columns, report=METRICS)
    other = compared(tmp_path / "b", base, shuffled, columns=columns, report=METRICS)
    assert one.measurements == other.measurements
    assert one.drawn == other.drawn


def test_few_clusters_are_not_judged(tmp_path: Path) -> None:
    sides = with_column(binary(600), "patient_id", np.arange(600) % 9)
    found = compared(tmp_path, *sides, columns=Columns(entity="patient_id"), report=("accuracy",))
    assert measured(found, "accuracy").regime == "too few clusters"


BAD: dict[str, tuple[str, Any, str]] = {
    "a missing entity": ("entity", [None, *["a"] * 99], "'c': it is missing in 1 joined rows"),
    "a negative weight": ("weight", [-1.0, *[1.0] * 99], "no number from 0 up in 1 joined rows"),
    "a weight that is none": ("weight", [float("nan"), *[1.0] * 99], "no number from 0 up"),
    "an infinite weight": ("weight", [float("inf"), *[1.0] * 99], "no number from 0 up"),
    "a weight of text": ("weight", ["heavy"] * 100, "no number from 0 up in 100 joined rows"),
    "no weight at all": ("weight", [0.0] * 100, "all weights are 0"),
    "nested values": ("stratum", [[1]] * 100, "it holds BIGINT\\[\\] values"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_design_is_refused(tmp_path: Path, case: str) -> None:
    role, values, message = BAD[case]
    sides = with_column(binary(100), "c", values)
    with pytest.raises(InputError, match=message):
        compared(tmp_path, *sides, columns=Columns.model_validate({role: "c"}))


def test_a_column_on_neither_side_and_an_entity_in_two_strata_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no column 'nobody' \(columns.entity\)"):
        compared(tmp_path, *binary(100), columns=Columns(entity="nobody"))
    columns = Columns(entity="patient_id", stratum="region")
    with pytest.raises(InputError, match="lie in several strata"):
        compared(tmp_path, *clustered(), columns=columns)


def test_repeated_grades_are_averaged(tmp_path: Path) -> None:
    """Three judges a row on either side: one grade each, and the note says so."""
    rng = np.random.default_rng(5)
    ids = np.repeat(np.arange(120), 3)
    sides = tuple(
        {"id": ids, "grade": rng.integers(1, 6, 360), "fluent": rng.random(360) < share}
        for share in (0.5, 0.7)
    )
    asked = {"report": ("mean:grade", "mean:fluent")}
    found = compared(tmp_path / "a", sides[0], sides[1], **asked)
    assert found.rows is not None
    assert found.rows.joined == 120
    assert (found.rows.base_only, found.rows.head_only) == (0, 0)
    assert measured(found, "mean:grade").base == pytest.approx(sides[0]["grade"].mean())
    assert measured(found, "mean:fluent").head == pytest.approx(sides[1]["fluent"].mean())
    assert "120 ids stand on several rows of the base: their numbers are averaged." in found.notes
    order = rng.permutation(360)
    shuffled = {name: values[order] for name, values in sides[1].items()}
    again = compared(tmp_path / "b", sides[0], shuffled, **asked)
    assert again.measurements == found.measurements


def test_repeated_ids_of_a_classifier_are_refused_with_what_to_do(tmp_path: Path) -> None:
    base, head = binary(100)
    base["id"] = head["id"] = np.arange(100) // 2
    with pytest.raises(InputError, match="stand on several rows") as caught:
        compared(tmp_path, base, head)
    assert "columns.entity" in str(caught.value)
