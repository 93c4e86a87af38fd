"""Gaps between groups: values by hand, the delta method where extremes are clear, and refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from assay.stats.cells import Outcomes
from assay.stats.fairness import gap_difference, group_rates, wilson


def outcomes(both: int, base_only: int, head_only: int, neither: int) -> Outcomes:
    return Outcomes(both=both, base_only=base_only, head_only=head_only, neither=neither)


THREE = {
    "a": outcomes(300, 20, 5, 175),
    "b": outcomes(200, 10, 30, 260),
    "c": outcomes(90, 6, 4, 300),
}


def test_a_gap_is_the_largest_rate_minus_the_smallest() -> None:
    found = gap_difference(THREE, n=1400)
    assert found.base == pytest.approx(320 / 500 - 96 / 400)
    assert found.head == pytest.approx(305 / 500 - 94 / 400)
    assert found.difference == pytest.approx(found.base - found.head)


def test_with_clear_extremes_it_is_the_delta_method() -> None:
    """Both sides' extremes are a and c: two independent paired differences."""
    found = gap_difference(THREE, n=1400)
    assert found.interval is not None
    z = 1.959963984540054
    squares = sum(THREE[name].standard_error(z, 1.0) ** 2 for name in "ac")
    width = found.interval.high - found.interval.low
    # Student's t with the smallest group's 399 degrees of freedom.
    assert width == pytest.approx(2 * 1.965927 * math.sqrt(squares), rel=1e-4)


def test_errors_are_those_of_the_jackknife_without_smoothing() -> None:
    """The raw variance of one contrast against the rows themselves."""
    found = gap_difference(THREE, n=1400)
    parts = []
    for name in "ac":
        each = THREE[name]
        change = np.repeat([0.0, -1.0, 1.0, 0.0], [each.both, each.base_only, each.head_only, 0])
        change = np.concatenate([change, np.zeros(each.neither)])
        parts.append(change.var() / change.size)
    assert found.row_variance == pytest.approx(1400 * sum(parts), rel=1e-9)


def test_where_groups_tie_the_interval_keeps_the_paired_width() -> None:
    """Two sides that hardly differ are told apart, however alike the groups are."""
    tied = {name: outcomes(99, 1, 1, 99) for name in ("a", "b", "c")}
    found = gap_difference(tied, n=600)
    assert found.interval is not None
    assert found.interval.low < 0 < found.interval.high
    assert found.interval.high < 0.08


@settings(max_examples=40)
@given(st.lists(st.tuples(*[st.integers(0, 60)] * 4), min_size=2, max_size=4))
def test_swapping_the_sides_mirrors_the_interval(groups: list[tuple[int, int, int, int]]) -> None:
    there = {str(place): outcomes(*cells) for place, cells in enumerate(groups)}
    back = {str(place): outcomes(a, c, b, d) for place, (a, b, c, d) in enumerate(groups)}
    one, other = gap_difference(there, n=900), gap_difference(back, n=900)
    assert (one.interval is None) == (other.interval is None)
    if one.interval is not None and other.interval is not None:
        assert one.interval.low == pytest.approx(-other.interval.high, abs=1e-9)
        assert one.interval.low <= (one.difference or 0.0) + 1e-12
        assert (one.difference or 0.0) <= one.interval.high + 1e-12


@given(st.permutations(["a", "b", "c"]))
def test_the_order_of_the_groups_has_no_effect(order: list[str]) -> None:
    there = gap_difference({name: THREE[name] for name in order}, n=1400).interval
    here = gap_difference(THREE, n=1400).interval
    assert there is not None
    assert here is not None
    assert there.low == pytest.approx(here.low, abs=1e-12)


def test_small_groups_take_no_part_and_are_shown() -> None:
    groups = {**THREE, "tiny": outcomes(29, 0, 0, 0), "empty": outcomes(0, 0, 0, 0)}
    assert gap_difference(groups, n=1400) == gap_difference(THREE, n=1400)
    shown = {rate.group: rate for rate in group_rates(groups)}
    assert set(shown) == {"a", "b", "c", "tiny"}
    assert not shown["tiny"].judged
    assert shown["a"].interval[0] < shown["a"].head < shown["a"].interval[1]


def test_what_cannot_be_judged_says_why() -> None:
    alone = gap_difference({"a": THREE["a"]}, n=500)
    assert alone.undefined == "fewer than two groups have 30 rows"
    alike = {str(place): outcomes(20, 5, 5, 20) for place in range(40)}
    many = gap_difference(alike, n=2000)
    assert many.regime == "too many groups are alike to tell which are the extremes"
    same = {name: outcomes(50, 0, 0, 50) for name in "ab"}
    relative = gap_difference(same, n=200, base_weight=1.1)
    assert relative.regime == "a relative margin needs a base above 0"
    assert gap_difference(THREE, n=1400, identical=True).interval is not None


def test_p_is_where_the_interval_touches_zero() -> None:
    grown = {"a": outcomes(300, 0, 60, 140), "b": outcomes(200, 30, 0, 270)}
    found = gap_difference(grown, n=1000)
    assert found.p_worse is not None
    at = gap_difference(grown, n=1000, confidence=1 - 2 * max(found.p_worse, 1e-15))
    assert at.interval is not None
    assert at.interval.high == pytest.approx(0.0, abs=1e-6)


@given(st.integers(1, 10_000), st.floats(0, 1), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_wilsons_interval_is_that_of_scipy(n: int, share: float, confidence: float) -> None:
    successes = round(n * share)
    theirs = binomtest(successes, n).proportion_ci(confidence, method="wilson")
    ours = wilson(successes, n, confidence=confidence)
    assert ours == pytest.approx((theirs.low, theirs.high), abs=1e-14)
