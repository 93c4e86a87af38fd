"""What people order, and what is rejected with what to do."""

from __future__ import annotations

import pytest

from assay.evidence import Cause, DecisionKind
from assay.rollout.records import Order, Record
from assay.rollout.target import WHOLE, Backend
from support.rollouts import NEW, NEWER, OLD, Behaviour, World, order, serving, strategy


@pytest.fixture
def world() -> World:
    """OLD serves; nothing is on its way."""
    return serving(World({each: Behaviour() for each in (OLD, NEW, NEWER)}))


def deploy(digest: str = NEW, **values: object) -> Order:
    return order("deploy", digest=digest, strategy=strategy(), **values)


def said(world: World, *orders: Order, **options: object) -> Record:
    """The first record of a step with these orders."""
    before = len(world.records)
    world.turn(*orders, **options)  # type: ignore[arg-type]
    return world.records[before]


def promoted(world: World, digest: str) -> World:
    world.turn(deploy(digest))
    world.run(300)
    assert world.state.stable == digest
    return world


def test_the_first_version_is_promoted_once_it_is_ready() -> None:
    world = World({OLD: Behaviour()})
    world.backends[OLD] = Backend(ready=False)
    world.turn(deploy(OLD))
    assert world.state.rollout is not None
    assert world.route is None
    world.backends[OLD] = Backend(ready=True)
    assert said(world).sentence == "Promoted: the first version, nothing to compare with."
    assert world.route is not None
    assert world.route.weights == {OLD: WHOLE}


def test_one_at_a_time(world: World) -> None:
    world.turn(deploy())
    found = said(world, deploy(NEWER))
    assert found.kind is DecisionKind.REJECTED
    assert "abort it first" in found.sentence


def test_what_serves_is_not_deployed_again(world: World) -> None:
    assert "is what serves" in said(world, deploy(OLD)).sentence


def test_a_version_that_went_back_is_barred_until_it_is_cleared(world: World) -> None:
    world.turn(deploy())
    assert said(world, order("abort")).barred == (NEW,)
    found = said(world, deploy())
    assert found.kind is DecisionKind.REJECTED
    assert "barred until a person clears" in found.sentence
    cleared = said(world, order("clear", digest=NEW))
    assert (cleared.kind, cleared.barred) == (DecisionKind.CLEARED, ())
    assert said(world, deploy()).kind is DecisionKind.ACCEPTED


def test_used_up_rollbacks_stop_the_next_rollout_not_the_running_one(world: World) -> None:
    found = said(world, deploy(), left=0)
    assert found.kind is DecisionKind.REJECTED
    assert "used up" in found.sentence
    assert world.alerts
    world.turn(deploy(), left=1)
    world.versions = {**world.versions, NEW: Behaviour(errors=0.5)}
    world.run(200, left=0)
    assert world.state.barred == (NEW,)


def test_a_rollback_goes_to_the_previous_version(world: World) -> None:
    promoted(world, NEW)
    found = said(world, order("rollback", reason="angry customers"))
    assert (found.kind, found.artifact_digest, found.barred) == (
        DecisionKind.ROLLED_BACK, NEW, (NEW,),
    )  # fmt: skip
    assert "angry customers" in found.sentence
    assert world.route is not None
    assert world.route.weights == {OLD: WHOLE}
    assert "no previous version" in said(world, order("rollback")).sentence


def test_a_rollback_waits_until_the_version_is_ready(world: World) -> None:
    promoted(world, NEW)
    world.run(1)
    world.backends.pop(OLD)
    world.backends[NEWER] = Backend(ready=False)
    world.turn(order("rollback", digest=NEWER))
    assert world.state.stable == NEW
    for _ in range(13):
        world.turn()
    assert world.state.stable == NEW
    assert world.records[-1].kind is DecisionKind.HELD
    assert "did not start" in world.alerts[-1]
    assert world.state.returning is None


def test_a_named_version_in_flight_is_aborted_first(world: World) -> None:
    promoted(world, NEW)
    world.turn(deploy(NEWER))
    for _ in range(4):
        world.turn()
    world.turn(order("rollback", digest=OLD))
    assert world.state.barred == (NEWER, NEW)
    assert world.state.stable == OLD


def test_a_drill_bars_nothing_and_returns(world: World) -> None:
    promoted(world, NEW)
    drill = said(world, order("rollback", cause=Cause.DRILL))
    assert (drill.kind, drill.barred) == (DecisionKind.ROLLED_BACK, ())
    assert (world.state.stable, world.state.previous) == (OLD, NEW)
    world.turn(order("rollback", digest=NEW, cause=Cause.DRILL))
    assert (world.state.stable, world.state.previous) == (NEW, OLD)
    world.turn(deploy(NEWER))
    found = said(world, order("rollback", cause=Cause.DRILL))
    assert found.kind is DecisionKind.REJECTED


