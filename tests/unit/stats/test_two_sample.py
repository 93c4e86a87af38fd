"""The classifier two-sample test against scikit-learn's area, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from assay.stats.two_sample import auc_of, shift_of, told_apart


@pytest.mark.parametrize("digits", [1, 8])
def test_the_area_is_that_of_scikit_learn_with_ties_too(digits: int) -> None:
    rng = np.random.default_rng(3)
    first, second = rng.normal(size=300).round(digits), rng.normal(0.4, 1, size=200).round(digits)
    found = told_apart(first, second)
    labels = np.repeat([0, 1], [300, 200])
    assert found.auc == pytest.approx(roc_auc_score(labels, np.concatenate([first, second])))
    assert found.interval[0] < found.auc < found.interval[1]


def test_without_a_difference_p_and_interval_are_as_often_wrong_as_they_say() -> None:
    rng = np.random.default_rng(4)
    runs = [told_apart(rng.normal(size=150), rng.normal(size=250)) for _ in range(2_000)]
    for wrong in (
        sum(run.p < 0.05 for run in runs),
        sum(not run.interval[0] <= 0.5 <= run.interval[1] for run in runs),
    ):
        low, high = binomtest(wrong, 2_000).proportion_ci(0.999)
        assert low <= 0.05 <= high


def test_the_interval_holds_the_true_area() -> None:
    rng = np.random.default_rng(5)
    true = auc_of(2**0.5)
    assert true == pytest.approx(0.8413447)
    assert shift_of(true) == pytest.approx(2**0.5)
    held = 0
    for _ in range(2_000):
        found = told_apart(rng.normal(size=100), rng.normal(2**0.5, 1, size=80))
        held += found.interval[0] <= true <= found.interval[1]
    assert 0.93 < held / 2_000 < 0.97


def test_what_is_told_apart_wholly_has_an_interval_all_the_same() -> None:
    assert told_apart(np.arange(20), np.arange(50, 80)).interval == (
        pytest.approx(0.025 ** (1 / 20)),
        1.0,
    )
    assert told_apart(np.arange(50, 80), np.arange(20)).interval[0] == 0.0


def test_scores_that_are_all_equal_tell_nothing_apart() -> None:
    found = told_apart(np.zeros(50), np.zeros(60))
    assert (found.auc, found.interval, found.p) == (0.5, (0.5, 0.5), 1.0)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [([1.0], [1.0, 2.0], "two scores"), ([1.0, np.nan], [1.0, 2.0], "finite")],
)
def test_unusable_scores_are_refused(first: list[float], second: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        told_apart(first, second)
