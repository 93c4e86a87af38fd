"""How often does drift cry wolf in a quiet year, and does it cry at all?"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from scipy.stats import chi2

from honesty.quiet_years import FEATURES, HOURS, alarms, quiet

pytestmark = pytest.mark.honesty
SEEDS = 20


def upper(count: int, years: float) -> float:
    """The upper end of a two-sided 95 % interval for a Poisson rate (Garwood 1936)."""
    return float(chi2.ppf(0.975, 2 * (count + 1)) / 2 / years)


def year(seed: int) -> int:
    """Alarms in one year of hourly looks."""
    return alarms(quiet(seed, hours=HOURS))


def test_a_quiet_quarter_makes_no_alarm() -> None:
    """Each fifth hour, which meets all hours of the day; 30 features."""
    found = [alarms(quiet(seed, hours=13 * 168), every=5) for seed in (1, 2)]
    print(f"quiet quarters, looked at each fifth hour: {found} alarms")
    assert sum(found) == 0


def test_a_change_is_seen_within_hours() -> None:
    """One of 30 features moves by a whole deviation in the seventh week, at noon."""
    traffic = quiet(3, hours=7 * 168)
    start = 6 * 168 + 12
    traffic.counts[start:, 0] = np.roll(traffic.counts[start:, 0], 4, axis=1)
    assert alarms(traffic, every=4) >= 1


@pytest.mark.heavy
@pytest.mark.timeout(7_200)
def test_quiet_years() -> None:
    """20 years of hourly looks at 30 features: at most one false alarm a year, as a bound."""
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(year, range(SEEDS)))
    bound = upper(sum(found), SEEDS)
    print(f"{SEEDS} quiet years, {FEATURES} features, hourly: {found}; at most {bound:.2f} a year")
    assert bound <= 1
