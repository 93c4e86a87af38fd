from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from doctor_visit.evaluate import predict, summarise
from doctor_visit.model import FEATURES, build, labelled, matrix
from doctor_visit.params import read_params
from doctor_visit.prepare import add_history, add_label

ROOT = Path(__file__).parents[1]


@pytest.fixture
def table(raw: pd.DataFrame) -> pd.DataFrame:
    return add_label(add_history(raw)).reset_index(drop=True)


@pytest.fixture
def params() -> dict[str, Any]:
    return read_params("train", ROOT / "params.yaml")


def test_the_committed_parameters_name_known_features(params: dict[str, Any]) -> None:
    assert set(params["features"]) <= set(FEATURES)


def test_the_matrix_holds_numbers_and_ranks_health(table: pd.DataFrame) -> None:
    features = matrix(table, list(FEATURES))
    assert list(features.columns) == list(FEATURES)
    assert (features.dtypes == "float64").all()
    assert features["health"].tolist() == [0, 0, 0, 1, 1, 3]


@pytest.mark.parametrize("feature", ["visit", "visits", "member"])
def test_the_label_and_the_member_are_no_features(table: pd.DataFrame, feature: str) -> None:
    with pytest.raises(ValueError, match=f"no such feature: {feature}"):
        matrix(table, ["coinsurance", feature])


def test_an_unknown_model_is_refused(params: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no such model: oracle"):
        build({**params, "model": "oracle"})


def test_rows_without_a_label_are_left_out(table: pd.DataFrame) -> None:
    table.loc[2, "visit"] = pd.NA
    assert labelled(table)["id"].tolist() == [i for i in table["id"] if i != table["id"][2]]


@pytest.mark.parametrize("kind", ["gradient_boosting", "logistic_regression"])
def test_training_twice_predicts_the_same(
    table: pd.DataFrame, params: dict[str, Any], kind: str
) -> None:
    features = matrix(table, params["features"])
    first, second = (
        build({**params, "model": kind}).fit(features, table["visit"].astype("int64"))
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.predict_proba(features), second.predict_proba(features))


def test_predictions_carry_truth_class_score_and_slices(
    table: pd.DataFrame, params: dict[str, Any]
) -> None:
    model = build({**params, "model": "logistic_regression"})
    model.fit(matrix(table, params["features"]), table["visit"].astype("int64"))

    predictions = predict(model, table, threshold=0.5)

    assert list(predictions.columns) == [
        "id", "y_true", "y_pred", "y_score", "plan", "health", "disease_index",
    ]  # fmt: skip
    assert predictions["id"].tolist() == table["id"].tolist()
    assert predictions["y_score"].between(0, 1).all()
    assert ((predictions["y_score"] >= 0.5) == (predictions["y_pred"] == 1)).all()


def test_the_summary_counts_what_is_right() -> None:
    predictions = pd.DataFrame(
        {"y_true": [0, 0, 1, 1], "y_pred": [0, 1, 1, 1], "y_score": [0.1, 0.6, 0.7, 0.9]}
    )
    summary = summarise(predictions)
    assert summary["accuracy"] == 0.75
    assert summary["roc_auc"] == 1.0
    assert summary["rows"] == 4
