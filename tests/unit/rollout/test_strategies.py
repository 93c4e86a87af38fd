"""Each strategy at the step's door: what good, failing and worse versions come to."""

from __future__ import annotations

import pytest

from assay.config import Guards, OnlineMetric
from assay.evidence import Agreed, Cause, DecisionKind
from assay.rollout.records import Record
from assay.rollout.target import WHOLE
from support.rollouts import NEW, NEWER, OLD, Behaviour, World, order, serving, strategy

KINDS = ("canary", "blue-green", "shadow", "ab", "bandit")
METRIC = OnlineMetric(margin=0.03)


def rolled_out(kind: str, new: Behaviour, *, turns: int = 600, **values: object) -> World:
    """The world at the end of a rollout of NEW over OLD."""
    world = serving(World({OLD: Behaviour(), NEW: new, NEWER: Behaviour()}))
    world.turn(order("deploy", digest=NEW, strategy=strategy(kind, **values)))
    world.run(turns)
    return world


@pytest.mark.parametrize("kind", ["canary", "ab", "bandit"])
def test_an_equal_version_is_promoted(kind: str) -> None:
    world = rolled_out(kind, Behaviour(), quality=METRIC)
    last = world.records[-1]
    assert (last.kind, last.cause) == (DecisionKind.PROMOTED, Cause.VERDICT)
    assert world.state.stable == NEW
    assert world.state.previous == OLD
    assert world.route is not None
    assert world.route.weights == {NEW: WHOLE}
    assert "Accuracy no worse" in last.sentence


def test_blue_green_bakes_before_the_old_version_is_given_up() -> None:
    world = rolled_out("blue-green", Behaviour())
    stepped, promoted = world.records[-2:]
    assert stepped.weights == {NEW: WHOLE}
    assert promoted.kind is DecisionKind.PROMOTED
    assert promoted.elapsed - stepped.elapsed >= 60
    assert OLD in world.backends
    world.run(100)
    for _ in range(70):
        world.turn()
    assert OLD not in world.backends


def test_a_shadow_that_passes_concludes_and_never_answers() -> None:
    world = serving(World({OLD: Behaviour(), NEW: Behaviour()}))
    world.turn(order("deploy", digest=NEW, strategy=strategy("shadow", quality=METRIC)))
    while world.state.rollout is not None:
        world.turn()
        assert world.route is not None
        assert world.route.weights == {OLD: WHOLE}
    assert world.records[-1].kind is DecisionKind.CONCLUDED
    assert world.state.stable == OLD
    assert world.state.barred == ()
    world.turn()
    assert NEW not in world.backends


@pytest.mark.parametrize("kind", KINDS)
def test_a_failing_version_goes_back_by_its_guard(kind: str) -> None:
    world = rolled_out(kind, Behaviour(errors=0.3))
    last = world.records[-1]
    assert (last.kind, last.cause) == (DecisionKind.ROLLED_BACK, Cause.GUARD)
    assert last.barred == (NEW,)
    assert world.route is not None
    assert world.route.weights == {OLD: WHOLE}
    assert "errors worse" in last.sentence
    assert world.alerts


@pytest.mark.parametrize("kind", KINDS)
def test_a_slow_version_goes_back_by_its_guard(kind: str) -> None:
    last = rolled_out(kind, Behaviour(slow=0.5)).records[-1]
    assert (last.kind, last.cause) == (DecisionKind.ROLLED_BACK, Cause.GUARD)
    assert "slow requests worse" in last.sentence


@pytest.mark.parametrize("kind", KINDS)
def test_a_version_with_worse_labels_goes_back_by_the_verdict(kind: str) -> None:
    last = rolled_out(kind, Behaviour(right=0.7), quality=METRIC).records[-1]
    assert (last.kind, last.cause) == (DecisionKind.ROLLED_BACK, Cause.VERDICT)
    assert "Accuracy worse" in last.sentence


