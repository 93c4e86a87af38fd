"""Clusters, strata and weights: values against scikit-learn, errors against the jackknife."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from assay.stats import influence
from assay.stats.design import Design, design_effect, designed_difference
from assay.stats.estimate import Contrast, Estimate
from assay.stats.influence import Influence, effective_n

RNG = np.random.default_rng(8)
N = 600
LABEL = (RNG.random(N) < 0.4).astype(np.int64)
SCORES = [
    np.round(1 / (1 + np.exp(-(2 * LABEL - 1 + s * RNG.normal(size=N)))), 2) for s in (1.5, 1)
]
CLASSES = [(score >= 0.5).astype(np.int64) for score in SCORES]
THREE = RNG.integers(0, 3, N)
GUESSES = [np.where(RNG.random(N) < share, THREE, RNG.integers(0, 3, N)) for share in (0.5, 0.6)]
TRUE = RNG.normal(3, 1, N)
PREDICTED = [TRUE + noise * RNG.normal(size=N) for noise in (0.8, 0.6)]
WEIGHTS = RNG.gamma(2.0, 1.0, N)
CLUSTER = RNG.integers(0, 60, N)

Of = Callable[[int, Any, np.ndarray], Influence]


def classes(metric: str, average: str, k: int) -> Of:
    label, sides = (LABEL, CLASSES) if k == 2 else (THREE, GUESSES)

    def of(side: int, rows: Any, weights: np.ndarray) -> Influence:
        return influence.of_classes(
            label[rows], sides[side][rows], weights, classes=k, metric=metric, average=average
        )

    return of


EVERY: dict[str, tuple[Of, Callable[[int], float]]] = {
    "accuracy": (
        classes("accuracy", "binary", 2),
        lambda s: metrics.accuracy_score(LABEL, CLASSES[s], sample_weight=WEIGHTS),
    ),
    "recall": (
        classes("recall", "binary", 2),
        lambda s: metrics.recall_score(LABEL, CLASSES[s], sample_weight=WEIGHTS),
    ),
    "precision": (
        classes("precision", "binary", 2),
        lambda s: metrics.precision_score(LABEL, CLASSES[s], sample_weight=WEIGHTS),
    ),
    "f1": (
        classes("f1", "binary", 2),
        lambda s: metrics.f1_score(LABEL, CLASSES[s], sample_weight=WEIGHTS),
    ),
    "mcc": (
        classes("mcc", "binary", 2),
        lambda s: metrics.matthews_corrcoef(LABEL, CLASSES[s], sample_weight=WEIGHTS),
    ),
    "balanced_accuracy": (
        classes("balanced_accuracy", "binary", 3),
        lambda s: metrics.balanced_accuracy_score(THREE, GUESSES[s], sample_weight=WEIGHTS),
    ),
    "f1_macro": (
        classes("f1", "macro", 3),
        lambda s: metrics.f1_score(THREE, GUESSES[s], average="macro", sample_weight=WEIGHTS),
    ),
    "precision_weighted": (
        classes("precision", "weighted", 3),
        lambda s: metrics.precision_score(
            THREE, GUESSES[s], average="weighted", sample_weight=WEIGHTS
        ),
    ),
    "recall_micro": (
        classes("recall", "micro", 3),
        lambda s: metrics.recall_score(THREE, GUESSES[s], average="micro", sample_weight=WEIGHTS),
    ),
    "roc_auc": (
        lambda s, r, w: influence.of_roc_auc(LABEL[r] == 1, SCORES[s][r], w),
        lambda s: metrics.roc_auc_score(LABEL, SCORES[s], sample_weight=WEIGHTS),
    ),
    "average_precision": (
        lambda s, r, w: influence.of_average_precision(LABEL[r] == 1, SCORES[s][r], w),
        lambda s: metrics.average_precision_score(LABEL, SCORES[s], sample_weight=WEIGHTS),
    ),
    "mae": (
        lambda s, r, w: influence.of_mean(np.abs(PREDICTED[s][r] - TRUE[r]), w),
        lambda s: metrics.mean_absolute_error(TRUE, PREDICTED[s], sample_weight=WEIGHTS),
    ),
    "rmse": (
        lambda s, r, w: influence.of_rmse((PREDICTED[s][r] - TRUE[r]) ** 2, w),
        lambda s: metrics.root_mean_squared_error(TRUE, PREDICTED[s], sample_weight=WEIGHTS),
    ),
    "r2": (
        lambda s, r, w: influence.of_r2((PREDICTED[s][r] - TRUE[r]) ** 2, TRUE[r], w),
        lambda s: metrics.r2_score(TRUE, PREDICTED[s], sample_weight=WEIGHTS),
    ),
}
ALL = np.arange(N)


@pytest.mark.parametrize("name", EVERY)
def test_weighted_values_are_scikit_learns(name: str) -> None:
    of, oracle = EVERY[name]
    for side in (0, 1):
        assert of(side, ALL, WEIGHTS).value == pytest.approx(oracle(side))


@pytest.mark.parametrize("name", EVERY)
def test_influences_sum_to_nothing_and_are_derivatives(name: str) -> None:
    of, _ = EVERY[name]
    found = of(1, ALL, WEIGHTS)
    assert float(WEIGHTS @ found.rows) == pytest.approx(0, abs=1e-9)
    for row in (3, 77, 200):
        step = 1e-5
        up, down = WEIGHTS.copy(), WEIGHTS.copy()
        up[row] += step
        down[row] -= step
        above, below = of(1, ALL, up).value, of(1, ALL, down).value
        assert above is not None
        assert below is not None
        slope = (above - below) / (2 * step)
        assert found.rows[row] == pytest.approx(slope, abs=1e-6)


def contrast(base: Influence, head: Influence) -> Contrast:
    assert base.value is not None
    assert head.value is not None
    return Contrast(n=N, base=base.value, head=head.value)


def judged(of: Of, design: Design, **options: Any) -> Estimate:
    sides = [of(side, ALL, design.weight) for side in (0, 1)]
    return designed_difference(*sides, design, contrast(*sides), **options)


@pytest.mark.parametrize("name", EVERY)
def test_errors_are_those_of_the_jackknife_over_clusters(name: str) -> None:
    """Delete one cluster at a time, compute the whole metric again: ratio metrics included."""
    of, _ = EVERY[name]
    found = judged(of, Design(rows=N, cluster=CLUSTER, weights=WEIGHTS))
    without = []
    for code in np.unique(CLUSTER):
        kept = np.flatnonzero(code != CLUSTER)
        values = [of(side, kept, WEIGHTS[kept]).value for side in (0, 1)]
        assert None not in values
        without.append(values[1] - values[0])  # type: ignore[operator]
    count = len(without)
    jackknife = math.sqrt((count - 1) / count * float(((without - np.mean(without)) ** 2).sum()))
    assert found.row_variance is not None
    raw = math.sqrt(found.row_variance / N)
    assert raw == pytest.approx(jackknife, rel=0.12)


def test_rows_alone_are_judged_as_a_mean_is() -> None:
    of, _ = EVERY["mae"]
    alone = judged(of, Design(rows=N))
    singles = judged(of, Design(rows=N, cluster=np.arange(N)))
    constant = judged(of, Design(rows=N, weights=np.full(N, 7.0)))
    for other in (singles, constant):
        assert other.interval is not None
        assert alone.interval is not None
        assert other.interval.low == pytest.approx(alone.interval.low)


def test_repeating_every_row_changes_nothing_once_declared() -> None:
    """Five copies of each row in one cluster tell no more than the row."""
    label, weights = np.repeat(LABEL, 5), np.ones(5 * N)
    sides = [
        influence.of_classes(
            label, np.repeat(side, 5), weights, classes=2, metric="f1", average="binary"
        )
        for side in CLASSES
    ]
    copies = Design(rows=5 * N, cluster=np.repeat(np.arange(N), 5))
    found = designed_difference(*sides, copies, contrast(*sides))
    once = judged(EVERY["f1"][0], Design(rows=N))
    assert found.interval is not None
    assert once.interval is not None
    assert found.interval.low == pytest.approx(once.interval.low)
    assert design_effect(sides[0].rows, copies) == pytest.approx(5)


def test_strata_take_out_what_lies_between_them() -> None:
    """A change that differs by stratum: its share of the variance goes."""
    stratum = np.repeat(np.arange(4), N // 4)
    base = RNG.normal(size=N)
    head = base + stratum * 0.5 + 0.1 * RNG.normal(size=N)
    weights = np.ones(N)
    sides = [influence.of_mean(values, weights) for values in (base, head)]
    plain = designed_difference(*sides, Design(rows=N), contrast(*sides))
    drawn = designed_difference(*sides, Design(rows=N, stratum=stratum), contrast(*sides))
    assert plain.row_variance is not None
    assert drawn.row_variance is not None
    within = np.mean([(head - base)[stratum == code].var(ddof=1) for code in range(4)])
    assert drawn.row_variance == pytest.approx(float(within), rel=1e-6)
    assert drawn.row_variance < 0.1 * plain.row_variance


def test_a_stratum_of_one_unit_is_joined() -> None:
    stratum = np.zeros(N, dtype=np.int64)
    stratum[0], stratum[1] = 1, 2
    found = judged(EVERY["mae"][0], Design(rows=N, stratum=stratum))
    assert found.interval is not None
    stratum[1] = 0
    assert judged(EVERY["mae"][0], Design(rows=N, stratum=stratum)).interval is not None


def test_kish() -> None:
    assert effective_n(np.ones(50)) == pytest.approx(50)
    assert effective_n(np.array([1.0, 1.0, 0.0, 0.0])) == pytest.approx(2)
    assert effective_n(np.zeros(3)) == 0


@pytest.mark.parametrize(
    ("design", "regime"),
    [
        (Design(rows=N, cluster=np.arange(N) % 9), "too few clusters"),
        (Design(rows=N, weights=np.where(np.arange(N) < 20, 1.0, 1e-6)), "too few rows"),
        (Design(rows=N, cluster=LABEL * 12 + np.arange(N) % 12), "too few independent rows"),
    ],
)
def test_what_cannot_be_judged_says_why(design: Design, regime: str) -> None:
    constant = np.where(LABEL == 1, 1.0, 0.0)
    sides = [influence.of_mean(values, design.weight) for values in (constant, constant + 0.1)]
    if regime != "too few independent rows":
        sides = [EVERY["accuracy"][0](side, ALL, design.weight) for side in (0, 1)]
    found = designed_difference(*sides, design, contrast(*sides))
    assert found.regime == regime
    assert found.interval is None


def test_few_positives_are_counted_by_their_weight() -> None:
    weights = np.where(LABEL == 1, 1e-9, 1.0)
    weights[np.flatnonzero(LABEL == 1)[:15]] = 1.0
    found = judged(EVERY["recall"][0], Design(rows=N, weights=weights))
    assert found.regime == "too few positives"


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.sampled_from(sorted(EVERY)))
def test_swapping_the_sides_mirrors_the_interval(seed: int, name: str) -> None:
    rng = np.random.default_rng(seed)
    design = Design(
        rows=N,
        cluster=rng.integers(0, 60, N),
        weights=rng.gamma(3.0, 1.0, N),
    )
    of, _ = EVERY[name]
    sides = [of(side, ALL, design.weight) for side in (0, 1)]
    there = designed_difference(*sides, design, contrast(*sides))
    back = designed_difference(*sides[::-1], design, contrast(*sides[::-1]))
    assert there.regime == back.regime
    if there.interval is not None and back.interval is not None:
        assert there.interval.low == pytest.approx(-back.interval.high, abs=1e-9)
        assert there.difference == pytest.approx(-(back.difference or 0.0))
