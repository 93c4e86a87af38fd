"""The credit of a margin and the confidence beside it, held to scipy and to a simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from assay.stats.estimate import detectable_difference
from assay.stats.multiplicity import corrected_confidence
from assay.stats.reuse import MOST_CREDIT, margin_credit, standard_error_of


def test_one_decision_leaves_the_confidence_as_it_is() -> None:
    assert corrected_confidence(0.95, 1) == 0.95
    assert corrected_confidence(0.95, 5) == pytest.approx(0.99)
    with pytest.raises(ValueError, match="at least one"):
        corrected_confidence(0.95, 0)


@given(st.floats(1e-3, 0.2), st.floats(1e-2, 0.2), st.floats(0.5, 0.999))
def test_the_credit_is_its_formula(margin: float, error: float, confidence: float) -> None:
    expected = (1 - confidence) / (2 * norm.cdf(-margin / error))
    found = margin_credit(margin, error, confidence=confidence)
    assert found is not None
    if expected >= MOST_CREDIT:
        assert found == MOST_CREDIT
    else:
        assert found == pytest.approx(np.floor(expected), abs=1e-6 * expected + 1)
        assert found <= expected * (1 + 1e-9) < (found + 1) * (1 + 1e-6)


def test_no_margin_and_no_error_have_no_credit() -> None:
    assert margin_credit(0.0, 0.01, confidence=0.95) is None
    assert margin_credit(0.01, 0.0, confidence=0.95) is None
    assert margin_credit(1.0, 0.001, confidence=0.95) == MOST_CREDIT


def test_the_standard_error_comes_back_from_the_detectable_difference() -> None:
    found = detectable_difference(0.0123, confidence=0.9)
    assert standard_error_of(found, 0.9) == pytest.approx(0.0123)


def test_as_many_as_the_credit_seldom_look_better_and_twice_as_many_may() -> None:
    """K heads, each worse by the margin: one looks better in at most α/2 of the runs."""
    margin, error = 0.03, 0.01
    credit = margin_credit(margin, error, confidence=0.95)
    assert credit == 18
    draws = np.random.default_rng(5).normal(-margin, error, size=(40_000, credit))
    assert (draws.max(axis=1) > 0).mean() == pytest.approx(0.025, abs=0.004)
