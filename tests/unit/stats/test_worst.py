"""The worst of several estimates."""

from __future__ import annotations

import pytest

from assay.stats.estimate import Estimate, Interval
from assay.stats.multiplicity import corrected_confidence
from assay.stats.worst import worst_of


def estimated(low: float, high: float, p: float) -> Estimate:
    return Estimate(n=100, interval=Interval(low=low, high=high, confidence=0.99), p_worse=p)


def test_the_intervals_share_the_chance_to_miss() -> None:
    assert corrected_confidence(0.95, 1) == 0.95
    assert corrected_confidence(0.95, 100) == pytest.approx(0.9995)


def test_the_largest_certain_loss_comes_first_whatever_its_p() -> None:
    found = {
        "large and sure": estimated(-0.02, -0.01, 1e-12),
        "small and bad": estimated(-0.2, -0.05, 1e-5),
        "not worse": estimated(-0.3, 0.01, 0.02),
        "unjudged": Estimate(n=100, regime="too few positives"),
    }
    worst = worst_of(found, 0.999)
    assert worst.worse == ("small and bad", "large and sure")
    assert worst.first == "small and bad"


def test_an_exact_p_above_the_level_is_not_enough() -> None:
    worst = worst_of({"a": estimated(-0.2, -0.01, 0.001)}, 0.999)
    assert (worst.worse, worst.first) == ((), "a")


def test_where_none_is_worse_the_smallest_p_is_shown() -> None:
    found = {"b": estimated(-0.1, 0.1, 0.4), "a": estimated(-0.1, 0.1, 0.4)}
    assert worst_of(found, 0.95).first == "a"
    assert worst_of({}, 0.95).first is None
