"""Planning: each answer undoes the other, and the exact power is scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr
from scipy.stats import binom

from assay.stats.auc import roc_auc_from_scores
from assay.stats.cells import Outcomes
from assay.stats.estimate import quantile
from assay.stats.planning import of_auc, of_mean, of_share
from assay.stats.power import (
    exact_share_power,
    margin_for_rows,
    power_for_margin,
    rows_for_margin,
)


@given(
    variance=st.floats(1e-4, 10),
    extra=st.floats(0, 10),
    margin=st.floats(0.005, 0.5),
    power=st.floats(0.5, 0.99),
)
def test_rows_margin_and_power_agree(
    variance: float, extra: float, margin: float, power: float
) -> None:
    rows = rows_for_margin(variance, margin, power=power, extra_variance=extra)
    assert rows is not None
    assert power_for_margin(rows, variance, margin, extra_variance=extra) >= power - 1e-9
    again = margin_for_rows(rows, variance, power=power, extra_variance=extra)
    assert again <= margin + 1e-12
    if rows > 1:
        assert power_for_margin(rows - 1, variance, margin, extra_variance=extra) < power


def test_the_exact_power_sums_every_outcome() -> None:
    rows, discordant, margin = 60, 0.2, 0.1
    z, expected = quantile(0.95), 0.0
    for changed in range(rows + 1):
        for won in range(changed + 1):
            lost = changed - won
            found = Outcomes(both=rows - changed, base_only=lost, head_only=won, neither=0)
            if (won - lost) / rows - z * found.standard_error(z, 1.0) > -margin:
                expected += binom.pmf(changed, rows, discordant) * binom.pmf(won, changed, 0.5)
    assert exact_share_power(rows, discordant, margin) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("rows", [1000, 4000])
def test_the_normal_power_is_close_to_the_exact_one(rows: int) -> None:
    design = of_share(0.1)
    normal = power_for_margin(rows, 0.1, 0.02, extra_variance=design.extra_variance)
    assert exact_share_power(rows, 0.1, 0.02) == pytest.approx(normal, abs=0.01)


def test_recall_needs_its_rows_among_the_positives() -> None:
    whole, rare = of_share(0.1), of_share(0.1, share=0.1)
    assert rare.row_variance == pytest.approx(10 * whole.row_variance)
    # 100 times the rows squared: the same pseudo-rows among the positives.
    assert rare.extra_variance == pytest.approx(100 * whole.extra_variance)
    assert rare.discordant is None


def test_the_power_never_leaves_its_range() -> None:
    assert power_for_margin(100, 0.0, 0.1) == 1.0
    assert exact_share_power(40, 1.0, 0.9) == pytest.approx(1.0, abs=1e-4)
    assert np.isfinite(exact_share_power(40, 1e-6, 0.01))


def test_the_planned_auc_is_delongs_on_many_normal_scores() -> None:
    rng, rows, correlation = np.random.default_rng(9), 200_000, 0.8
    label = rng.random(rows) < 0.3
    shared = rng.normal(size=rows) * np.sqrt(correlation) + 1.2 * label
    sides = (shared + rng.normal(0, np.sqrt(1 - correlation), rows) for _ in range(2))
    found = roc_auc_from_scores(label, *sides)
    assert found.base is not None
    planned = of_auc(float(ndtr(1.2 / np.sqrt(2))), correlation=correlation, positives=0.3)
    assert planned.row_variance == pytest.approx(found.row_variance, rel=0.03)


@pytest.mark.parametrize("wrong", [0.0, -0.1, 1.1, float("nan")])
def test_what_is_no_share_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        of_share(wrong)
    with pytest.raises(ValueError, match="must be"):
        of_auc(0.8, correlation=0.5, positives=wrong)


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("inf"), float("nan")])
def test_what_is_no_spread_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        of_mean(wrong)
