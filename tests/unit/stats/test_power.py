"""Power: the numbers that docs/statistics.md and the design state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from assay.stats.cells import PairedCells
from assay.stats.classification import compare_cells
from assay.stats.estimate import Estimate, detectable_difference, inverted_p, quantile
from assay.stats.power import rows_for_margin, rows_needed


def test_a_point_of_margin_at_six_percent_discordant_takes_4710_rows() -> None:
    assert rows_for_margin(0.06, 0.01) == 4710
    assert detectable_difference((0.06 / 4710) ** 0.5) == pytest.approx(0.01, rel=1e-4)


def test_smoothing_asks_for_a_few_rows_more() -> None:
    cells = PairedCells.from_arrays(
        [1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 1, 0], [820, 30, 30, 120], classes=2
    )
    found = compare_cells(cells, "accuracy")
    rows = rows_needed(found, 0.01)
    assert rows is not None
    assert 4710 < rows < 4800
    assert found.detectable == pytest.approx(2.8016 * (0.06384 / 1003.84) ** 0.5, rel=0.02)


def test_agreeing_rows_do_not_promise_that_eight_rows_will_do() -> None:
    cells = PairedCells.from_arrays([1, 1], [1, 0], [1, 0], [900, 100], classes=2)
    rows = rows_needed(compare_cells(cells, "accuracy"), 0.01)
    assert rows is not None
    assert 350 < rows < 420


@given(variance=st.floats(1e-6, 10), margin=st.floats(1e-3, 0.5), extra=st.floats(0, 10))
def test_the_answer_is_the_smallest_that_does(variance: float, margin: float, extra: float) -> None:
    rows = rows_for_margin(variance, margin, extra_variance=extra)
    assert rows is not None

    def reach(n: int) -> float:
        spread = variance / n
        return quantile(0.95) * (spread + extra / n**2) ** 0.5 + 0.8416212 * spread**0.5

    assert reach(rows) <= margin * (1 + 1e-6)
    assert rows == 1 or reach(rows - 1) > margin * (1 - 1e-6)


def test_where_no_number_of_rows_is_known() -> None:
    assert rows_for_margin(0.06, 0) is None
    assert rows_for_margin(1e12, 1e-9) is None
    assert rows_needed(Estimate(n=10, undefined="no rows"), 0.01) is None
    few = Estimate(n=10, regime="too few rows", rows_to_judge=30)
    assert rows_needed(few, 0.01) == 30


@given(difference=st.floats(-5, 5), spread=st.floats(0.01, 2))
def test_inverting_a_normal_interval_gives_the_normal_p(difference: float, spread: float) -> None:
    found = inverted_p(lambda z: (difference - z * spread, difference + z * spread))
    expected = norm.cdf(difference / spread)
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-30)
