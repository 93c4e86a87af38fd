"""Counts to looks: the shared error, what may not speak yet, and decisions made again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.config import OnlineMetric
from assay.evidence import (
    Batch,
    Labelled,
    OnlineEvidence,
    Rollout,
    Served,
    State,
    ValueSums,
)
from assay.rollout.guards import Budget
from assay.rollout.looks import evidence_of, read, read_all, replay
from support.rollouts import NEW, OLD, Behaviour, World, order, serving, strategy

METRIC = OnlineMetric(margin=0.03)


@pytest.mark.parametrize("kind", ["canary", "blue-green", "shadow", "ab", "bandit"])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_the_claims_share_one_error(kind: str, confidence: float) -> None:
    values = {"agreement": 0.9} if kind == "shadow" else {}
    how = strategy(kind, quality=METRIC, confidence=confidence, **values)
    budget, steps = Budget.of(how), len(how.steps)
    batches = 5_000 if kind == "bandit" else steps
    ratio = sum(budget.ratio_at(how, batch) for batch in range(1, batches + 1))
    whole = 2 * steps * budget.guard + budget.quality + budget.agreement + ratio
    assert whole <= (1 - confidence) * (1 + 1e-9)
    assert whole == pytest.approx(1 - confidence, rel=1e-3)


def batch(new: Served, *, generation: int = 2, share: float = 0.5) -> Batch:
    serving = Served(requests=2_000, errors=2, slow=20, units=2_000)
    return Batch(generation=generation, share=share, serving=serving, new=new)


def of(*batches: Batch, kind: str = "canary", **values: object) -> Rollout:
    how = strategy(kind, **values)
    return Rollout(candidate=NEW, strategy=how, by="octo", at=0, batches=batches)


def test_a_guard_does_not_speak_before_it_has_its_requests() -> None:
    few = Served(requests=99, errors=99, slow=99, units=99)
    errors, latency, _ = read(OLD, of(batch(few)), ())
    assert (errors.state, latency.state) == (State.INCONCLUSIVE, State.INCONCLUSIVE)
    assert errors.reason == "fewer than 100 requests of the new version"
    enough = Served(requests=100, errors=100, slow=100, units=100)
    assert read(OLD, of(batch(enough)), ())[0].state is State.WORSE


def test_nothing_counted_is_not_measured() -> None:
    looks = read(OLD, of(quality=METRIC), ())
    assert {look.state for look in looks} == {State.NOT_MEASURED}
    assert all(look.reason for look in looks)


def test_many_rollouts_are_read_as_each_alone() -> None:
    rollouts = [
        of(batch(Served(requests=n, errors=n // 50, slow=n // 9, units=n)), quality=METRIC)
        for n in (0, 50, 150, 1_000, 3_000)
    ]
    together = read_all(OLD, rollouts, [()] * len(rollouts))
    assert together == [read(OLD, rollout, ()) for rollout in rollouts]


def test_a_canary_guard_compares_the_running_step_alone() -> None:
    bad = batch(Served(requests=500, errors=100, slow=5, units=500), generation=2, share=0.1)
    good = batch(Served(requests=2_000, errors=2, slow=20, units=2_000), generation=3)
    assert read(OLD, of(bad, good), ())[0].state is State.NO_WORSE


def test_blue_green_is_compared_with_the_time_before() -> None:
    before = Batch(generation=1, share=0.0, serving=Served(requests=5_000, errors=5, slow=50))
    after = Batch(generation=2, share=1.0, new=Served(requests=1_000, errors=300, slow=10))
    assert read(OLD, of(before, after, kind="blue-green"), ())[0].state is State.WORSE
    alone = of(before.model_copy(update={"serving": Served()}), after, kind="blue-green")
    look = read(OLD, alone, ())[0]
    assert look.reason == "the serving version has no requests to compare with"


def test_a_decision_is_made_again_byte_for_byte_and_a_change_is_found() -> None:
    world = serving(World({OLD: Behaviour(), NEW: Behaviour(errors=0.4)}))
    world.turn(order("deploy", digest=NEW, strategy=strategy(quality=METRIC)))
    world.run(100)
    document = world.records[-1].evidence
    assert document is not None
    read_back = OnlineEvidence.parse(document.to_json(), file="online.json")
    assert replay(read_back).to_json() == document.to_json()
    assert replay(read_back).digest() == document.digest()
    last = document.rollout.batches[-1]
    kinder = last.model_copy(update={"new": last.new.model_copy(update={"errors": 0})})
    altered = document.model_copy(
        update={"rollout": document.rollout.model_copy(update={"batches": (kinder,)})}
    )
    assert replay(altered).to_json() != altered.to_json()


def test_evidence_keeps_why_nothing_could_be_promoted() -> None:
    document = evidence_of(OLD, of(), (), held="a freeze")
    assert document.move.kind == "hold"
    assert document.held == "a freeze"


counts = st.builds(
    lambda n, errors, slow: Served(requests=n, errors=int(n * errors), slow=int(n * slow), units=n),
    st.integers(100, 5_000),
    st.floats(0, 1),
    st.floats(0, 1),
)
sums = st.builds(
    lambda n, right: ValueSums(
        n=n, mean=right / n, squares=right * (1 - right / n), events=n - right
    ),
    st.integers(200, 5_000),
    st.integers(1, 180),
)


@given(one=counts, other=counts, a=sums, b=sums, kind=st.sampled_from(["canary", "ab", "bandit"]))
def test_versions_that_change_places_turn_every_interval_around(
    one: Served, other: Served, a: ValueSums, b: ValueSums, kind: str
) -> None:
    def looks(serving: Served, new: Served, old: ValueSums, fresh: ValueSums) -> dict[str, tuple]:  # type: ignore[type-arg]
        rollout = of(
            Batch(generation=2, share=0.5, serving=serving, new=new), kind=kind, quality=METRIC
        )
        labels = (Labelled(generation=2, arms={OLD: old, NEW: fresh}),)
        found = read(OLD, rollout, labels)
        return {
            look.name: (look.difference, *(look.interval or ()))
            for look in found
            if look.name != "sample-ratio"
        }

    there, back = looks(one, other, a, b), looks(other, one, b, a)
    for name, (difference, low, high) in there.items():
        assert (difference, low, high) == pytest.approx(
            (-back[name][0], -back[name][2], -back[name][1]), abs=1e-9
        )
