"""Label sets and calibration of rows that are clustered, stratified or weighted."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from assay.stats.calibration import (
    calibration_error_difference,
    designed_calibration_error_difference,
)
from assay.stats.design import Design, designed_difference
from assay.stats.estimate import Contrast, Estimate
from assay.stats.influence import Influence
from assay.stats.label_sets import label_sets_difference, label_sets_influences

RNG = np.random.default_rng(81)
N, LABELS = 600, 5
NAMES = np.array(list("abcde"))
TRUE = RNG.random((N, LABELS)) < np.array([0.5, 0.4, 0.3, 0.2, 0.15])
SAID = [np.where(RNG.random(TRUE.shape) < wrong, ~TRUE, TRUE) for wrong in (0.12, 0.09)]
WEIGHTS = RNG.gamma(2.0, 1.0, N)
CLUSTER = RNG.integers(0, 60, N)
STRATUM = CLUSTER % 3
SIGNAL = RNG.normal(-0.4, 1.4, N) + RNG.normal(0, 0.5, 60)[CLUSTER]
POSITIVE = RNG.random(N) < 1 / (1 + np.exp(-SIGNAL))
CONFIDENCE = [1 / (1 + np.exp(-s * SIGNAL - 0.1 * RNG.normal(size=N))) for s in (2.2, 1.3)]
ALL = np.arange(N)
ORACLES = {
    "precision": metrics.precision_score,
    "recall": metrics.recall_score,
    "f1": metrics.f1_score,
}
SETS = [(name, average) for name in ORACLES for average in ("micro", "macro")]
Judge = Callable[[Design, Any, bool], Estimate]


def sets_of(marks: np.ndarray, rows: Any = ALL) -> list[list[str]]:
    return [NAMES[row].tolist() for row in marks[rows]]


def influences(
    metric: str, average: str, weights: np.ndarray, rows: Any = ALL
) -> tuple[Influence, Influence]:
    sets = sets_of(TRUE, rows), sets_of(SAID[0], rows), sets_of(SAID[1], rows)
    found = label_sets_influences(sets, weights, metric=metric, average=average)
    assert found is not None
    return found


def over_labels(metric: str, average: str, **options: Any) -> Judge:
    def judge(design: Design, rows: Any = ALL, swapped: bool = False) -> Estimate:
        sides = influences(metric, average, design.weight, rows)[:: -1 if swapped else 1]
        base, head = (side.value or 0.0 for side in sides)
        weight = options.get("base_weight", 1.0)
        contrast = Contrast(n=N, base=base, head=head, base_weight=weight, lowest=0.0, highest=1.0)
        return designed_difference(*sides, design, contrast)

    return judge


def calibration(design: Design, rows: Any = ALL, swapped: bool = False) -> Estimate:
    sides = [(side[rows], POSITIVE[rows]) for side in CONFIDENCE][:: -1 if swapped else 1]
    return designed_calibration_error_difference(*sides, design, n=N)


JUDGES: dict[str, Judge] = {
    **{f"{name}_{average}": over_labels(name, average) for name, average in SETS},
    "calibration_error": calibration,
}


def weighted_calibration_error(confidence: np.ndarray, weights: np.ndarray) -> float:
    """Σ over bins of the weight's share times |mean confidence − share of positives|."""
    bins = np.clip(np.digitize(confidence, np.arange(1, 10) / 10), 0, 9)
    total = 0.0
    for place in np.unique(bins):
        part = bins == place
        means = [np.average(x[part], weights=weights[part]) for x in (confidence, POSITIVE)]
        total += weights[part].sum() / weights.sum() * abs(means[0] - means[1])
    return total


@pytest.mark.parametrize(("metric", "average"), SETS)
def test_weighted_values_are_scikit_learns(metric: str, average: str) -> None:
    for found, said in zip(influences(metric, average, WEIGHTS), SAID, strict=True):
        oracle = ORACLES[metric](TRUE, said, average=average, sample_weight=WEIGHTS)
        assert found.value == pytest.approx(oracle, rel=1e-12)


@pytest.mark.parametrize(("metric", "average"), SETS)
def test_influences_sum_to_nothing_and_are_derivatives(metric: str, average: str) -> None:
    found = influences(metric, average, WEIGHTS)[1]
    assert float(WEIGHTS @ found.rows) == pytest.approx(0, abs=1e-9)
    for row in (3, 77, 200):
        values = []
        for step in (1e-5, -1e-5):
            weights = WEIGHTS.copy()
            weights[row] += step
            values.append(influences(metric, average, weights)[1].value or 0.0)
        assert found.rows[row] == pytest.approx((values[0] - values[1]) / 2e-5, abs=1e-7)


def test_weighted_calibration_error_is_that_of_its_bins() -> None:
    found = calibration(Design(rows=N, weights=WEIGHTS))
    values = [weighted_calibration_error(side, WEIGHTS) for side in CONFIDENCE]
    assert (found.base, found.head) == pytest.approx(values)


@pytest.mark.parametrize("name", JUDGES)
def test_errors_are_those_of_the_jackknife_over_clusters(name: str) -> None:
    """Delete one cluster at a time and compute the metric again."""
    design = Design(rows=N, cluster=CLUSTER, weights=WEIGHTS)
    found = JUDGES[name](design, ALL, False)
    without = []
    for code in range(60):
        kept = np.flatnonzero(code != CLUSTER)
        left = JUDGES[name](Design(rows=kept.size, weights=WEIGHTS[kept]), kept, False)
        without.append(left.difference or 0.0)
    jackknife = math.sqrt(59 / 60 * float(((np.array(without) - np.mean(without)) ** 2).sum()))
    assert found.row_variance is not None
    # A gap of a bin that changes its sign has no derivative there.
    assert math.sqrt(found.row_variance / N) == pytest.approx(jackknife, rel=0.15)


