"""Drift from counts against scipy on the rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as oracle
from scipy.spatial.distance import jensenshannon

from assay.stats.drift import (
    chi_square_p,
    jensen_shannon_distance,
    jensen_shannon_divergence,
    psi,
    wasserstein,
    wasserstein_sd,
)

counts = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=12
).filter(lambda pairs: sum(p[0] for p in pairs) > 0 and sum(p[1] for p in pairs) > 0)


def test_psi_by_hand() -> None:
    expected = (0.3 - 0.5) * math.log(0.3 / 0.5) + (0.7 - 0.5) * math.log(0.7 / 0.5)
    assert psi([50, 50], [30, 70]) == pytest.approx(expected)
    assert psi([50, 50, 0], [30, 70, 0]) == pytest.approx(expected)
    p, q = np.array([50.5, 0.5]) / 51, np.array([30.5, 20.5]) / 51
    assert psi([50, 0], [30, 20]) == pytest.approx(float(((q - p) * np.log(q / p)).sum()))


@given(pairs=counts)
def test_distances_are_scipys(pairs: list[tuple[int, int]]) -> None:
    reference, current = np.array(pairs).T
    expected = jensenshannon(reference, current, base=2)
    assert jensen_shannon_distance(reference, current) == pytest.approx(expected, abs=1e-7)
    assert jensen_shannon_divergence(reference, current) == pytest.approx(expected**2, abs=1e-9)
    at = np.arange(len(pairs)) ** 1.5
    moved = oracle.wasserstein_distance(at, at, reference, current)
    assert wasserstein(at, reference, current) == pytest.approx(moved, abs=1e-9)
    rows, others = np.repeat(at, reference), np.repeat(at, current)
    if rows.std() > 0:
        assert wasserstein_sd(at, reference, current) == pytest.approx(
            oracle.wasserstein_distance(rows, others) / rows.std()
        )


@given(pairs=counts)
def test_chi_square_is_scipys(pairs: list[tuple[int, int]]) -> None:
    table = np.array(pairs).T
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        assert chi_square_p(*np.array(pairs).T) == 1.0
        return
    expected = oracle.chi2_contingency(table, correction=False).pvalue
    assert chi_square_p(*np.array(pairs).T) == pytest.approx(expected)


def test_nothing_moved_and_constants() -> None:
    assert psi([3, 4], [30, 40]) == pytest.approx(0)
    assert jensen_shannon_divergence([3, 4], [30, 40]) == pytest.approx(0)
    assert jensen_shannon_divergence([3, 0], [0, 4]) == pytest.approx(1)
    assert wasserstein_sd([1.0, 2.0], [5, 0], [7, 0]) == 0
    assert wasserstein_sd([1.0, 2.0], [5, 0], [7, 1]) == math.inf


@pytest.mark.parametrize(
    ("reference", "current", "message"),
    [
        ([1, 2], [1], "one length"),
        ([1, -2], [1, 2], "negative"),
        ([0, 0], [1, 2], "at least one row"),
        ([np.nan, 1], [1, 2], "finite"),
    ],
)
def test_what_is_no_count_is_refused(
    reference: list[float], current: list[float], message: str
) -> None:
    for measure in (psi, jensen_shannon_divergence, chi_square_p):
        with pytest.raises(ValueError, match=message):
            measure(reference, current)


def test_values_must_ascend() -> None:
    with pytest.raises(ValueError, match="ascending"):
        wasserstein([2.0, 1.0], [1, 1], [1, 1])
