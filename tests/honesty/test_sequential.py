"""Do confidence sequences hold at a thousand looks, and how much does that cost?"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest, norm

from assay.stats.sequential.means import FEWEST_EVENTS, boundary
from assay.stats.sequential.rates import Prior, rate_bounds
from assay.stats.sequential.sample_ratio import log_bayes_factor

pytestmark = pytest.mark.honesty

Array = NDArray[np.float64]
LOOKS = 1000
ERROR = 0.05


def shown(name: str, alarms: int, runs: int) -> tuple[float, float]:
    """Print a simulated rate with its Clopper–Pearson interval, and return that."""
    ends = binomtest(alarms, runs).proportion_ci(0.95, method="exact")
    print(f"{name}: {alarms / runs:.4f} [{ends.low:.4f}, {ends.high:.4f}] of {runs:,} runs")
    return float(ends.low), float(ends.high)


def at_most(name: str, alarms: int, runs: int, limit: float = ERROR) -> None:
    """Fail where the rate is above its limit beyond what chance explains."""
    assert shown(name, alarms, runs)[0] <= limit


def cumulated(values: Array, looks: NDArray[np.int64]) -> tuple[Array, Array]:
    """Mean and standard deviation of each run (rows) after the first `looks` values."""
    means = np.cumsum(values, axis=1)[:, looks - 1] / looks
    squares = np.cumsum(values**2, axis=1)[:, looks - 1] / looks
    variance = np.maximum(squares - means**2, 0) * looks / np.maximum(looks - 1, 1)
    return means, np.sqrt(variance)


@pytest.mark.parametrize(
    ("rate", "planned"), [(0.5, 0.5), (0.02, 0.02), (0.002, 0.02), (0.2, 0.02)]
)
def test_equal_error_rates_raise_no_alarm(rate: float, planned: float) -> None:
    """Two arms of 20 units a look, 1,000 looks: any look that calls them different."""
    rng = np.random.default_rng(51)
    runs, each = 300, 20
    n = np.arange(1, LOOKS + 1) * each
    prior = Prior.planned(rate=planned, n=each * LOOKS // 2)
    arms = [np.cumsum(rng.binomial(each, rate, (runs, LOOKS)), axis=1) for _ in range(2)]
    (low0, high0), (low1, high1) = (
        rate_bounds(events, np.broadcast_to(n, events.shape), confidence=1 - ERROR / 2, prior=prior)
        for events in arms
    )
    alarms = ((low1 > high0) | (low0 > high1)).any(axis=1)
    at_most(f"two rates of {rate}, planned for {planned}", int(alarms.sum()), runs)
    missed = ((low0 > rate) | (high0 < rate)).any(axis=1)
    at_most("one of them outside its own sequence", int(missed.sum()), runs, ERROR / 2)


DRAWS: dict[str, Callable[[np.random.Generator, tuple[int, int]], Array]] = {
    "normal": lambda rng, shape: rng.normal(0, 1, shape),
    "0/1 at 5 %": lambda rng, shape: rng.binomial(1, 0.05, shape) - 0.05,
    "log-normal": lambda rng, shape: rng.lognormal(0, 1, shape) - math.exp(0.5),
    "paired, 6 % discordant": lambda rng, shape: rng.choice(
        [-1.0, 0.0, 1.0], shape, p=[0.03, 0.94, 0.03]
    ),
}


@pytest.mark.parametrize("name", DRAWS)
def test_a_mean_of_nothing_raises_no_alarm(name: str) -> None:
    """20,000 values, 1,000 even looks; a look counts from 20 events on."""
    rng = np.random.default_rng(52)
    runs, looks = 400, np.arange(1, LOOKS + 1) * 20
    values = DRAWS[name](rng, (runs, 20 * LOOKS))
    usual = 0.0 if name.startswith("paired") else (-0.05 if name.startswith("0/1") else math.nan)
    events = np.cumsum(values != usual, axis=1)[:, looks - 1]
    means, spread = cumulated(values, looks)
    reach = np.array([boundary(int(n), planned=10_000) for n in looks])
    usable = events >= FEWEST_EVENTS
    sequential = ((np.abs(means) > reach * spread) & usable).any(axis=1)
    z = norm.ppf(1 - ERROR / 2)
    naive = ((np.abs(means) > z * spread / np.sqrt(looks)) & usable).any(axis=1)
    at_most(f"a mean of 0, {name}", int(sequential.sum()), runs)
    assert shown(f"naive peeking, {name}", int(naive.sum()), runs)[1] > 0.35


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.9, 0.1), (0.5, 0.3, 0.2)])
def test_planned_shares_raise_no_alarm(shares: tuple[float, ...]) -> None:
    rng = np.random.default_rng(54)
    runs = 1000
    counts = np.cumsum(rng.multinomial(20, shares, (runs, LOOKS)), axis=1)
    alarms = (log_bayes_factor(counts, shares) >= -math.log(ERROR)).any(axis=1)
    at_most(f"shares {shares} as planned", int(alarms.sum()), runs)
    off = np.array(shares)
    off[:2] += (0.02, -0.02)
    counts = np.cumsum(rng.multinomial(20, off, (200, LOOKS)), axis=1)
    found = log_bayes_factor(counts, shares) >= -math.log(ERROR)
    first = np.where(found.any(axis=1), found.argmax(axis=1) + 1, LOOKS) * 20
    print(f"a share off by 2 points: found after {np.median(first):,.0f} units (median)")
    assert found.any(axis=1).mean() > 0.95


def test_what_watching_costs() -> None:
    """Units until a real difference of 0.1 standard deviations is found, beside a fixed test."""
    rng = np.random.default_rng(56)
    runs, effect = 400, 0.1
    fixed = math.ceil(((norm.ppf(0.975) + norm.ppf(0.8)) / effect) ** 2)
    looks = np.arange(20, 6 * fixed, 20)
    values = rng.normal(effect, 1, (runs, 6 * fixed))
    means, spread = cumulated(values, looks)
    reach = np.array([boundary(int(n), planned=fixed) for n in looks])
    found = means > reach * spread
    first = looks[np.where(found.any(axis=1), found.argmax(axis=1), len(looks) - 1)]
    print(
        f"fixed test, 80 % power: {fixed:,} units; watched: mean {first.mean():,.0f}, "
        f"median {np.median(first):,.0f}, 80 % by {np.quantile(first, 0.8):,.0f}, "
        f"found {found.any(axis=1).mean():.3f} by {looks[-1]:,}"
    )
    assert found.any(axis=1).mean() > 0.95
    assert np.median(first) < 2 * fixed
