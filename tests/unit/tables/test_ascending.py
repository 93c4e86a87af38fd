"""The order of numbers: numpy's stable argsort is the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from assay.tables.ascending import ascending


def check(values: np.ndarray) -> None:
    order, ends = ascending(values)
    expected = np.argsort(values, kind="stable")
    assert order.tolist() == expected.tolist()
    ordered = values[expected]
    assert ends.tolist() == np.append(ordered[1:] != ordered[:-1], True)[: len(values)].tolist()


@given(arrays(np.float64, st.integers(0, 40), elements=st.floats(allow_nan=False)))
def test_any_numbers_are_put_in_order(values: np.ndarray) -> None:
    check(values)


@pytest.mark.parametrize("digits", [1, 3, 17])
def test_equal_numbers_keep_their_order(digits: int) -> None:
    check(np.random.default_rng(digits).random(20_000).round(digits))


def test_zeros_of_either_sign_are_equal() -> None:
    check(np.array([0.0, -0.0, 1.0, -0.0, -1.0, 0.0]))


def test_numbers_that_differ_in_their_last_digits_alone_are_told_apart() -> None:
    """Beside numbers so large that the digits by which these differ are cut off."""
    close = 0.5 + np.random.default_rng(0).integers(0, 50, 1000) * 2.0**-53
    check(np.concatenate([close, [1e300, -1e300], close]))
