"""Several labels per row: against scikit-learn, in each form, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle
from sklearn.preprocessing import MultiLabelBinarizer

from assay.comparison import Asked, compare
from assay.config import Columns, Gate, Slice, Task
from assay.errors import InputError
from support.compared import compared, measured
from support.predictions import label_sets, write_predictions

ORACLES: dict[str, Callable[[Any, Any], float]] = {
    "subset_accuracy": oracle.accuracy_score,
    "hamming_loss": oracle.hamming_loss,
    "f1_samples": lambda y, p: oracle.f1_score(y, p, average="samples", zero_division=1),
    **{
        f"{name}_{average}": lambda y, p, of=of, average=average: of(
            y, p, average=average, zero_division=0
        )
        for name, of in (
            ("precision", oracle.precision_score),
            ("recall", oracle.recall_score),
            ("f1", oracle.f1_score),
        )
        for average in ("micro", "macro")
    },
}


LABELS: dict[str, Callable[[Any, Any, Any], float]] = {
    f"{name}_{average}": lambda y, p, w, of=of, average=average: of(
        y, p, average=average, zero_division=0, sample_weight=w
    )
    for name, of in (
        ("precision", oracle.precision_score),
        ("recall", oracle.recall_score),
        ("f1", oracle.f1_score),
    )
    for average in ("micro", "macro")
}


def test_values_are_scikit_learns(tmp_path: Path) -> None:
    base, head = label_sets()
    found = compared(tmp_path, base, head, report=tuple(ORACLES), slices=(Slice(column="site"),))
    assert found.task is Task.MULTILABEL
    binarizer = MultiLabelBinarizer().fit(base["y_true"] + base["y_pred"] + head["y_pred"])
    site = np.array(base["site"])
    for where, kept in (("all", site != ""), ("site=a", site == "a")):
        y, b, h = (
            binarizer.transform(side)[kept]
            for side in (base["y_true"], base["y_pred"], head["y_pred"])
        )
        for metric, value in ORACLES.items():
            here = measured(found, metric, where)
            assert here.base == pytest.approx(value(y, b), rel=1e-12), metric
            assert here.head == pytest.approx(value(y, h), rel=1e-12), metric
            assert here.interval is not None, (metric, here)


@pytest.mark.parametrize("metric", ["f1_macro", "precision_micro"])
def test_an_interval_is_that_of_rows_left_out_one_by_one(tmp_path: Path, metric: str) -> None:
    base, head = label_sets(400)
    found = measured(compared(tmp_path, base, head, report=(metric,)), metric)
    binarizer = MultiLabelBinarizer().fit(base["y_true"])
    y, b, h = (
        binarizer.transform(side) for side in (base["y_true"], base["y_pred"], head["y_pred"])
    )
    rows = np.arange(400)
    without = [
        ORACLES[metric](y[rows != k], h[rows != k]) - ORACLES[metric](y[rows != k], b[rows != k])
        for k in rows
    ]
    jackknife = np.sqrt(399 / 400 * np.sum((np.array(without) - np.mean(without)) ** 2))
    assert found.interval is not None
    # The interval adds z² pseudo-rows to 400.
    assert (found.interval[1] - found.interval[0]) / 2 / 1.966 == pytest.approx(jackknife, rel=0.06)


def as_text(side: dict[str, Any]) -> dict[str, Any]:
    joined = {name: ["|".join(each) for each in side[name]] for name in ("y_true", "y_pred")}
    return {**side, **joined}


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_text_with_a_delimiter_and_json_lists_say_the_same(tmp_path: Path, suffix: str) -> None:
    base, head = label_sets(120)
    lists = compared(tmp_path, base, head, report=tuple(ORACLES))
    files = []
    for name, side in (("base", base), ("head", head)):
        path = tmp_path / f"{name}-again{suffix}"
        if suffix == ".jsonl":
            rows = [dict(zip(side, row, strict=True)) for row in zip(*side.values(), strict=True)]
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        else:
            write_predictions(path, as_text(side))
        files.append(path)
    columns = Columns() if suffix == ".jsonl" else Columns(delimiter="|")
    again = compare(*files, Asked(report=tuple(ORACLES), columns=columns))
    assert again.measurements == lists.measurements


def test_order_and_repeats_in_a_set_are_without_effect(tmp_path: Path) -> None:
    base, head = label_sets(100)
    one = compared(tmp_path, base, head, report=tuple(ORACLES))
    head["y_pred"] = [[*each[::-1], *each] for each in head["y_pred"]]
    again = compared(tmp_path, base, head, report=tuple(ORACLES))
    assert again.measurements == one.measurements


def test_empty_and_unseen_sets_are_said(tmp_path: Path) -> None:
    base, head = label_sets(100)
    head["y_pred"][0] = ["zebra"]
    base["y_true"][1] = head["y_true"][1] = base["y_pred"][1] = head["y_pred"][1] = []
    found = compared(tmp_path, base, head)
    assert "Predicted, but never a label: 'zebra'." in found.notes
    assert any(note.startswith("Empty sets: ") for note in found.notes)


def test_rare_labels_are_not_averaged(tmp_path: Path) -> None:
    base, head = label_sets(100, labels=40)
    found = compared(
        tmp_path, base, head, gates={"f1_macro": Gate(margin=0.1)}, report=("f1_micro",)
    )
    assert measured(found, "f1_macro").regime == "too few rows with most labels"
    assert measured(found, "f1_micro").interval is not None


def test_nothing_predicted_and_nothing_true(tmp_path: Path) -> None:
    base, head = label_sets(60)
    head["y_pred"] = [[] for _ in range(60)]
    head["y_pred"][0] = ["l0"]
    found = compared(tmp_path, base, head, report=("precision_micro", "f1_macro"))
    assert measured(found, "precision_micro").regime == "too few positives"
    base["y_true"] = head["y_true"] = [[] for _ in range(59)] + [["l0"]]
    found = compared(tmp_path, base, head, report=("recall_micro",))
    assert measured(found, "recall_micro").regime == "too few positives"


def test_weighted_and_clustered_rows_are_judged_with_scikit_learns_values(tmp_path: Path) -> None:
    base, head = label_sets(600)
    weights = np.random.default_rng(6).gamma(2.0, 1.0, 600)
    weights[:20] = 0
    for side in (base, head):
        side["user"] = (np.arange(600) // 6).tolist()
        side["w"] = weights.tolist()
    asked: dict[str, Any] = {"report": tuple(ORACLES), "slices": (Slice(column="site"),)}
    found = compared(tmp_path, base, head, columns=Columns(entity="user", weight="w"), **asked)
    binarizer = MultiLabelBinarizer().fit(base["y_true"] + base["y_pred"] + head["y_pred"])
    for where, kept in (("all", weights > 0), ("site=a", np.array(base["site"]) == "a")):
        for name, side in (("base", base), ("head", head)):
            y, said = (binarizer.transform(side[each])[kept] for each in ("y_true", "y_pred"))
            for metric, of in LABELS.items():
                here = measured(found, metric, where)
                value = of(y, said, weights[kept])
                assert getattr(here, name) == pytest.approx(value, rel=1e-12), metric
                assert here.interval is not None, (metric, here)
                assert here.clusters is not None


def test_the_order_of_drawn_rows_has_no_effect(tmp_path: Path) -> None:
    base, head = label_sets(300)
    for side in (base, head):
        side["user"] = (np.arange(300) // 5).tolist()
        side["w"] = np.random.default_rng(7).gamma(2.0, 1.0, 300).tolist()
    asked: dict[str, Any] = {
        "columns": Columns(entity="user", weight="w"),
        "report": tuple(LABELS),
        "slices": (Slice(column="site"),),
    }
    order = np.random.default_rng(8).permutation(300).tolist()
    there = compared(tmp_path, base, head, **asked)
    moved = {name: [values[row] for row in order] for name, values in head.items()}
    assert compared(tmp_path, base, moved, **asked).measurements == there.measurements


def test_a_relative_margin_of_drawn_rows_is_judged(tmp_path: Path) -> None:
    base, head = label_sets(600)
    for side in (base, head):
        side["user"] = (np.arange(600) // 5).tolist()
    gates = {"f1_macro": Gate(relative_margin=0.05)}
    found = compared(tmp_path, base, head, columns=Columns(entity="user"), gates=gates)
    relative = next(m for m in found.measurements if m.base_weight != 1 and m.slice == "all")
    assert relative.base_weight == pytest.approx(0.95)
    assert relative.difference == pytest.approx((relative.head or 0) - 0.95 * (relative.base or 0))
    assert relative.interval is not None
    assert relative.clusters == 120


def test_a_design_without_a_label_or_a_prediction_says_so(tmp_path: Path) -> None:
    base, head = label_sets(60)
    for side in (base, head):
        side["w"] = [0.0] + [1.0] * 59
    asked: dict[str, Any] = {"columns": Columns(weight="w"), "report": ("precision_micro",)}
    head["y_pred"] = [["l0"]] + [[] for _ in range(59)]
    nothing = measured(compared(tmp_path, base, head, **asked), "precision_micro")
    assert nothing.undefined == "0/0: no label is predicted"
    base["y_true"] = head["y_true"] = head["y_pred"]
    unlabelled = measured(compared(tmp_path, base, head, **asked), "precision_micro")
    assert unlabelled.undefined == "no row has a label"


@pytest.mark.parametrize(
    ("change", "asked", "said"),
    [
        ({"y_pred": ["a"] * 60}, {}, r"'y_pred' holds single values \(VARCHAR\), not sets"),
        ({"y_true": list(range(60))}, {}, "'y_true' holds single values"),
        ({"y_true": [None, *[["a"]] * 59]}, {}, "the label is missing in 1 joined rows"),
        ({"y_true": [[None], *[["a"]] * 59]}, {}, "the label is missing in 1 joined rows"),
        ({}, {"task": Task.BINARY}, r"'y_true' holds VARCHAR\[\] values, not single ones"),
        ({"y_pred": [[["a"]]] * 60}, {}, r"'y_pred' holds VARCHAR\[\]\[\] values"),
    ],
)
def test_bad_input_is_refused(
    tmp_path: Path, change: dict[str, Any], asked: dict[str, Any], said: str
) -> None:
    base, head = label_sets(60)
    with pytest.raises(InputError, match=said):
        compared(tmp_path, {**base, **change}, {**head, **change}, **asked)