def undesigned(name: str) -> Estimate:
    if name == "calibration_error":
        sides = [(side, POSITIVE) for side in CONFIDENCE]
        return calibration_error_difference(*sides)
    metric, _, average = name.rpartition("_")
    sets = sets_of(TRUE), sets_of(SAID[0]), sets_of(SAID[1])
    return label_sets_difference(sets, metric=metric, average=average)


@pytest.mark.parametrize("name", JUDGES)
def test_equal_weights_and_clusters_of_one_row_are_no_design(name: str) -> None:
    """Within 2 % of the width: pseudo-units are a little larger than pseudo-rows."""
    plain = undesigned(name)
    assert plain.interval is not None
    width = plain.interval.high - plain.interval.low
    every = (
        Design(rows=N, weights=np.ones(N)),
        Design(rows=N, cluster=np.arange(N)),
        Design(rows=N, cluster=np.arange(N), stratum=np.zeros(N, np.int64), weights=np.ones(N)),
    )
    for design in every:
        found = JUDGES[name](design, ALL, False)
        assert (found.base, found.head) == pytest.approx((plain.base, plain.head), rel=1e-12)
        assert found.interval is not None
        ends = (found.interval.low, found.interval.high)
        assert ends == pytest.approx((plain.interval.low, plain.interval.high), abs=0.02 * width)


@pytest.mark.parametrize("name", JUDGES)
def test_repeating_every_row_changes_nothing_once_declared(name: str) -> None:
    """Three copies of each row in one cluster tell no more than the row."""
    rows = np.repeat(ALL, 3)
    copies = JUDGES[name](Design(rows=3 * N, cluster=rows), rows, False)
    once = JUDGES[name](Design(rows=N), ALL, False)
    assert copies.interval is not None
    assert once.interval is not None
    ends = (copies.interval.low, copies.interval.high)
    assert ends == pytest.approx((once.interval.low, once.interval.high))


@pytest.mark.parametrize("name", JUDGES)
def test_the_order_of_the_rows_has_no_effect(name: str) -> None:
    order = np.random.default_rng(6).permutation(N)
    there = JUDGES[name](
        Design(rows=N, cluster=CLUSTER, stratum=STRATUM, weights=WEIGHTS), ALL, False
    )
    back = JUDGES[name](
        Design(rows=N, cluster=CLUSTER[order], stratum=STRATUM[order], weights=WEIGHTS[order]),
        order,
        False,
    )
    assert there.interval is not None
    assert back.interval is not None
    assert (there.interval.low, there.interval.high, there.p_worse) == pytest.approx(
        (back.interval.low, back.interval.high, back.p_worse), abs=1e-9
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(sorted(JUDGES)), st.booleans())
def test_swapping_the_sides_mirrors_the_interval(seed: int, name: str, strata: bool) -> None:
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, 60, N)
    design = Design(
        rows=N,
        cluster=cluster,
        stratum=cluster % 4 if strata else None,
        weights=rng.gamma(3.0, 1.0, N),
    )
    there, back = (JUDGES[name](design, ALL, swapped) for swapped in (False, True))
    assert there.regime == back.regime
    if there.interval is not None and back.interval is not None:
        assert there.interval.low == pytest.approx(-back.interval.high, abs=1e-9)


@pytest.mark.parametrize("name", JUDGES)
def test_few_clusters_are_not_judged(name: str) -> None:
    assert JUDGES[name](Design(rows=N, cluster=ALL % 9), ALL, False).regime == "too few clusters"
    weights = np.where(ALL < 20, 1.0, 1e-6)
    assert JUDGES[name](Design(rows=N, weights=weights), ALL, False).regime == "too few rows"


def test_what_stands_on_few_labels_is_counted_by_weight() -> None:
    weights = np.where(TRUE.any(axis=1), 1e-9, 1.0)
    weights[np.flatnonzero(TRUE.any(axis=1))[:8]] = 1.0
    design = Design(rows=N, weights=weights)
    assert over_labels("recall", "micro")(design, ALL, False).regime == "too few positives"
    macro = over_labels("f1", "macro")(design, ALL, False)
    assert macro.regime == "too few rows with most labels"
    assert macro.rows_to_judge is not None


def test_a_relative_margin_is_a_contrast_of_its_own() -> None:
    design = Design(rows=N, cluster=CLUSTER, weights=WEIGHTS)
    sides = [(side, POSITIVE) for side in CONFIDENCE]
    found = designed_calibration_error_difference(*sides, design, n=N, base_weight=1.1)
    assert found.interval is not None
    assert found.difference == pytest.approx(1.1 * (found.base or 0) - (found.head or 0))
    sets = over_labels("f1", "micro", base_weight=0.9)(design, ALL, False)
    assert sets.interval is not None
    assert sets.difference == pytest.approx((sets.head or 0) - 0.9 * (sets.base or 0))


def test_sides_that_never_err_are_not_told_apart() -> None:
    certain = (POSITIVE.astype(float), POSITIVE)
    design = Design(rows=N, cluster=CLUSTER)
    found = designed_calibration_error_difference(certain, certain, design, n=N)
    assert found.regime == "no row tells the models apart"
    same = designed_calibration_error_difference(certain, certain, design, n=N, identical=True)
    assert same.interval is not None
