"""Whatever happens, in whatever order: what a rollout never does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.config import OnlineMetric, Strategy
from assay.evidence import DecisionKind, OnlineEvidence, Rollout
from assay.evidence import State as Shown
from assay.rollout.looks import replay
from assay.rollout.records import Apply, Desired, Order, Record, State, restarted
from assay.rollout.step import step
from assay.rollout.target import WHOLE, Backend
from support.rollouts import NEW, NEWER, OLD, Behaviour, World, order, serving, strategy

GOOD = {Shown.BETTER, Shown.NO_WORSE}
KINDS = ("canary", "blue-green", "shadow", "ab", "bandit")
BEHAVIOURS = (Behaviour(), Behaviour(errors=0.3), Behaviour(right=0.6), Behaviour(slow=0.6))

strategies = st.builds(
    lambda kind, metric: strategy(kind, quality=metric, deadline=2_000.0),
    st.sampled_from(KINDS),
    st.sampled_from([OnlineMetric(margin=0.05), OnlineMetric(margin=0.0001)]),
)
orders = st.one_of(
    st.builds(
        lambda digest, how: order("deploy", digest=digest, strategy=how),
        st.sampled_from([NEW, NEWER, OLD]),
        strategies,
    ),
    st.sampled_from(["pause", "resume", "abort", "advance", "rollback", "lost"]).map(order),
    st.builds(
        lambda kind, digest: order(kind, digest=digest),
        st.sampled_from(["clear", "rollback"]),
        st.sampled_from([NEW, NEWER, OLD]),
    ),
)
seldom = st.integers(0, 9)
moments = st.lists(
    st.tuples(
        st.builds(lambda n, taken: [taken] if n == 9 else [], seldom, orders),
        st.sampled_from([5.0, 30.0, 90.0, 0.0, 600.0]),
        st.builds(lambda n: "a freeze" if n == 9 else None, seldom),
        st.builds(
            lambda n, trouble: trouble if n > 7 else "",
            seldom,
            st.sampled_from(["dies", "router starts anew", "restart", "another's route"]),
        ),
    ),
    min_size=5,
    max_size=60,
)
many = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Watched(World):
    """A world that checks every step."""

    def checked(self, taken: list[Order], elapsed: float, held: str | None) -> None:
        """Take one step twice, compare, and hold it to what a rollout promises."""
        before, seen = self.state, self.observe()
        desired = Desired(orders=tuple(taken), held=held)
        labels = tuple(self.labels.values())
        first = step(before, desired, seen, labels, elapsed)
        kept = State.model_validate_json(before.model_dump_json())
        assert step(kept, desired, seen, labels, elapsed) == first
        actions, after = first
        assert after.generation >= before.generation
        for action in actions:
            if isinstance(action, Apply):
                assert action.route.generation == after.generation > seen.applied
                assert set(action.route.weights) <= {OLD, NEW, NEWER}
                if action.back is not None:
                    assert action.back.generation == action.route.generation + 1
                    assert list(action.back.weights.values()) == [WHOLE]
            if isinstance(action, Record):
                assert_promised(action, before, held)
        if after.route is not None:
            shown = {digest for digest, weight in after.route.weights.items() if weight}
            assert not shown & set(after.barred)
            rollout = after.rollout
            if rollout is not None and rollout.strategy.kind == "shadow":
                assert rollout.candidate not in shown
        self.turn(*taken, elapsed=elapsed, held=held)
        assert self.state == after


def assert_promised(record: Record, before: State, held: str | None) -> None:
    """A promotion has what it needs; what is held is not moved; evidence replays."""
    if record.evidence is not None:
        text = record.evidence.to_json()
        assert replay(OnlineEvidence.parse(text, file="online.json")).to_json() == text
    if record.kind in {DecisionKind.STEPPED, DecisionKind.PROMOTED, DecisionKind.CONCLUDED}:
        assert held is None
    if record.kind is DecisionKind.PROMOTED and before.stable is not None:
        assert record.evidence is not None
        looks = {look.name: look for look in record.evidence.looks}
        assert {looks[name].state for name in ("errors", "latency", "quality")} <= GOOD
        assert looks["errors"].n > 0
        assert record.evidence.rollout.strategy.kind != "shadow"
    if record.kind is DecisionKind.ROLLED_BACK:
        assert record.artifact_digest in record.barred
    if record.kind is DecisionKind.ACCEPTED and record.artifact_digest in before.barred:
        assert "waived" in record.sentence


@many
@given(moments=moments, new=st.sampled_from(BEHAVIOURS), how=strategies, seed=st.integers(0, 50))
def test_whatever_happens(
    moments: list[tuple[list[Order], float, str | None, str]],
    new: Behaviour,
    how: Strategy,
    seed: int,
) -> None:
    world = Watched({OLD: Behaviour(), NEW: new, NEWER: Behaviour()}, seed=seed, requests=400)
    serving(world)
    world.turn(order("deploy", digest=NEW, strategy=how))
    for taken, elapsed, held, trouble in moments:
        if trouble == "dies" and NEW in world.backends:
            world.backends[NEW] = Backend(ready=False, restarts=1)
        if trouble == "router starts anew":
            world.route = None
        if trouble == "restart":
            world.state = restarted(State.model_validate_json(world.state.model_dump_json()))
        if trouble == "another's route" and world.route is not None:
            world.route = replace(world.route, generation=world.route.generation + 3)
            world.counts = {}
        world.checked(taken, elapsed, held)
        if NEW in world.backends:
            world.backends[NEW] = Backend(ready=True)


@many
@given(
    how=strategies,
    turns=st.integers(0, 40),
    new=st.sampled_from(BEHAVIOURS),
    kind=st.sampled_from(["abort", "rollback", "lost"]),
)
def test_there_is_a_way_back_from_every_state(
    how: Strategy, turns: int, new: Behaviour, kind: str
) -> None:
    world = serving(World({OLD: Behaviour(), NEW: new, NEWER: Behaviour()}))
    world.turn(order("deploy", digest=NEW, strategy=how))
    for _ in range(turns):
        world.turn()
    on_its_way = world.state.rollout is not None
    promoted = world.state.stable == NEW
    world.turn(order(kind))
    world.turn()
    if on_its_way or (promoted and kind == "rollback"):
        assert world.records[-1].kind is DecisionKind.ROLLED_BACK
        assert NEW in world.state.barred
    if not promoted or kind == "rollback":
        assert world.state.stable == OLD
        assert world.route is not None
        assert world.route.weights == {OLD: WHOLE}


@pytest.mark.parametrize("kind", KINDS)
def test_a_guard_that_has_counted_nothing_promotes_nothing(kind: str) -> None:
    world = serving(World({OLD: Behaviour(), NEW: Behaviour()}))
    world.turn(order("deploy", digest=NEW, strategy=strategy(kind, deadline=500.0)))
    world.requests = 0
    world.counts = {}
    world.run(100)
    assert world.state.stable == OLD
    assert world.records[-1].kind is DecisionKind.ROLLED_BACK


def test_a_restart_bakes_anew_and_keeps_the_deadline() -> None:
    rollout = Rollout(
        candidate=NEW, strategy=strategy(), by="octo", at=1, baked=200.0, elapsed=900.0, unready=3.0
    )
    found = restarted(State(stable=OLD, rollout=rollout)).rollout
    assert found is not None
    assert (found.baked, found.unready, found.elapsed, found.at) == (0, 0, 900, 1)
    assert restarted(State()) == State()
