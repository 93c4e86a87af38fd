"""Every metric's value against scikit-learn, and every interval against the rows themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle

from assay.comparison import Asked
from assay.config import Gate, Slice, Task
from assay.evidence import Comparison, Measurement
from assay.stats.auc import roc_auc_from_scores
from assay.stats.means import mean_difference, r2_difference, regression_moments, rmse_difference
from assay.stats.moments import JointMoments
from support.compared import compared
from support.predictions import binary, multiclass, regression

BINARY: dict[str, Callable[[Any, Any, Any], float]] = {
    "accuracy": lambda y, p, _: oracle.accuracy_score(y, p),
    "balanced_accuracy": lambda y, p, _: oracle.balanced_accuracy_score(y, p),
    "precision": lambda y, p, _: oracle.precision_score(y, p),
    "recall": lambda y, p, _: oracle.recall_score(y, p),
    "f1": lambda y, p, _: oracle.f1_score(y, p),
    "f1_macro": lambda y, p, _: oracle.f1_score(y, p, average="macro"),
    "mcc": lambda y, p, _: oracle.matthews_corrcoef(y, p),
    "log_loss": lambda y, _, s: oracle.log_loss(y, s),
    "brier": lambda y, _, s: oracle.brier_score_loss(y, s),
    "roc_auc": lambda y, _, s: oracle.roc_auc_score(y, s),
    "average_precision": lambda y, _, s: oracle.average_precision_score(y, s),
}
REGRESSION: dict[str, Callable[[Any, Any], float]] = {
    "mae": oracle.mean_absolute_error,
    "rmse": oracle.root_mean_squared_error,
    "r2": oracle.r2_score,
    "mape": oracle.mean_absolute_percentage_error,
    "median_absolute_error": oracle.median_absolute_error,
    "quantile_loss:0.9": lambda y, p: oracle.mean_pinball_loss(y, p, alpha=0.9),
    "quantile_loss:.25": lambda y, p: oracle.mean_pinball_loss(y, p, alpha=0.25),
    "smape": lambda y, p: float(np.mean(2 * abs(y - p) / (abs(y) + abs(p)))),
}


def by_key(comparison: Comparison) -> dict[tuple[str, str], Measurement]:
    return {(m.metric, m.slice): m for m in comparison.measurements if m.base_weight == 1}


def assert_interval(measured: Measurement, expected: Any) -> None:
    assert measured.interval is not None
    assert measured.interval == pytest.approx(
        (expected.interval.low, expected.interval.high), rel=1e-7, abs=1e-9
    )
    assert measured.p_worse == pytest.approx(expected.p_worse, rel=1e-6, abs=1e-12)


def test_binary_metrics_and_slices_are_scikit_learns(tmp_path: Path) -> None:
    base, head = binary()
    slices = (Slice(column="region"), Slice(column="age", bins=(30, 60)))
    found = by_key(compared(tmp_path, base, head, Asked(report=tuple(BINARY), slices=slices)))
    masks = {
        "all": np.ones(600, dtype=bool),
        "region=north": base["region"] == "north",
        "age=below 30": base["age"] < 30,
        "age=30 to below 60": (base["age"] >= 30) & (base["age"] < 60),
        "age=60 and above": base["age"] >= 60,
    }
    for where, mask in masks.items():
        for metric, value in BINARY.items():
            measured = found[metric, where]
            assert measured.n == mask.sum()
            for side, columns in ((measured.base, base), (measured.head, head)):
                y, p, s = (columns[name][mask] for name in ("y_true", "y_pred", "y_score"))
                assert side == pytest.approx(value(y, p, s), rel=1e-12), (metric, where)
            sign = 1 if measured.higher_is_better else -1
            assert measured.difference == pytest.approx(
                sign * (measured.head - measured.base), abs=1e-12
            )


def test_intervals_from_counts_are_those_from_rows(tmp_path: Path) -> None:
    base, head = binary()
    asked = Asked(report=("log_loss", "brier", "roc_auc"), slices=(Slice(column="region"),))
    found = by_key(compared(tmp_path, base, head, asked))
    y = base["y_true"]
    for where, mask in (("all", y >= 0), ("region=south", base["region"] == "south")):
        true = [
            np.where(y == 1, side["y_score"], 1 - side["y_score"])[mask] for side in (base, head)
        ]
        losses = [-np.log(each) for each in true]
        squares = [(side["y_score"][mask] - y[mask]) ** 2 for side in (base, head)]
        for metric, (left, right), highest in (
            ("log_loss", losses, np.inf),
            ("brier", squares, 1.0),
        ):
            expected = mean_difference(
                JointMoments.from_sides(left, right),
                greater_is_better=False,
                lowest=0.0,
                highest=highest,
            )
            assert_interval(found[metric, where], expected)
        scores = [side["y_score"][mask] for side in (base, head)]
        assert_interval(found["roc_auc", where], roc_auc_from_scores(y[mask], *scores))


def test_a_relative_margin_adds_the_weighted_contrast(tmp_path: Path) -> None:
    base, head = binary()
    gates = {"roc_auc": Gate(relative_margin=0.02), "log_loss": Gate(relative_margin=0.1)}
    found = compared(tmp_path, base, head, Asked(gates=gates, report=()))
    weights = {(m.metric, m.base_weight): m for m in found.measurements}
    auc = weights["roc_auc", 0.98]
    expected = roc_auc_from_scores(
        base["y_true"], base["y_score"], head["y_score"], base_weight=0.98
    )
    assert_interval(auc, expected)
    loss = weights["log_loss", 1.1]
    assert loss.difference == pytest.approx(1.1 * loss.base - loss.head, abs=1e-12)
    assert ("roc_auc", 1.0) in weights


@pytest.mark.parametrize("named", [False, True])
def test_multiclass_metrics_are_scikit_learns(tmp_path: Path, named: bool) -> None:
    base, head = multiclass()
    if not named:
        for side in (base, head):
            del side["prediction"]
    report = ("accuracy", "balanced_accuracy", "f1_macro", "precision_weighted", "mcc",
              "recall_macro", "f1_micro", "log_loss", "brier")  # fmt: skip
    comparison = compared(tmp_path, base, head, Asked(report=report))
    assert comparison.task is Task.MULTICLASS
    found = by_key(comparison)
    names = ["cat", "dog", "owl"]
    for place, columns in (("base", base), ("head", head)):
        y = columns["label"]
        scores = np.stack([columns[f"proba_{name}"] for name in names], axis=1)
        p = np.array(names)[scores.argmax(axis=1)]
        expected = {
            "accuracy": oracle.accuracy_score(y, p),
            "balanced_accuracy": oracle.balanced_accuracy_score(y, p),
            "f1_macro": oracle.f1_score(y, p, average="macro"),
            "recall_macro": oracle.recall_score(y, p, average="macro"),
            "f1_micro": oracle.f1_score(y, p, average="micro"),
            "precision_weighted": oracle.precision_score(y, p, average="weighted"),
            "mcc": oracle.matthews_corrcoef(y, p),
            "log_loss": oracle.log_loss(y, scores),
            "brier": oracle.brier_score_loss(y, scores, labels=names),
        }
        for metric, value in expected.items():
            measured = found[metric, "all"]
            assert getattr(measured, place) == pytest.approx(value, rel=1e-9), metric


def test_regression_metrics_and_intervals(tmp_path: Path) -> None:
    base, head = regression()
    asked = Asked(report=tuple(REGRESSION), slices=(Slice(column="shop"),))
    comparison = compared(tmp_path, base, head, asked)
    assert comparison.task is Task.REGRESSION
    found = by_key(comparison)
    for where, mask in (("all", base["target"] > 0), ("shop=b", base["shop"] == "b")):
        y, b, h = (c[mask] for c in (base["target"], base["pred"], head["pred"]))
        for metric, value in REGRESSION.items():
            measured = found[metric, where]
            assert measured.base == pytest.approx(value(y, b), rel=1e-12), (metric, where)
            assert measured.head == pytest.approx(value(y, h), rel=1e-12), (metric, where)
        moments = regression_moments(y, b, h)
        assert_interval(found["r2", where], r2_difference(moments))
        squares = JointMoments.from_sides((b - y) ** 2, (h - y) ** 2)
        assert_interval(found["rmse", where], rmse_difference(squares))
        errors = JointMoments.from_sides(abs(b - y), abs(h - y))
        expected = mean_difference(errors, greater_is_better=False, lowest=0.0)
        assert_interval(found["mae", where], expected)


def test_moments_keep_their_digits_far_from_zero(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    base = {"id": np.arange(400), "cost": 1e9 + random.normal(size=400)}
    head = {"id": np.arange(400), "cost": base["cost"] + 1e-3 * random.normal(size=400)}
    found = by_key(compared(tmp_path, base, head, Asked()))["mean:cost", "all"]
    expected = mean_difference(
        JointMoments.from_sides(base["cost"], head["cost"]), greater_is_better=True
    )
    assert found.interval == pytest.approx(
        (expected.interval.low, expected.interval.high), rel=1e-6
    )


def test_per_row_scores_need_no_labels(tmp_path: Path) -> None:
    random = np.random.default_rng(6)
    base = {"id": np.arange(300), "grade": random.integers(1, 6, 300), "cost": random.random(300)}
    head = {"id": np.arange(300), "grade": random.integers(2, 6, 300), "cost": random.random(300)}
    gates = {"mean:cost": Gate(margin=0.1, higher_is_better=False)}
    comparison = compared(tmp_path, base, head, Asked(gates=gates, report=("mean:grade",)))
    assert comparison.task is Task.SCORE
    found = by_key(comparison)
    assert found["mean:grade", "all"].head == pytest.approx(head["grade"].mean())
    cost = found["mean:cost", "all"]
    assert cost.difference == pytest.approx(base["cost"].mean() - head["cost"].mean())
    assert not cost.higher_is_better


def test_details_count_every_row(tmp_path: Path) -> None:
    base, head = binary()
    details = compared(tmp_path, base, head, Asked()).details
    y = base["y_true"]
    expected = oracle.confusion_matrix(y, head["y_pred"]).tolist()
    assert [list(row) for row in details.confusion_head] == expected
    right = [side["y_pred"] == y for side in (base, head)]
    assert details.base_only_right == int((right[0] & ~right[1]).sum())
    assert details.neither_right == int((~right[0] & ~right[1]).sum())
    flipped = {str(i) for i in np.flatnonzero(right[0] & ~right[1])}
    assert set(details.flipped_examples) <= flipped
    assert len(details.flipped_examples) == min(10, len(flipped))


def test_curves_lie_on_the_true_ones(tmp_path: Path) -> None:
    base, head = binary()
    curves = {(c.kind, c.side): c for c in compared(tmp_path, base, head, Asked()).details.curves}
    roc = curves["roc", "head"]
    assert len(roc.x) <= 60
    fpr, tpr, _ = oracle.roc_curve(base["y_true"], head["y_score"], drop_intermediate=False)
    points = {(round(x, 6), round(y, 6)) for x, y in zip(fpr, tpr, strict=True)}
    assert set(zip(roc.x, roc.y, strict=True)) <= points
    assert oracle.auc(roc.x, roc.y) == pytest.approx(oracle.auc(fpr, tpr), abs=0.005)
    bins = curves["calibration", "base"]
    assert sum(bins.n) == 600
    mask = base["y_score"] < 0.1
    assert bins.x[0] == pytest.approx(base["y_score"][mask].mean(), abs=1e-6)
    assert bins.y[0] == pytest.approx(base["y_true"][mask].mean(), abs=1e-6)