def test_a_pause_holds_weights_and_stops_the_bake(world: World) -> None:
    world.turn(deploy())
    world.run(2)
    before = world.state
    assert said(world, order("pause")).kind is DecisionKind.HELD
    for _ in range(40):
        world.turn(elapsed=1_000)
    assert world.state.generation == before.generation
    assert world.state.rollout is not None
    assert before.rollout is not None
    assert world.state.rollout.elapsed == before.rollout.elapsed
    assert world.state.rollout.baked == before.rollout.baked
    assert "it is paused" in said(world, order("pause")).sentence
    assert said(world, order("resume")).kind is DecisionKind.RESUMED
    world.run(300)
    assert world.state.stable == NEW


def test_a_paused_version_that_fails_still_goes_back(world: World) -> None:
    world.turn(deploy())
    world.run(2)
    world.turn(order("pause"))
    world.versions = {**world.versions, NEW: Behaviour(errors=0.6)}
    world.run(60)
    assert world.records[-1].cause is Cause.GUARD


def test_a_freeze_holds_and_broken_glass_does_not(world: World) -> None:
    world.turn(deploy(), held="frozen until Monday")
    for _ in range(5):
        world.turn(held="frozen until Monday")
    assert world.route is not None
    assert world.route.weights == {OLD: WHOLE}
    held = [each for each in world.records if each.kind is DecisionKind.HELD]
    assert [each.sentence for each in held] == ["Holds: frozen until Monday."]
    world.turn(order("abort"), held="frozen until Monday")
    world.turn(order("clear", digest=NEW))
    world.turn(deploy(glass=True), held="frozen until Monday")
    world.run(300, held="frozen until Monday")
    assert world.state.stable == NEW


def test_an_advance_waives_the_waiting_and_not_the_guards(world: World) -> None:
    slow = strategy(
        steps=[{"weight": 0.2, "bake": 5_000}, {"weight": 0.5, "bake": 5_000}], deadline=80_000.0
    )
    world.turn(order("deploy", digest=NEW, strategy=slow))
    for _ in range(4):
        world.turn()
    assert world.state.rollout is not None
    assert world.state.rollout.at == 0
    assert "waived" in said(world, order("advance")).sentence
    for _ in range(10):
        world.turn()
    assert world.state.rollout.at == 1
    world.requests = 0
    world.counts = {}
    world.turn(order("advance"))
    for _ in range(10):
        world.turn()
    assert world.state.rollout is not None


@pytest.mark.parametrize("kind", ["pause", "resume", "abort", "advance", "lost"])
def test_there_must_be_something_to_order_about(world: World, kind: str) -> None:
    found = said(world, order(kind))  # type: ignore[arg-type]
    assert found.kind is DecisionKind.REJECTED
    assert "nothing is" in found.sentence


def test_a_version_that_does_not_answer_goes_back(world: World) -> None:
    world.backends[NEW] = Backend(ready=False, detail="no module named skops")
    world.turn(deploy())
    for _ in range(13):
        world.turn()
    assert world.records[-1].kind is DecisionKind.ROLLED_BACK
    assert "not ready for 120 s: no module named skops" in world.records[-1].sentence
    assert world.state.generation == 1


def test_a_version_whose_server_keeps_ending_goes_back(world: World) -> None:
    world.turn(deploy())
    world.run(2)
    world.backends[NEW] = Backend(ready=True, restarts=3)
    assert "its server ended 3 times" in said(world).sentence


def test_nobody_watching_takes_it_back(world: World) -> None:
    world.turn(deploy())
    world.run(3)
    found = said(world, order("lost", by="watchdog", intent=None))
    assert (found.cause, found.by) == (Cause.LOST, "watchdog")
    assert world.route is not None
    assert world.route.weights == {OLD: WHOLE}


@pytest.mark.parametrize("standby", [0.0, 300.0])
def test_the_version_before_is_ended_after_its_standby(world: World, standby: float) -> None:
    world.turn(order("deploy", digest=NEW, strategy=strategy(standby=standby)))
    world.run(300)
    assert world.state.stable == NEW
    world.turn()
    world.turn()
    assert (OLD in world.backends) is (standby > 0)
    for _ in range(30):
        world.turn()
    assert OLD not in world.backends
    assert world.state.retiring == ()
    world.turn(order("rollback"))
    for _ in range(2):
        world.turn()
    assert world.state.stable == OLD
