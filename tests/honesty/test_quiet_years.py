"""How often does drift cry wolf in a quiet year, and does it cry at all?"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from assay.monitoring.cells import confirming_p, to_cells
from honesty.quiet_part import MOST, USUAL, interval, quiet_years, seen_after
from honesty.quiet_traffic import World, quiet
from honesty.quiet_years import WEEK, alarms, counted, p_values

pytestmark = pytest.mark.honesty


def test_a_quiet_quarter_makes_no_alarm() -> None:
    """Every hour of 13 weeks, 30 features."""
    assert alarms(quiet(1, USUAL, hours=13 * WEEK)) == []


def test_a_change_is_seen_within_a_day() -> None:
    """One of 30 features moves by a deviation and a half."""
    hours = seen_after(3, 1.5)
    assert hours is not None
    assert hours <= 24


@pytest.mark.timeout(900)
def test_looks_that_are_passed_over_find_nothing() -> None:
    """Where days are so restless that there are many alarms, they are the same ones."""
    traffic = quiet(2, World(name="wild", restless=0.35), hours=3 * WEEK + 72)
    found = alarms(traffic)
    assert len(found) > 5
    assert found == alarms(traffic, every_look=True)


def test_p_values_are_the_look_s_own() -> None:
    traffic = quiet(4, USUAL, hours=3 * WEEK)
    for column in traffic.columns:
        for at in (WEEK + 3, WEEK + 15):
            before, now = counted(column, at - 30, at), counted(column, at, at + 2)
            cells = to_cells(column.reference, before, now)
            assert cells is not None
            (p,) = p_values(cells.before[None, :], cells.now[None, :])
            assert p == pytest.approx(confirming_p(cells), rel=1e-9)
    table = np.array([[30.0, 40, 50], [45, 30, 44]])
    assert p_values(table[:1], table[1:])[0] == pytest.approx(
        chi2_contingency(table, correction=False).pvalue
    )


@pytest.mark.heavy
@pytest.mark.timeout(7_200)
def test_quiet_years() -> None:
    """20 years of hourly looks: at most one false alarm a year, as a bound."""
    with ProcessPoolExecutor(2) as pool:
        found = quiet_years(pool, USUAL, 20)
    assert interval(sum(found.alarms), 20)[1] <= MOST
