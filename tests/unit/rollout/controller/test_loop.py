"""The loop on a fake target: rollouts, orders by hand, restarts, limits, and time."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from assay.config.strategy import Step
from assay.errors import InputError
from assay.evidence import Cause, Decision, OnlineEvidence
from assay.rollout.controller.answers import Answers, described
from assay.rollout.controller.loop import Fenced, Limits
from assay.rollout.records import Order
from assay.state import chain_in
from support.controllers import CANARY, V1, V2, V3, Rig
from support.fake_target import FakeTarget

SLOW = CANARY.model_copy(update={"steps": (Step(weight=0.5, bake=60, requests=100),)})


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(folder=tmp_path, target=FakeTarget(bad=(V3,)))


def order(kind: str, **facts: object) -> Order:
    return Order.model_validate({"kind": kind, "by": "cat", "cause": Cause.HAND, **facts})


def test_a_good_version_is_promoted_and_a_bad_one_goes_back(rig: Rig) -> None:
    rig.deploy(V1, V2, V3)
    assert rig.kinds() == [
        *("accepted", "promoted"),
        *("accepted", "stepped", "stepped", "promoted"),
        *("accepted", "stepped", "rolled-back"),
    ]
    assert rig.target.weights == {V2: 10_000}
    assert V3 not in rig.target.running
    last = rig.links[-1].facts
    assert last["barred"] == [V3]
    assert last["cause"] == "guard"


def test_the_journal_on_the_disk_is_the_chain_and_holds_its_evidence(rig: Rig) -> None:
    rig.deploy(V1, V2, V3)
    state = rig.folder / "state"
    assert chain_in((state / "journal.jsonl").read_bytes(), file="j") == rig.links
    for link in rig.links:
        decision = Decision.model_validate(
            {key: value for key, value in link.facts.items() if key != "schema"}
        )
        if decision.evidence_digest is not None:
            text = (state / "evidence" / f"{decision.evidence_digest}.json").read_text()
            found = OnlineEvidence.parse(text, file="e")
            assert found.digest() == decision.evidence_digest
    assert any(link.facts["evidence_digest"] for link in rig.links)


def test_the_way_back_is_prepared_before_each_way_forward(rig: Rig) -> None:
    rig.deploy(V1, V2)
    routes = [call for call in rig.target.calls if call.startswith(("route", "prepare"))]
    forward = [place for place, call in enumerate(routes) if call in {"route 2", "route 3"}]
    assert [routes[place - 1] for place in forward] == ["prepare 3", "prepare 4"]


def test_a_person_s_rollback_is_one_tick(rig: Rig) -> None:
    rig.deploy(V1)
    rig.send("deploy", V2, strategy=SLOW)
    rig.ticks(3)
    assert rig.target.weights == {V1: 5_000, V2: 5_000}
    rig.controller.order(order("rollback", reason="complaints"))
    rig.ticks()
    assert rig.target.weights == {V1: 10_000}
    last = rig.links[-1].facts
    assert (last["kind"], last["cause"], last["by"]) == ("rolled-back", "hand", "cat")
    assert "complaints" in last["sentence"]


def test_a_person_is_heard_even_where_nothing_can_be_observed(rig: Rig) -> None:
    rig.deploy(V1)
    rig.send("deploy", V2, strategy=SLOW)
    rig.ticks(3)
    rig.target.away = True
    rig.ticks(3)
    assert rig.kinds()[-1] == "stepped"
    rig.controller.order(order("rollback"))
    rig.ticks()
    assert rig.kinds()[-1] == "rolled-back"
    rig.target.away = False
    rig.settle()
    assert rig.target.weights == {V1: 10_000}


def test_a_restart_bakes_anew_and_changes_nothing_else(rig: Rig) -> None:
    rig.deploy(V1)
    rig.send("deploy", V2, strategy=SLOW)
    rig.ticks(40)
    rig = rig.again()
    rig.ticks(40)
    assert rig.target.weights == {V1: 5_000, V2: 5_000}
    assert rig.kinds()[-1] == "stepped"
    rig.ticks(40)
    assert rig.target.weights == {V2: 10_000}
    epochs = [link.facts["epoch"] for link in rig.links]
    assert epochs == sorted(epochs)
    assert set(epochs) == {1, 2}


def test_time_that_nobody_watched_is_not_baked(rig: Rig) -> None:
    rig.deploy(V1)
    rig.send("deploy", V2, strategy=SLOW)
    rig.ticks(3)
    rig.time.pass_by(3600)
    rig.ticks(2)
    assert rig.target.weights == {V1: 5_000, V2: 5_000}


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(days=-400)], ids=["on", "back"])
def test_a_clock_that_jumps_moves_no_bake(rig: Rig, jump: timedelta) -> None:
    rig.deploy(V1)
    rig.send("deploy", V2, strategy=SLOW)
    rig.ticks(30)
    rig.time.wall += jump
    rig.ticks(20)
    assert rig.target.weights == {V1: 5_000, V2: 5_000}
    rig.ticks(30)
    assert rig.target.weights == {V2: 10_000}


@pytest.mark.parametrize("jump", [timedelta(0), timedelta(days=400), timedelta(days=-400)])
def test_after_two_automatic_rollbacks_a_day_no_rollout_begins(
    tmp_path: Path, jump: timedelta
) -> None:
    bad = tuple(str(number) * 64 for number in range(4, 8))
    rig = Rig(folder=tmp_path, target=FakeTarget(bad=bad))
    rig.deploy(V1, bad[0], bad[1])
    rig.time.wall += jump
    rig.deploy(bad[2])
    assert rig.kinds()[-1] == "rejected"
    assert "automatic rollbacks are used up" in rig.sentences()[-1]
    assert any("used up" in sentence for sentence in rig.controller.alerts)
    rig.time.pass_by(90_000)
    rig.deploy(bad[2])
    assert rig.kinds()[-1] == "rolled-back"


def test_a_freeze_holds_what_is_on_its_way_and_rollbacks_stay_allowed(rig: Rig) -> None:
    frozen = [True]

    def freeze(now: datetime) -> str | None:
        return "the holidays" if frozen[0] else None

    rig = rig.again(limits=Limits(freeze=freeze))
    frozen[0] = False
    rig.deploy(V1)
    rig.send("deploy", V2, strategy=SLOW)
    rig.ticks(4)
    frozen[0] = True
    rig.ticks(120)
    assert rig.target.weights == {V1: 5_000, V2: 5_000}
    assert rig.kinds()[-1] == "held"
    assert "the holidays" in rig.sentences()[-1]
    rig.controller.order(order("rollback"))
    rig.settle()
    assert rig.target.weights == {V1: 10_000}


def test_broken_glass_passes_a_freeze_and_alerts(rig: Rig) -> None:
    rig.deploy(V1)
    rig = rig.again(limits=Limits(freeze=lambda _: "the holidays"))
    rig.send("deploy", V2, reason="outage", ticket="T-1")
    rig.settle()
    assert rig.target.weights == {V2: 10_000}
    assert any("broke the glass" in sentence for sentence in rig.controller.alerts)


def test_alerts_are_counted_for_ever_and_remembered_for_a_while(rig: Rig) -> None:
    rig.deploy(V1)
    rig = rig.again(limits=Limits(freeze=lambda _: "the holidays"))
    rig.controller.alerts, rig.controller.alerted = ("an old one",) * 100, 100
    rig.send("deploy", V2, reason="outage", ticket="T-1")
    rig.settle()
    assert (len(rig.controller.alerts), rig.controller.alerted) == (100, 101)
    assert "broke the glass" in rig.controller.alerts[-1]


def test_a_process_that_was_overtaken_does_nothing_more(rig: Rig) -> None:
    rig.deploy(V1)
    (rig.folder / "state" / "epoch").write_text("9\n")
    calls = len(rig.target.calls)
    with pytest.raises(Fenced):
        rig.controller.tick()
    assert len(rig.target.calls) == calls


def test_a_state_that_was_lost_asks_beyond_what_the_router_runs(rig: Rig) -> None:
    rig.deploy(V1, V2)
    rig.lock.release()
    (rig.folder / "state").rename(rig.folder / "lost")
    fresh = Rig(folder=rig.folder, target=rig.target)
    fresh.deploy(V1)
    assert fresh.target.applied > 4
    assert fresh.target.weights == {V1: 10_000}


def test_a_dry_run_says_what_it_would_do_and_does_nothing(rig: Rig) -> None:
    rig.deploy(V1, V2)
    before = (rig.store.state, len(rig.links), len(rig.target.calls))
    would = [described(action) for action in rig.controller.preview(order("rollback"))]
    assert any("route 5: 111111111111 100 %" in line for line in would)
    assert (rig.store.state, len(rig.links), len(rig.target.calls)) == before


def test_what_a_person_may_ask_over_the_socket(rig: Rig) -> None:
    rig.deploy(V1)
    rig.send("deploy", V2, strategy=CANARY.model_copy(update={"standby": 3600}))
    rig.settle()
    answers = Answers(rig.controller, status=lambda: {"here": True}, wake=rig.controller.tick)
    assert answers({"do": "status"}, "cat") == {"here": True}
    would = answers({"do": "order", "kind": "rollback", "dry_run": True}, "cat")
    assert would["would"]
    done = answers({"do": "order", "kind": "rollback", "to": V1[:8]}, "cat")
    assert done["decisions"][-1]["kind"] == "rolled-back"
    assert done["decisions"][-1]["by"] == "cat"
    for request, says in [
        ({"do": "dance"}, "no request"),
        ({"do": "order", "kind": "deploy"}, "only rollback"),
        ({"do": "order", "kind": "clear"}, "only rollback"),
        ({"do": "order", "kind": "rollback", "to": "f"}, "0 versions begin like"),
        ({"do": "order", "kind": "rollback", "to": ""}, "2 versions begin like"),
    ]:
        with pytest.raises(InputError, match=says):
            answers(request, "cat")


def test_a_route_carries_the_decision_that_asks_for_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, str, str]] = []
    real = rig.target.route

    def note(route) -> None:  # type: ignore[no-untyped-def]
        told.append((route.generation, route.decision, route.reason))
        real(route)

    monkeypatch.setattr(rig.target, "route", note)
    rig.deploy(V1)
    promoted = rig.links[-1]
    assert told == [(1, promoted.digest, promoted.facts["sentence"])]
