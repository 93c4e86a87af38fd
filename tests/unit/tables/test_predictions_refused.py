"""Prediction files that cannot be compared, or whose scores cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.config import Columns, Slice
from support.paired import paired, refusal, two
from support.predictions import binary, multiclass


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        ([0.5, None, 0.1, 0.2], "missing", "1 rows of the head"),
        ([0.5, float("nan"), 0.1, 0.2], "missing", "missing, infinite or no number"),
        ([0.5, float("inf"), 0.1, 0.2], "missing", "missing, infinite or no number"),
        ([0.5, 1.2, -0.1, 0.2], "outside", "2 rows of the head have probabilities outside 0 to 1"),
    ],
)
def test_unusable_probabilities_are_named(
    tmp_path: Path, values: list[Any], kind: str, words: str
) -> None:
    base = {"id": [1, 2, 3, 4], "y_true": [0, 1, 0, 1], "y_pred": [0, 1, 1, 1],
            "y_score": [0.1, 0.9, 0.4, 0.6]}  # fmt: skip
    found = paired(tmp_path, (base, {**base, "y_score": values}))
    assert words in found["broken"][kind]
    assert found["unanswered"] is None


def test_scores_that_are_no_probabilities_answer_nothing(tmp_path: Path) -> None:
    base = {"id": [1, 2, 3, 4], "y_true": [0, 1, 0, 1], "y_score": [-3.0, 2.0, 0.4, 1.6]}
    assert "no prediction column" in str(paired(tmp_path, (base, base))["unanswered"])


def test_class_probabilities_that_do_not_add_up_are_named(tmp_path: Path) -> None:
    base, head = multiclass(60)
    head["proba_cat"] = np.where(np.arange(60) < 5, 0.9999, head["proba_cat"])
    assert "5 rows of the head" in paired(tmp_path, (base, head))["broken"]["sum"]
    del head["proba_owl"]
    assert "missing" in paired(tmp_path, (base, head))["broken"]["missing"]


LABELS = {"id": [1, 2, 3], "y_true": [0, 1, 1], "y_pred": [0, 1, 0]}
NUMBERS = {"id": [1, 2, 3], "y_true": [0.5, 1.5, 2.5], "y_pred": [0.4, 1.6, 2.5]}
REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]] = {
    "repeated ids": (LABELS, {**LABELS, "id": [1, 1, 2]}, {}, "'1' (2 times)"),
    "missing id": (LABELS, {**LABELS, "id": [1, None, 2]}, {}, "empty in 1 of 3 rows"),
    "NaN id": (NUMBERS, {**NUMBERS, "id": [1.0, float("nan"), 2.0]}, {}, "empty in 1 of 3 rows"),
    "id on one side": (
        LABELS, {k: v for k, v in LABELS.items() if k != "id"}, {}, "there is no id column, while",
    ),
    "no common id": (LABELS, {**LABELS, "id": ["a", "b", "c"]}, {}, "no id in common"),
    "missing label": (LABELS, {**LABELS, "y_true": [0, None, 1]}, {}, "label is missing in 1"),
    "missing prediction": (LABELS, {**LABELS, "y_pred": [0, 1, None]}, {}, "(ids '3')"),
    "NaN prediction": (NUMBERS, {**NUMBERS, "y_pred": [0.4, float("nan"), 1]}, {}, "infinite"),
    "infinite prediction": (NUMBERS, {**NUMBERS, "y_pred": [0.4, float("inf"), 1]}, {}, "ids '2'"),
    "text prediction": (
        NUMBERS, {**NUMBERS, "y_pred": ["0.4", "x", "1"]}, {"task": "regression"}, "no number",
    ),
    "no prediction": (
        LABELS, {"id": [1, 2, 3], "y_true": [0, 1, 1]}, {}, "no prediction column was recognised",
    ),
    "no label": (LABELS, LABELS, {"names": Columns(label="truth")}, "no column 'truth'"),
    "case of a name": (LABELS, LABELS, {"names": Columns(label="Y_TRUE")}, "Did you mean 'y_true'"),
    "task without label": ({"id": [1], "a": [1]}, {"id": [1], "a": [1]}, {"task": "binary"},
                           "no label column"),
    "three classes": (
        LABELS, {**LABELS, "y_pred": [0, 1, 2]}, {"task": "binary"}, "there are 3 classes",
    ),
    "wrong positive": (LABELS, LABELS, {"names": Columns(positive="yes")}, "positive class 'yes'"),
    "one class": (
        {**LABELS, "y_true": ["a"] * 3, "y_pred": ["a"] * 3},
        {**LABELS, "y_true": ["a"] * 3, "y_pred": ["a"] * 3}, {}, "one class only",
    ),
    "texts": (
        {**LABELS, "y_pred": ["x" * 2000, "1", "0"]}, LABELS, {}, "over 1,000 characters",
    ),
    "nested label": (
        {**LABELS, "y_true": [[0], [1], [1]]}, {**LABELS, "y_true": [[0], [1], [1]]}, {},
        "not sets of labels",
    ),
    "labels all missing": (
        {**LABELS, "y_true": [None] * 3}, {**LABELS, "y_true": [None] * 3}, {"task": "multiclass"},
        "label is missing in 3",
    ),
    "unknown slice": (LABELS, LABELS, {"slices": (Slice(column="x"),)}, "no column 'x' to slice"),
    "bins of text": (
        {**LABELS, "t": ["a", "b", "c"]}, {**LABELS, "t": ["a", "b", "c"]},
        {"slices": (Slice(column="t", bins=(1.0,)),)}, "which have no bins",
    ),
    "two slicings": (
        LABELS, LABELS, {"slices": (Slice(column="id"), Slice(column="id", bins=(2.0,)))},
        "in two ways",
    ),
    "reserved name": ({**LABELS, "Assay key": [1, 2, 3]}, LABELS, {}, "reserved"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_compared_is_refused(tmp_path: Path, case: str) -> None:
    base, head, options, words = REFUSED[case]
    assert words in refusal(tmp_path, (base, head), **options)


def test_a_measured_number_needs_bins(tmp_path: Path) -> None:
    base, head = binary(200)
    message = refusal(tmp_path, (base, head), slices=(Slice(column="age"),))
    assert "200 different numbers" in message
    assert "--slice 'age:18,40'" in message


def test_more_than_a_hundred_thousand_labels_are_no_classes(tmp_path: Path) -> None:
    rows = 100_001
    columns = {"id": np.arange(rows), "label": [f"x{i}" for i in range(rows)]}
    columns["y_pred"] = columns["label"]
    assert "--task regression" in refusal(tmp_path, two(**columns))
