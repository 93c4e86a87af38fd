"""How often do rollouts err: identical versions that go back, worse ones that are promoted?"""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from assay.evidence import DecisionKind
from honesty.rollouts import GOOD, WORSE, fixed_horizon, peeking, simulate, strategy
from honesty.rollouts_page import (
    CASES,
    KINDS,
    MOST_BACK,
    MOST_PROMOTED,
    RUNS,
    Case,
    faults,
    run,
    upper,
    went_back,
)

pytestmark = pytest.mark.honesty

QUICK = 150


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", [CASES[0], CASES[2], CASES[6]], ids=lambda case: case.name)
def test_a_few_hundred_rollouts(kind: str, case: Case) -> None:
    """Fail where a rate is above its promise beyond what chance explains."""
    ended = run(kind, case, QUICK)
    back = went_back(ended)
    wrong, most = (back, MOST_BACK) if case.promised == "back" else (QUICK - back, MOST_PROMOTED)
    print(f"{kind}, {case.name}: {wrong} of {QUICK} wrong, at most {upper(wrong, QUICK):.3f}")
    assert binomtest(wrong, QUICK).proportion_ci(0.95, method="exact").low <= most
    ends = {each.kind for each in ended}
    good = DecisionKind.CONCLUDED if kind == "shadow" else DecisionKind.PROMOTED
    assert ends <= {good, DecisionKind.ROLLED_BACK}


@pytest.mark.heavy
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}, {case.margin}")
def test_two_thousand_rollouts(kind: str, case: Case) -> None:
    """The upper 95 % bounds themselves are below what is promised."""
    assert faults(kind, case, run(kind, case, RUNS)) == []


def test_it_is_repeatable() -> None:
    how = strategy("canary", 0.03)
    first, again = (simulate(how, GOOD, 5, seed=3) for _ in range(2))
    assert first == again


def test_what_a_bad_version_costs_beside_a_fixed_test_and_peeking() -> None:
    """Fewer requests to a bad version than one test at a fixed size; fewer errors than peeking."""
    fixed = fixed_horizon(WORSE, 0.02, 2_000, seed=1)
    peeked = peeking(WORSE, 0.02, 2_000, seed=1)
    for kind in ("canary", "ab", "bandit"):
        ended = simulate(strategy(kind, 0.02), WORSE, QUICK, seed=5)
        requests = sum(each.requests for each in ended) / len(ended)
        print(
            f"{kind}: {requests:,.0f} requests to a version 3 points worse; "
            f"fixed {fixed.labels / 2:,.0f}, peeking {peeked.labels / 2:,.0f}"
        )
        assert requests < fixed.labels / 2
    share = peeked.promoted / (peeked.promoted + peeked.back)
    identical = peeking(GOOD, 0.02, 2_000, seed=1)
    back = identical.back / (identical.back + identical.promoted)
    print(f"peeking: promotes {share:.3f} of the worse, takes {back:.3f} of the identical back")
    assert share > MOST_PROMOTED
    assert back > MOST_BACK
