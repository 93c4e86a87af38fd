"""ROC AUC, average precision and median absolute error against plain definitions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from assay.stats.auc import placements, roc_auc_difference, roc_auc_from_scores
from assay.stats.average_precision import (
    average_precision_difference,
    average_precision_influence,
)
from assay.stats.median_error import median_absolute_error_difference
from assay.stats.moments import JointMoments
from support.estimates import ends


def scores(n: int = 300, seed: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = rng.random(n) < 0.3
    base = np.round(label + rng.normal(0, 1, n), 1)
    head = np.round(label + 0.8 * (base - label) + rng.normal(0, 0.5, n), 1)
    return label, base, head


def delong(label: np.ndarray, base: np.ndarray, head: np.ndarray, weight: float) -> float:
    """The variance of the weighted difference, by comparing every pair of rows."""
    parts = []
    for side in (base, head):
        ups, downs = side[label], side[~label]
        wins = (ups[:, None] > downs[None, :]) + 0.5 * (ups[:, None] == downs[None, :])
        parts.append((wins.mean(axis=1), wins.mean(axis=0)))
    variance = 0.0
    for row in (0, 1):
        contrast = parts[1][row] - weight * parts[0][row]
        variance += contrast.var(ddof=1) / contrast.size
    return variance


@pytest.mark.parametrize("weight", [1.0, 0.95])
def test_auc_is_scikit_learns_and_its_variance_delongs(weight: float) -> None:
    label, base, head = scores()
    found = roc_auc_from_scores(label, base, head, base_weight=weight)
    assert found.base == pytest.approx(oracle.roc_auc_score(label, base))
    assert found.head == pytest.approx(oracle.roc_auc_score(label, head))
    assert found.row_variance == pytest.approx(label.size * delong(label, base, head, weight))


def test_placements_average_to_the_auc_in_either_class() -> None:
    label, base, _ = scores()
    ups, downs = placements(label, base)
    assert ups.mean() == pytest.approx(downs.mean())
    assert ups.mean() == pytest.approx(oracle.roc_auc_score(label, base))


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_ranking_metrics_mirror_and_ignore_row_order(seed: int) -> None:
    label, base, head = scores(200, seed)
    mixed = np.random.default_rng(seed).permutation(label.size)
    for compare in (roc_auc_from_scores, average_precision_difference):
        there = compare(label, base, head)
        back = compare(label, head, base)
        assert there.regime is None
        assert ends(there) == pytest.approx(tuple(-end for end in reversed(ends(back))), abs=1e-9)
        other = compare(label[mixed], base[mixed], head[mixed])
        assert ends(there) == pytest.approx(ends(other), abs=1e-9)
        assert there.difference == pytest.approx(compare(label, base * 2 + 1, head).difference)


def test_one_class_has_no_ranking() -> None:
    label, base, head = scores()
    one = np.ones(label.size, dtype=bool)
    assert roc_auc_from_scores(one, base, head).undefined == "only one class among the labels"
    none = average_precision_difference(~one, base, head)
    assert none.undefined == "no row has the positive label"
    few = np.zeros(label.size, dtype=bool)
    few[:6] = True
    found = roc_auc_from_scores(few, base, head)
    assert (found.regime, found.rows_to_judge) == ("too few positives", 500)
    assert average_precision_difference(few, base, head).regime == "too few positives"
    broken = base.copy()
    broken[0] = np.nan
    assert average_precision_difference(label, broken, head).undefined is not None


def test_the_same_ranking_is_not_certainty_unless_the_model_is_the_same() -> None:
    label, base, _ = scores()
    low, high = ends(roc_auc_from_scores(label, base, base))
    assert low < 0 < high
    assert ends(roc_auc_from_scores(label, base, base, identical=True)) == (0.0, 0.0)
    perfect = label.astype(float)
    found = roc_auc_from_scores(label, perfect, perfect)
    assert (found.base, found.regime) == (1.0, "no row tells the models apart")


def test_auc_needs_only_sums() -> None:
    label, base, head = scores()
    differ = base != head
    base_up, base_down = placements(label, base)
    head_up, head_down = placements(label, head)
    found = roc_auc_difference(
        replace(JointMoments.from_sides(base_up, head_up), changed=int(differ[label].sum())),
        replace(JointMoments.from_sides(base_down, head_down), changed=int(differ[~label].sum())),
    )
    assert found == roc_auc_from_scores(label, base, head)


def test_average_precision_is_scikit_learns_and_its_influence_a_derivative() -> None:
    label, base, _ = scores()
    value, influence = average_precision_influence(label, base)
    assert value == pytest.approx(oracle.average_precision_score(label, base))
    assert influence.mean() == pytest.approx(0, abs=1e-12)
    step = 1e-5
    for row in range(0, label.size, 17):
        weights = np.full(label.size, 1 - step)
        weights[row] += step * label.size
        moved = oracle.average_precision_score(label, base, sample_weight=weights)
        assert influence[row] == pytest.approx((moved - value) / step, abs=0.01)


def test_median_absolute_error_is_scikit_learns() -> None:
    rng = np.random.default_rng(9)
    label = rng.normal(0, 1, 1000)
    base = label + rng.normal(0, 1, 1000)
    head = label + 0.7 * (base - label) + rng.normal(0, 0.4, 1000)
    found = median_absolute_error_difference(label, base, head)
    assert found.base == pytest.approx(oracle.median_absolute_error(label, base))
    assert found.head == pytest.approx(oracle.median_absolute_error(label, head))
    draws = []
    for _ in range(300):
        pick = rng.integers(0, 1000, 1000)
        draws.append(np.median(np.abs(base - label)[pick]) - np.median(np.abs(head - label)[pick]))
    low, high = ends(found)
    assert (high - low) / 2 == pytest.approx(1.96 * np.std(draws), rel=0.25)
    back = median_absolute_error_difference(label, head, base)
    assert (low, high) == pytest.approx(tuple(-end for end in reversed(ends(back))))


def test_median_absolute_error_knows_what_it_cannot_judge() -> None:
    label = np.arange(200.0)
    steps = label + np.tile([0.0, 1.0, 1.0, 2.0], 50)
    found = median_absolute_error_difference(label, steps, label + 1)
    assert found.regime == "many rows have exactly the median error"
    found = median_absolute_error_difference(label[:20], steps[:20], label[:20] + 1)
    assert found.regime == "too few rows"
    assert median_absolute_error_difference([], [], []).undefined == "no rows"
    found = median_absolute_error_difference(label, np.full(200, np.inf), label)
    assert found.undefined == "a value is missing or infinite"
    same = median_absolute_error_difference(label, steps, steps, identical=True)
    assert ends(same) == (0.0, 0.0)
