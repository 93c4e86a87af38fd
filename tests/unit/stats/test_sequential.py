"""Confidence sequences: their equations, their edges, and what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.special import betaln
from scipy.stats import beta

from assay.evidence import State
from assay.stats.sequential.look import Look, SequentialInterval, mixture_scale
from assay.stats.sequential.means import (
    Sums,
    boundary,
    mean_difference,
    mean_sequence,
)
from assay.stats.sequential.rates import Count, Prior, rate_difference_bounds, rate_sequence
from assay.stats.sequential.sample_ratio import log_bayes_factor, sample_ratio
from assay.verdict.sequential import judge_look

PRIOR = Prior.planned(rate=0.02, n=2000)


def log_mixture(p: float, events: int, n: int, prior: Prior) -> float:
    """The mixture by numeric integration of the likelihood ratio over the prior."""

    def ratio(q: float) -> float:
        log = events * math.log(q / p) + (n - events) * math.log((1 - q) / (1 - p))
        density = beta.pdf(q, prior.a, prior.b) / 2 + beta.pdf(q, 0.5, 0.5) / 2
        return math.exp(log) * float(density)

    return math.log(quad(ratio, 1e-9, 1 - 1e-9, limit=400, points=[events / n])[0])


@pytest.mark.parametrize(("events", "n"), [(3, 50), (20, 400), (9, 10)])
def test_the_ends_of_a_rate_are_where_the_mixture_reaches_the_limit(events: int, n: int) -> None:
    prior = Prior(a=2.0, b=30.0)
    found = rate_sequence(Count(events=events, n=n), confidence=0.95, prior=prior)
    for end in (found.low, found.high):
        assert log_mixture(end, events, n, prior) == pytest.approx(-math.log(0.05), abs=1e-6)


def test_the_mixture_is_a_martingale_under_the_true_rate() -> None:
    n, prior = 40, PRIOR
    s = np.arange(n + 1)
    mixture = betaln(prior.a + s, prior.b + n - s) - betaln(prior.a, prior.b)
    chances = [math.comb(n, k) for k in s.tolist()]
    # Σ P(s)·M(p) = Σ C(n, s)·B(a + s, b + n − s)/B(a, b), whatever p is.
    assert float(np.dot(chances, np.exp(mixture))) == pytest.approx(1.0)


def test_a_rate_without_events_or_without_others_reaches_its_bound() -> None:
    none = rate_sequence(Count(events=0, n=500), prior=PRIOR)
    every = rate_sequence(Count(events=500, n=500), prior=PRIOR)
    nothing = rate_sequence(Count(events=0, n=0), prior=PRIOR)
    assert (none.low, every.high) == (0.0, 1.0)
    assert 0 < none.high < 0.05
    assert 0.5 < every.low < 1
    assert (nothing.low, nothing.high) == (0.0, 1.0)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_swapping_the_arms_mirrors_the_rates_interval(a: int, b: int, c: int, d: int) -> None:
    base, head = (a, a + b), (c, c + d)
    low, high = rate_difference_bounds(base, head, confidence=0.95, prior=PRIOR)
    back = rate_difference_bounds(head, base, confidence=0.95, prior=PRIOR)
    assert low == pytest.approx(-back[1], abs=1e-12)
    assert high == pytest.approx(-back[0], abs=1e-12)
    if a + b and c + d:
        assert low <= c / (c + d) - a / (a + b) <= high


def test_a_plan_narrows_the_interval_and_hides_no_surprise() -> None:
    """Against a plan for another rate: narrow at its own, little wider where the plan is wrong."""

    def width(planned: float, rate: float) -> float:
        found = rate_sequence(
            Count(events=round(5000 * rate), n=5000),
            confidence=0.975,
            prior=Prior.planned(rate=planned, n=5000),
        )
        return found.high - found.low

    assert width(0.02, 0.02) < 0.9 * width(0.9, 0.02)
    assert width(0.02, 0.3) < 1.05 * width(0.9, 0.3)


def test_the_scale_of_the_mixture_is_where_the_boundary_is_narrowest() -> None:
    for alpha in (0.05, 0.01, 0.2):
        found = minimize_scalar(
            lambda u, a=alpha: (u + 1) / u * math.log((u + 1) / a**2), bounds=(0.1, 100)
        )
        assert mixture_scale(alpha) == pytest.approx(found.x, rel=1e-3)


def test_the_boundary_is_the_published_formula() -> None:
    n, planned, alpha = 700, 1000, 0.05
    rho2 = mixture_scale(alpha) / planned
    direct = math.sqrt(
        2 * (n * rho2 + 1) / (n**2 * rho2) * math.log(math.sqrt(n * rho2 + 1) / alpha)
    )
    assert boundary(n, planned=planned) == pytest.approx(direct)


@given(st.lists(st.floats(-100, 100), max_size=30), st.lists(st.floats(-100, 100), max_size=30))
def test_sums_of_parts_are_the_sums_of_the_whole(left: list[float], right: list[float]) -> None:
    together, whole = Sums.of(left) + Sums.of(right), Sums.of([*left, *right])
    assert (together.n, together.events) == (whole.n, whole.events)
    assert together.mean == pytest.approx(whole.mean, abs=1e-9)
    assert together.squares == pytest.approx(whole.squares, rel=1e-9, abs=1e-6)


def test_a_difference_of_means_is_oriented_and_mirrored() -> None:
    rng = np.random.default_rng(3)
    base, head = Sums.of(rng.normal(5, 2, 400)), Sums.of(rng.normal(4, 1, 300))
    there = mean_difference(base, head, planned=1000)
    back = mean_difference(head, base, planned=1000)
    less = mean_difference(base, head, planned=1000, greater_is_better=False)
    assert there.interval is not None
    assert back.interval is not None
    assert less.interval is not None
    assert there.interval.low == pytest.approx(-back.interval.high)
    assert less.interval == back.interval
    assert judge_look(there, margin=0.1) is State.WORSE


def test_few_events_are_not_looked_at() -> None:
    few = Sums.of([0.0] * 500 + [1.0] * 19)
    enough = Sums.of([0.0] * 500 + [1.0] * 30)
    assert mean_difference(few, enough, planned=1000).regime == "too few events"
    assert mean_sequence(few, planned=1000).regime == "too few events"
    assert mean_sequence(Sums.of([2.0] * 50), planned=100).regime == "too few events"
    assert mean_sequence(enough, planned=1000).interval is not None
    assert Sums.of([3.0, 3.0, 1.0], usual=3.0).events == 1


def test_planned_shares_are_kept_and_a_mismatch_is_found() -> None:
    kept = sample_ratio([5051, 4949], [0.5, 0.5])
    off = sample_ratio([5300, 4700], [0.5, 0.5])
    one_way = sample_ratio([20, 0], [0.5, 0.5])
    assert not kept.mismatch
    assert kept.p_value > 0.05
    assert off.mismatch
    assert one_way.mismatch
    assert not sample_ratio([0, 0, 0], [0.2, 0.3, 0.5]).mismatch


def test_the_bayes_factor_is_a_martingale_under_the_plan() -> None:
    n, shares = 15, (0.3, 0.7)
    first = np.arange(n + 1)
    counts = np.stack([first, n - first], axis=-1)
    chance = np.array([math.comb(n, k) for k in first.tolist()])
    chance = chance * shares[0] ** first * shares[1] ** (n - first)
    assert float(chance @ np.exp(log_bayes_factor(counts, shares))) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Count(events=3, n=2),
        lambda: Prior(a=0.0, b=1.0),
        lambda: Prior.planned(rate=1.5, n=10),
        lambda: Prior.planned(rate=0.5, n=0),
        lambda: rate_sequence(Count(events=1, n=2), confidence=1.0, prior=PRIOR),
        lambda: Sums.of([1.0, math.nan]),
        lambda: boundary(0, planned=10),
        lambda: sample_ratio([1, 2], [0.5, 0.6]),
        lambda: sample_ratio([1, 2, 3], [0.5, 0.5]),
        lambda: sample_ratio([-1, 2], [0.5, 0.5]),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(ValueError, match=r"\w"):
        wrong()


def test_a_look_without_an_interval_decides_nothing() -> None:
    assert judge_look(Look(n=0, regime="an arm has no units yet"), margin=1) is State.NOT_MEASURED
    assert judge_look(Look(n=9, regime="too few events"), margin=1) is State.INCONCLUSIVE
    wide = SequentialInterval(low=-0.2, high=0.1, confidence=0.95)
    assert judge_look(Look(n=9, difference=0.0, interval=wide), margin=0.1) is State.INCONCLUSIVE
    assert judge_look(Look(n=9, difference=0.0, interval=wide), margin=0.3) is State.NO_WORSE
