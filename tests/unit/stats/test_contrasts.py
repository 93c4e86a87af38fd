"""Effects of a 2×2 table from what its pairs show, against the covariance of all four."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.stats.contrasts import contrast_interval, contrast_variance, variance_of
from assay.stats.estimate import Interval

WEIGHTS = st.lists(st.floats(-2, 2), min_size=3, max_size=3).map(lambda w: [*w, -sum(w)])


@given(weights=WEIGHTS, seed=st.integers(0, 2**32 - 1))
def test_the_variance_is_that_of_the_rows_own_contrast(weights: list[float], seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(50, 4)) @ np.diag([1, 3, 0.1, 2])
    variances = {
        (i, j): float(np.var(rows[:, i] - rows[:, j], ddof=1)) / 50
        for i, j in combinations(range(4), 2)
    }
    expected = float(np.var(rows @ np.array(weights), ddof=1)) / 50
    assert contrast_variance(weights, variances) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_pairs_that_contradict_each_other_are_cut_off_at_nothing() -> None:
    variances = {(0, 1): 1.0, (0, 2): 0.0, (1, 2): 0.0}
    assert contrast_variance([1, 1, -2], variances) == 0.0
    with pytest.raises(ValueError, match="sum to 0"):
        contrast_variance([1, 1, 0], variances)


def test_an_interval_and_its_variance_are_each_others_inverse() -> None:
    made = contrast_interval(0.2, 0.01, 0.9)
    assert variance_of(made) == pytest.approx(0.01)
    assert variance_of(Interval(low=-1.959964, high=1.959964, confidence=0.95)) == pytest.approx(1)