@pytest.mark.parametrize("kind", KINDS)
def test_inconclusive_at_the_deadline_goes_back(kind: str) -> None:
    values = {"quality": OnlineMetric(margin=0.0001), "deadline": 400.0}
    last = rolled_out(kind, Behaviour(), **values).records[-1]
    assert (last.kind, last.cause) == (DecisionKind.ROLLED_BACK, Cause.DEADLINE)
    assert "inconclusive after" in last.sentence


@pytest.mark.parametrize("kind", ["canary", "ab", "bandit"])
def test_a_split_that_is_not_as_asked_holds_and_then_goes_back(kind: str) -> None:
    world = serving(World({OLD: Behaviour(), NEW: Behaviour()}, requests=2_000))
    values = {"quality": METRIC, "deadline": 600.0}
    world.turn(order("deploy", digest=NEW, strategy=strategy(kind, **values)))
    world.skew = 0.08
    world.run(200)
    held = [each for each in world.records if each.kind is DecisionKind.HELD]
    assert len(held) == 1
    assert "split" in held[0].sentence
    assert any("split" in said for said in world.alerts)
    assert world.records[-1].cause is Cause.DEADLINE
    assert world.state.stable == OLD


def test_a_metric_that_only_warns_does_not_hold_a_promotion_back() -> None:
    metric = OnlineMetric(margin=0.0001, severity="warn")
    assert rolled_out("canary", Behaviour(), quality=metric).state.stable == NEW
    metric = OnlineMetric(margin=0.0001, severity="warn")
    assert rolled_out("canary", Behaviour(right=0.6), quality=metric).state.stable == OLD


def test_must_improve_wants_better() -> None:
    metric = OnlineMetric(must_improve=True)
    worse = rolled_out("ab", Behaviour(), quality=metric, deadline=3_000.0)
    assert worse.records[-1].kind is DecisionKind.ROLLED_BACK
    better = rolled_out("ab", Behaviour(right=0.95), quality=metric)
    assert "Accuracy better" in better.records[-1].sentence


def test_a_shadow_that_disagrees_goes_back() -> None:
    world = serving(World({OLD: Behaviour(), NEW: Behaviour()}))
    world.turn(order("deploy", digest=NEW, strategy=strategy("shadow", agreement=0.9)))
    for turn in range(40):
        world.turn()
        if world.state.rollout is None:
            break
        assert world.route is not None
        generation = world.route.generation
        found = world.labels[generation]
        compared = 100 * (turn + 1)
        agreed = Agreed(equal=compared // 2, compared=compared)
        world.labels[generation] = found.model_copy(update={"agreement": agreed})
    assert world.records[-1].cause is Cause.VERDICT
    assert "agreement worse" in world.records[-1].sentence


def test_a_bandit_shows_a_worse_version_less() -> None:
    def shown(kind: str) -> int:
        world = serving(World({OLD: Behaviour(), NEW: Behaviour(right=0.8)}))
        values = {"quality": METRIC, "deadline": 3_000.0}
        world.turn(order("deploy", digest=NEW, strategy=strategy(kind, **values)))
        requests = 0
        while world.state.rollout is not None:
            batches = world.state.rollout.batches
            requests = sum(each.new.requests for each in batches)
            world.turn()
        assert world.state.stable == OLD
        return requests

    assert shown("bandit") < shown("ab")


def test_every_step_is_recorded_with_what_it_was_decided_from() -> None:
    world = rolled_out("canary", Behaviour(), quality=METRIC)
    decided = [each for each in world.records if each.cause is not Cause.INTENT]
    assert decided
    assert all(isinstance(each, Record) and each.evidence is not None for each in decided)


def test_a_target_without_traffic_promotes_where_no_guard_has_to_speak() -> None:
    guards = Guards(requests=0, error_rate=1, slow_share=1)
    how = strategy("blue-green", guards=guards, steps=[{"weight": 1.0, "bake": 20, "requests": 0}])
    world = serving(World({OLD: Behaviour(), NEW: Behaviour()}))
    world.requests = 0
    world.counts = {}
    world.turn(order("deploy", digest=NEW, strategy=how))
    world.run(20)
    assert world.state.stable == NEW
