"""Is the bound on the labels that a drop takes what the page says it is?"""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from honesty.change_part import DROPS, POWER, run
from honesty.changes import LABELS, PROMISED, drawn, found_after, predicted, sequential
from honesty.computed_bound import TIMES, at_the_bound

pytestmark = pytest.mark.honesty


@pytest.mark.parametrize("drop", DROPS)
def test_the_bound_is_the_first_day_with_its_probability(drop: float) -> None:
    for since in TIMES:
        reached, before = at_the_bound(since, drop, power=POWER)
        print(f"a drop of {drop:g} at day {since:g}: {reached:.4f}, a day before {before:.4f}")
        assert reached >= POWER
        assert before < POWER


def test_the_bound_is_known_before_a_run() -> None:
    """It is given a drop and a time, and nothing that was drawn."""
    assert list(inspect.signature(predicted).parameters) == ["since", "f1", "power"]
    made = run(3, 0.1)
    since = float(np.random.default_rng([3, 100]).uniform(30, 180))
    assert made.predicted == predicted(since, PROMISED - 0.1, power=POWER)


def test_labels_are_counted_from_the_change_on_both_sides() -> None:
    """At the look that ends the bound's day as many labels have come as the bound says."""
    since = 40.3
    most = predicted(since, PROMISED - 0.1, power=POWER)
    last = round(since + most / LABELS) - 1
    assert found_after([last], since) == most
    assert found_after([last + 1], since) == most + LABELS
    days = drawn(np.random.default_rng(0), days=60, since=since, f1=PROMISED - 0.1)
    assert found_after(sequential(days), since) is not None
