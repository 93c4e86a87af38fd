"""Every metric of the grid, each an entry: its world, its estimate, and what is true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from assay.stats.auc import roc_auc_from_scores
from assay.stats.average_precision import average_precision_difference
from assay.stats.calibration import calibration_error_difference
from assay.stats.estimate import Estimate
from assay.stats.label_sets import label_sets_difference
from assay.stats.means import mean_difference, r2_difference, regression_moments, rmse_difference
from assay.stats.median_error import median_absolute_error_difference
from assay.stats.moments import JointMoments
from honesty import errors, ranked, scored, tagged
from honesty.counted import Classes, Grades, ZeroOne, of_classes
from honesty.grid import Cell, Metric

TWO = Classes("two classes", 2)
FOUR = Classes("four classes", 4)
ZERO_ONE = ZeroOne()
GRADES = Grades()
PATCHED = scored.Scored("scores, discordant rows changed", retrained=False)
RETRAINED = scored.Scored("scores, all rows changed", retrained=True)
REGRESSION = errors.Errors()
RANKED = ranked.Ranked()
TAGGED = tagged.Tagged()
LEVEL = 0.9
"""Of the quantile loss."""


def _share_truth(cell: Cell) -> float:
    return cell.discordance * (2 * cell.won - 1)


def _mean(bounds: tuple[float, float] | None, greater_is_better: bool) -> Callable[[Any], Estimate]:
    """The comparison of means, from moments or from the two sides' values."""
    ends = {} if bounds is None else {"lowest": bounds[0], "highest": bounds[1]}

    def estimate(moments: JointMoments) -> Estimate:
        return mean_difference(moments, greater_is_better=greater_is_better, **ends)

    return estimate


def _log_loss(rows: scored.Rows) -> Estimate:
    sign = np.where(rows.label, 2 * scored.MEAN, -2 * scored.MEAN)
    sides = (np.logaddexp(0, -sign * score) for score in (rows.base, rows.head))
    return mean_difference(JointMoments.from_sides(*sides), greater_is_better=False)


def _brier(rows: scored.Rows) -> Estimate:
    sides = ((rows.label - scored.probability(score)) ** 2 for score in (rows.base, rows.head))
    moments = JointMoments.from_sides(*sides)
    return mean_difference(moments, greater_is_better=False, lowest=0, highest=1)


def _absolute(rows: errors.Rows, scale: Any) -> Estimate:
    sides = (np.abs(side - rows.label) / scale for side in (rows.base, rows.head))
    return mean_difference(JointMoments.from_sides(*sides), greater_is_better=False)


def _squared(rows: errors.Rows) -> JointMoments:
    return regression_moments(rows.label, rows.base, rows.head)


def _rmse(rows: errors.Rows) -> Estimate:
    moments = JointMoments.from_sides((rows.base - rows.label) ** 2, (rows.head - rows.label) ** 2)
    return rmse_difference(moments)


def _no_variance(cell: Cell) -> str | None:
    return "squared errors have no variance" if cell.kind == "t3" else None


def _scores(world: scored.Scored, suffix: str = "") -> dict[str, Metric]:
    margins = {
        "log loss": (_log_loss, lambda m: np.logaddexp(0, -2 * scored.MEAN * m)),
        "Brier score": (_brier, lambda m: scored.probability(-m) ** 2),
    }
    found = {}
    for name, (estimate, loss) in margins.items():
        gain = scored.expected(loss)
        truth = lambda cell, gain=gain: -gain(cell)  # noqa: E731
        found[name + suffix] = Metric(world=world, estimate=estimate, truth=truth)
    ranked = {
        "ROC AUC": (roc_auc_from_scores, scored.area_under_roc),
        "average precision": (average_precision_difference, scored.average_precision),
    }
    for name, (compare, truth) in ranked.items():
        found[name + suffix] = Metric(
            world=world,
            estimate=lambda rows, compare=compare: compare(rows.label, rows.base, rows.head),
            truth=truth,
            labels="each",
        )
    return found


def _calibration(rows: scored.Rows) -> Estimate:
    base, head = ((scored.probability(side), rows.label) for side in (rows.base, rows.head))
    return calibration_error_difference(base, head)


def _pinball(rows: errors.Rows) -> Estimate:
    sides = (
        np.maximum(LEVEL * (rows.label - side), (LEVEL - 1) * (rows.label - side))
        for side in (rows.base, rows.head)
    )
    return mean_difference(JointMoments.from_sides(*sides), greater_is_better=False, lowest=0)


