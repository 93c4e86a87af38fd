"""A load test's verdict: what rounds show, and what they do not."""

from __future__ import annotations

import numpy as np
import pytest

from assay.evidence import LoadMargins, LoadRound, LoadSide, LoadTest, Outcome, State
from assay.rollout.staging import judged, replay
from support.rollouts import NEW, OLD


def side(
    rng: np.random.Generator, pace: float, *, slower: float = 1.0, **values: object
) -> LoadSide:
    """One round at the host's `pace`, which both versions share."""

    def noisy(figure: float, noise: float) -> float:
        return float(figure * pace * np.exp(rng.normal(0, noise)))

    given: dict[str, object] = {
        "requests": 1_000,
        "errors": 1,
        "throughput": 200 / noisy(slower, 0.02),
        "p50": noisy(10 * slower, 0.02),
        "p95": noisy(20 * slower, 0.03),
        "p99": noisy(40 * slower, 0.05),
        "memory": 3e8,
        **values,
    }
    return LoadSide.model_validate(given)


def after_rounds(
    rounds: int = 10, *, seed: int = 1, slower: float = 1.0, **values: object
) -> LoadTest:
    """A test on a host whose pace wanders by half."""
    rng = np.random.default_rng(seed)
    paces = np.exp(rng.normal(0, 0.5, rounds))
    pairs = tuple(
        LoadRound(serving=side(rng, pace), new=side(rng, pace, slower=slower, **values))
        for pace in paces
    )
    return judged(LoadTest(serving=OLD, new=NEW, rounds=pairs))


def state(test: LoadTest, name: str) -> State:
    return next(look.state for look in test.looks if look.name == name)


def test_an_equal_version_passes_on_a_noisy_host() -> None:
    found = after_rounds()
    assert found.state is Outcome.PASS
    assert {look.state for look in found.looks} <= {State.NO_WORSE, State.BETTER}
    assert "and so is everything else" in found.sentence


def test_a_slower_version_fails_with_the_number() -> None:
    found = after_rounds(slower=1.5)
    assert found.state is Outcome.FAIL
    assert state(found, "p50") is State.WORSE
    look = found.looks[0]
    assert look.difference == pytest.approx(-0.5, abs=0.05)
    assert found.sentence.startswith("Under load median latency is worse: −49.5 %")
    assert state(found, "throughput") is State.WORSE
    assert found.looks[3].difference == pytest.approx(-1 / 3, abs=0.05)


def test_errors_and_memory_have_their_own_claims() -> None:
    assert state(after_rounds(errors=200), "errors") is State.WORSE
    assert state(after_rounds(memory=6e8), "memory") is State.WORSE
    assert state(after_rounds(memory=2e8), "memory") is State.BETTER


def test_what_is_missing_is_not_measured_and_fails() -> None:
    found = after_rounds(memory=None)
    assert state(found, "memory") is State.NOT_MEASURED
    assert found.state is Outcome.FAIL
    assert "memory is not measured" in found.sentence
    few = after_rounds(4)
    assert few.state is Outcome.FAIL
    assert few.looks[0].reason == "fewer than 5 rounds"
    none = judged(LoadTest(serving=OLD, new=NEW, rounds=()))
    assert {look.state for look in none.looks} == {State.NOT_MEASURED}


def test_a_narrow_margin_warns() -> None:
    test = after_rounds().model_copy(update={"margins": LoadMargins(p99=0.001)})
    found = judged(test)
    assert found.state is Outcome.WARN
    assert "99th percentile is inconclusive" in found.sentence


def test_it_is_made_again_byte_for_byte() -> None:
    text = after_rounds().to_json()
    found = LoadTest.parse(text, file="load.json")
    assert replay(found).to_json() == text
    kinder = found.rounds[0].new.model_copy(update={"p50": 1.0})
    rounds = (LoadRound(serving=found.rounds[0].serving, new=kinder), *found.rounds[1:])
    altered = found.model_copy(update={"rounds": rounds})
    assert replay(altered).to_json() != altered.to_json()


def test_equal_versions_seldom_look_worse() -> None:
    wrong = sum(
        any(look.state is State.WORSE for look in after_rounds(8, seed=seed).looks)
        for seed in range(200)
    )
    assert wrong <= 10
