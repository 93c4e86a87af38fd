"""Means, RMSE and R² against numpy, scipy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as oracle
from sklearn.metrics import r2_score, root_mean_squared_error

from assay.stats.cells import PairedCells
from assay.stats.classification import compare_cells
from assay.stats.estimate import relative_weight
from assay.stats.means import (
    mean_difference,
    r2_difference,
    regression_moments,
    rmse_difference,
)
from assay.stats.moments import JointMoments, monomials
from assay.stats.studentised import hall
from support.estimates import ends


def predictions(n: int = 300, seed: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = rng.normal(10, 3, n)
    base = label + rng.normal(0, 1, n)
    head = label + 0.8 * (base - label) + rng.normal(0, 0.5, n)
    return label, base, head


def squared(label: np.ndarray, base: np.ndarray, head: np.ndarray) -> JointMoments:
    return JointMoments.from_sides((base - label) ** 2, (head - label) ** 2)


def test_moments_of_any_contrast_are_numpys() -> None:
    rng = np.random.default_rng(0)
    columns = rng.gamma(2.0, size=(3, 400)) + 50
    moments = JointMoments.from_columns(*columns)
    coefficients = (0.3, -1.0, 2.0)
    line = np.array(coefficients) @ columns
    found = moments.linear(coefficients)
    assert found.mean == pytest.approx(line.mean())
    assert found.variance == pytest.approx(line.var())
    assert found.third == pytest.approx(((line - line.mean()) ** 3).mean())


def test_shifts_need_not_be_the_means() -> None:
    rng = np.random.default_rng(1)
    base, head = rng.normal(3, 1, (2, 200))
    exact = JointMoments.from_sides(base, head)
    shifts = (2.5, 0.1)
    centred = (base - shifts[0], head - base - shifts[1])
    sums = {(i, j): float((centred[0] ** i * centred[1] ** j).sum()) for i, j in monomials(2)}
    rough = JointMoments(n=200, shifts=shifts, sums=sums, changed=200)
    for weight in (1.0, 0.9):
        one, other = (
            mean_difference(moments, greater_is_better=True, base_weight=weight)
            for moments in (exact, rough)
        )
        assert one.difference == pytest.approx(other.difference)
        assert ends(one) == pytest.approx(ends(other))


def test_nearly_equal_models_lose_no_digits() -> None:
    rng = np.random.default_rng(2)
    base = rng.normal(1e6, 10, 1000)
    change = rng.normal(1e-5, 1e-4, 1000)
    found = mean_difference(JointMoments.from_columns(base, change), greater_is_better=True)
    expected = oracle.ttest_1samp(change, 0).confidence_interval(0.95)
    assert ends(found) == pytest.approx((expected.low, expected.high), rel=0.02)


def test_missing_moments_are_refused() -> None:
    with pytest.raises(ValueError, match="sums are needed"):
        JointMoments(n=1, shifts=(0.0, 0.0), sums={(1, 0): 0.0}, changed=0)


def test_symmetric_differences_give_students_interval_and_p() -> None:
    rng = np.random.default_rng(3)
    base = rng.normal(0, 1, 4000)
    half = rng.normal(0, 1, 2000)
    change = np.concatenate([half, -half]) - 0.02
    found = mean_difference(JointMoments.from_columns(base, change), greater_is_better=True)
    test = oracle.ttest_1samp(change, 0, alternative="less")
    expected = oracle.ttest_1samp(change, 0).confidence_interval(0.95)
    # The pseudo-rows widen it by less than half a percent.
    assert ends(found) == pytest.approx((expected.low, expected.high), rel=5e-3)
    assert found.p_worse == pytest.approx(test.pvalue, rel=0.02)


def test_less_is_better_turns_the_difference_round() -> None:
    label, base, head = predictions()
    moments = JointMoments.from_sides(np.abs(base - label), np.abs(head - label))
    less = mean_difference(moments, greater_is_better=False)
    more = mean_difference(moments, greater_is_better=True)
    assert less.difference == pytest.approx(
        np.abs(base - label).mean() - np.abs(head - label).mean()
    )
    assert ends(less) == pytest.approx(tuple(-end for end in reversed(ends(more))))
    assert less.p_worse is not None
    assert more.p_worse is not None
    assert less.p_worse + more.p_worse == pytest.approx(1)


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), scale=st.floats(1e-3, 1e3))
def test_swap_and_scale(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    base = rng.gamma(1.5, size=400)
    head = base + rng.normal(0, 0.3, 400) * (rng.random(400) < 0.5)
    there = mean_difference(JointMoments.from_sides(base, head), greater_is_better=True)
    back = mean_difference(JointMoments.from_sides(head, base), greater_is_better=True)
    big = mean_difference(
        JointMoments.from_sides(base * scale, head * scale), greater_is_better=True
    )
    assert there.regime == back.regime == big.regime
    if there.interval is None:
        return
    assert ends(there) == pytest.approx(tuple(-end for end in reversed(ends(back))), abs=1e-9)
    assert ends(big) == pytest.approx(tuple(end * scale for end in ends(there)))


@pytest.mark.parametrize("greater_is_better", [True, False])
@pytest.mark.parametrize("weight", [1.0, 0.95])
def test_a_score_of_zeros_and_ones_is_judged_as_accuracy(
    greater_is_better: bool, weight: float
) -> None:
    base = np.array([1] * 900 + [0] * 100)
    head = base.copy()
    head[:12] = 0
    head[900:905] = 1
    found = mean_difference(
        JointMoments.from_sides(base, head),
        greater_is_better=greater_is_better,
        base_weight=weight,
    )
    right = PairedCells.from_rows(np.ones(1000), base, head, classes=2)
    accuracy = compare_cells(right, "accuracy", base_weight=weight)
    if greater_is_better:
        assert found == accuracy
    else:
        assert ends(found) == pytest.approx(tuple(-end for end in reversed(ends(accuracy))))
        assert found.p_worse is not None
        assert (found.p_worse > 0.5) == (weight == 1)


def test_few_changed_rows_are_as_large_as_two_draws_at_least() -> None:
    base = np.random.default_rng(13).normal(5, 2, 1000)
    head = base.copy()
    head[0] += 0.01
    low, high = ends(mean_difference(JointMoments.from_sides(base, head), greater_is_better=True))
    z2 = 1.959963984540054**2
    assert (high - low) / 2 == pytest.approx(z2 * np.sqrt(2) * base.std() / (1000 + z2), rel=0.01)


def test_pseudo_rows_are_as_large_as_the_changes_that_carry_the_variance() -> None:
    change = np.array([0.0] * 960 + [1.0] * 20 + [-1.0] * 20)
    base = np.random.default_rng(14).normal(0, 0.1, 1000)
    moments = JointMoments.from_columns(base, change)
    assert moments.square_of_changes() == pytest.approx(1.0)
    shifted = JointMoments.from_columns(base, change + 3)
    expected = ((change + 3) ** 4).sum() / ((change + 3) ** 2).sum()
    assert shifted.square_of_changes() == pytest.approx(expected)
    assert JointMoments.from_sides(base, base).square_of_changes() == 0


def test_large_changes_lean_to_one_side_or_cancel() -> None:
    base = np.zeros(100)
    equal, opposed, uneven = np.zeros(100), np.zeros(100), np.zeros(100)
    equal[:8], opposed[:8], uneven[:8] = 3.0, [3.0, -3.0] * 4, [1.0] * 7 + [10.0]
    lean = [
        JointMoments.from_sides(base, head).lean_of_changes() for head in (equal, opposed, uneven)
    ]
    assert lean == pytest.approx([9.0, 9.0, (1007 / 107) ** 2])
    assert JointMoments.from_sides(base, base).lean_of_changes() == 0


def test_a_few_large_changes_among_small_ones_count_as_few() -> None:
    base, head = np.zeros(1000), np.full(1000, 0.01)
    assert JointMoments.from_sides(base, head).changes_that_count() == pytest.approx(1000)
    head[:7] = -2.0
    few = JointMoments.from_sides(base, head)
    assert few.changed == 1000
    assert few.changes_that_count() == pytest.approx(7, rel=0.01)


def test_no_changed_row_still_admits_ignorance() -> None:
    base = np.random.default_rng(6).gamma(2, size=500)
    moments = JointMoments.from_sides(base, base)
    low, high = ends(mean_difference(moments, greater_is_better=False))
    assert low < 0 < high
    assert low == pytest.approx(-high)
    same = mean_difference(moments, greater_is_better=False, identical=True)
    assert ends(same) == (0.0, 0.0)
    constant = JointMoments.from_sides(np.full(500, 2.5), np.full(500, 2.5))
    found = mean_difference(constant, greater_is_better=False)
    assert found.regime == "no row tells the models apart"


def test_one_row_that_decides_everything_is_not_judged() -> None:
    base = np.zeros(1000)
    head = np.random.default_rng(7).normal(0, 0.01, 1000)
    head[0] = 1000.0
    found = mean_difference(JointMoments.from_sides(base, head), greater_is_better=False)
    assert found.regime == "heavy tails"
    assert found.rows_to_judge is not None
    assert found.rows_to_judge > 1000


def test_values_that_are_not_numbers_have_no_mean() -> None:
    base = np.array([1.0, np.nan] * 50)
    found = mean_difference(JointMoments.from_sides(base, base), greater_is_better=True)
    assert found.undefined == "a value is missing or infinite"
    empty = JointMoments.from_sides([], [])
    assert mean_difference(empty, greater_is_better=True).undefined == "no rows"
    few = JointMoments.from_sides(np.arange(9.0), np.arange(9.0) ** 2)
    found = mean_difference(few, greater_is_better=True)
    assert (found.regime, found.rows_to_judge) == ("too few rows", 30)


@pytest.mark.parametrize("quantile", [-2.5, -1.0, 0.0, 1.96, 3.0])
@pytest.mark.parametrize("skew", [-0.3, -1e-9, 0.0, 1e-5, 0.2])
def test_halls_inverse_inverts_his_transformation(quantile: float, skew: float) -> None:
    t = hall(quantile, skew)
    back = t + skew * (t**2 / 3 + 1 / 6) + skew**2 * t**3 / 27
    assert back == pytest.approx(quantile, abs=1e-8)


@pytest.mark.parametrize("weight", [1.0, 1.05])
def test_rmse_is_scikit_learns_and_its_error_the_jackknifes(weight: float) -> None:
    label, base, head = predictions()
    found = rmse_difference(squared(label, base, head), base_weight=weight)
    assert found.base == pytest.approx(root_mean_squared_error(label, base))
    assert found.head == pytest.approx(root_mean_squared_error(label, head))

    def score(keep: np.ndarray) -> float:
        return weight * root_mean_squared_error(label[keep], base[keep]) - root_mean_squared_error(
            label[keep], head[keep]
        )

    assert found.row_variance == pytest.approx(jackknife(score, label.size), rel=0.02)


@pytest.mark.parametrize("weight", [1.0, 0.95])
def test_r2_is_scikit_learns_and_its_error_the_jackknifes(weight: float) -> None:
    label, base, head = predictions()
    found = r2_difference(regression_moments(label, base, head), base_weight=weight)
    assert found.base == pytest.approx(r2_score(label, base))
    assert found.head == pytest.approx(r2_score(label, head))

    def score(keep: np.ndarray) -> float:
        return r2_score(label[keep], head[keep]) - weight * r2_score(label[keep], base[keep])

    assert found.row_variance == pytest.approx(jackknife(score, label.size), rel=0.03)


def jackknife(score: object, n: int) -> float:
    """n times the jackknife variance of a score of the kept rows."""
    assert callable(score)
    every = np.arange(n)
    left_out = np.array([score(np.delete(every, row)) for row in range(n)])
    return float((n - 1) * ((left_out - left_out.mean()) ** 2).sum())


def test_regression_without_spread_or_error() -> None:
    label, base, head = predictions()
    flat = regression_moments(np.ones(300), base, head)
    assert r2_difference(flat).undefined == "all labels are equal"
    perfect = rmse_difference(squared(label, base, label))
    assert perfect.regime == "a side without any error"


def test_relative_margins_weigh_the_base() -> None:
    assert relative_weight(0.02, greater_is_better=True) == pytest.approx(0.98)
    assert relative_weight(0.02, greater_is_better=False) == pytest.approx(1.02)
    label, base, head = predictions()
    weight = relative_weight(0.1, greater_is_better=False)
    found = rmse_difference(squared(label, base, head), base_weight=weight)
    assert found.base is not None
    assert found.head is not None
    assert found.difference == pytest.approx(1.1 * found.base - found.head)