def _symmetric(rows: errors.Rows) -> Estimate:
    sides = (
        2 * np.abs(side - rows.label) / (np.abs(side) + np.abs(rows.label))
        for side in (rows.base, rows.head)
    )
    moments = JointMoments.from_sides(*sides)
    return mean_difference(moments, greater_is_better=False, lowest=0, highest=2)


def _ranking(name: str) -> Metric:
    def estimate(places: ranked.Places) -> Estimate:
        sides = (ranked.VALUES[name](side) for side in (places.base, places.head))
        moments = JointMoments.from_sides(*sides)
        return mean_difference(moments, greater_is_better=True, lowest=0, highest=1)

    return Metric(world=RANKED, estimate=estimate, truth=ranked.truth_of(name))


def _label_sets(metric: str, average: str) -> Metric:
    def estimate(sets: tagged.Sets) -> Estimate:
        return label_sets_difference(
            (sets.true, sets.base, sets.head), metric=metric, average=average
        )

    return Metric(
        world=TAGGED, estimate=estimate, truth=tagged.truth_of(metric, average), labels="each"
    )


def _median(rows: errors.Rows) -> Estimate:
    return median_absolute_error_difference(rows.label, rows.base, rows.head)


METRICS: dict[str, Metric] = {
    "accuracy": of_classes(TWO, "accuracy", "binary", "all"),
    "recall": of_classes(TWO, "recall", "binary", "positives"),
    "precision": of_classes(TWO, "precision", "binary", "each"),
    "F1": of_classes(TWO, "f1", "binary", "each"),
    "balanced accuracy": of_classes(TWO, "balanced_accuracy", "binary", "each"),
    "F1 macro": of_classes(TWO, "f1", "macro", "each"),
    "F1 weighted": of_classes(TWO, "f1", "weighted", "each"),
    "Matthews": of_classes(TWO, "mcc", "binary", "each"),
    "balanced accuracy, 4 classes": of_classes(FOUR, "balanced_accuracy", "binary", "each"),
    "precision macro, 4 classes": of_classes(FOUR, "precision", "macro", "each"),
    "precision weighted, 4 classes": of_classes(FOUR, "precision", "weighted", "each"),
    "F1 macro, 4 classes": of_classes(FOUR, "f1", "macro", "each"),
    "F1 micro, 4 classes": of_classes(FOUR, "f1", "micro", "all"),
    "F1 weighted, 4 classes": of_classes(FOUR, "f1", "weighted", "each"),
    "Matthews, 4 classes": of_classes(FOUR, "mcc", "binary", "each"),
    "mean 0/1 score": Metric(world=ZERO_ONE, estimate=_mean((0, 1), True), truth=_share_truth),
    "mean grade": Metric(world=GRADES, estimate=_mean(None, True), truth=GRADES.truth),
    **_scores(PATCHED),
    **_scores(RETRAINED, ", retrained"),
    "MAE": Metric(
        world=REGRESSION, estimate=lambda rows: _absolute(rows, 1), truth=errors.mean_absolute
    ),
    "MAPE": Metric(
        world=REGRESSION,
        estimate=lambda rows: _absolute(rows, np.abs(rows.label)),
        truth=errors.mean_relative,
    ),
    "RMSE": Metric(
        world=REGRESSION,
        estimate=_rmse,
        truth=errors.root_mean_square,
        outside=_no_variance,
    ),
    "R²": Metric(
        world=REGRESSION,
        estimate=lambda rows: r2_difference(_squared(rows)),
        truth=errors.r_squared,
        outside=_no_variance,
    ),
    "median absolute error": Metric(
        world=REGRESSION, estimate=_median, truth=errors.median_absolute
    ),
    "quantile loss": Metric(world=REGRESSION, estimate=_pinball, truth=errors.quantile_loss),
    "SMAPE": Metric(world=REGRESSION, estimate=_symmetric, truth=errors.symmetric_relative),
    "calibration error": Metric(
        world=PATCHED, estimate=_calibration, truth=scored.calibration_error, labels="each"
    ),
    **{name: _ranking(name) for name in ranked.VALUES},
    **{
        f"{metric} {average}, label sets": _label_sets(metric, average)
        for metric in ("precision", "recall", "f1")
        for average in ("micro", "macro")
    },
}
