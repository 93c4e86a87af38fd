from __future__ import annotations

import numpy as np
import pytest

from assay.stats.live import f1_of, jaccard_of
from assay.stats.sequential.means import Sums
from assay.stats.sequential.since import calibration_since, mean_since, rate_since


def test_the_errors_of_all_starts_add_up_to_no_more_than_one() -> None:
    found = rate_since([5] * 50, [50] * 50, promised=0.1, planned=500, confidence=0.95)
    assert sum(1 - one.confidence for one in found) < 0.05
    assert [one.start for one in found] == list(range(50))


def test_a_change_after_a_long_good_time_is_found_by_the_sequence_that_began_with_it() -> None:
    random = np.random.default_rng(1)
    right = [int(random.binomial(300, 0.9)) for _ in range(100)]
    right += [int(random.binomial(300, 0.8)) for _ in range(5)]
    found = rate_since(right, [300] * 105, promised=0.9, planned=1_000, confidence=0.95)
    lowest = min(found, key=lambda one: one.high)
    assert 97 <= lowest.start <= 103
    assert lowest.high < 0.88
    # All that came since the start is hardly moved.
    assert found[0].high > 0.895


def test_a_quiet_stream_is_rarely_called_worse_at_any_look() -> None:
    random = np.random.default_rng(2)
    alarms = 0
    for _ in range(40):
        right = random.binomial(100, 0.9, size=60)
        alarms += any(
            one.high < 0.9
            for looks in range(1, 61)
            for one in rate_since(
                right[:looks], [100] * looks, promised=0.9, planned=1_000, confidence=0.95
            )
        )
    assert alarms <= 2


def test_a_rising_function_moves_the_ends() -> None:
    (found,) = rate_since(
        [60], [100], promised=jaccard_of(0.75), planned=200, confidence=0.9, of_rate=f1_of
    )
    (plain,) = rate_since([60], [100], promised=0.6, planned=200, confidence=0.9)
    assert found.value == pytest.approx(0.75)
    assert (found.low, found.high) == pytest.approx((f1_of(plain.low), f1_of(plain.high)))


def test_windows_without_rows_and_few_rows_are_no_start() -> None:
    assert rate_since([1, 0], [5, 0], promised=0.5, planned=100, confidence=0.9) == ()
    assert mean_since([Sums(), Sums()], planned=100, confidence=0.9) == ()


def test_a_mean_is_watched_from_each_window_on() -> None:
    random = np.random.default_rng(3)
    windows = [Sums.of(random.exponential(size=200)) for _ in range(30)]
    windows += [Sums.of(random.exponential(2.0, size=200)) for _ in range(3)]
    found = mean_since(windows, planned=600, confidence=0.95)
    highest = max(found, key=lambda one: one.low)
    assert 29 <= highest.start <= 32
    assert highest.low > 1.3


def test_calibration_is_watched_whatever_the_signs() -> None:
    rows = np.full((10, 10), 100.0)
    gaps = np.zeros((10, 10))
    gaps[8:, ::2], gaps[8:, 1::2] = 30.0, -30.0
    squares = np.full((10, 10), 25.0)
    found = calibration_since(rows, gaps, squares, planned=1_000, confidence=0.95)
    worst = max(found, key=lambda one: one.low)
    assert worst.start == 8
    assert worst.value == pytest.approx(0.3)
    assert 0 < worst.low < 0.3 < worst.high
