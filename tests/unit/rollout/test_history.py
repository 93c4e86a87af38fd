"""What served when, read from a chain that a controller wrote."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from assay.rollout.controller.chain import state_after
from assay.rollout.controller.clock import time_of
from assay.rollout.history import period_at, periods
from support.controllers import V1, V2, V3, Rig
from support.fake_target import FakeTarget


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    made = Rig(folder=tmp_path_factory.mktemp("rig"), target=FakeTarget(bad=(V3,)))
    made.time.pass_by(3600)
    for version in (V1, V2, V3):
        made.send("deploy", version, author=f"author-of-{version[0]}")
        made.settle()
        made.time.pass_by(600)
    return made


def test_each_split_of_the_traffic_is_a_period(rig: Rig) -> None:
    shares = [
        {word.artifact_digest: word.share for word in period.versions}
        for period in periods(rig.links)
    ]
    assert shares == [
        {V1: 10_000},
        {V1: 9_000, V2: 1_000},
        {V1: 5_000, V2: 5_000},
        {V2: 10_000},
        {V2: 9_000, V3: 1_000},
        {V2: 10_000},
    ]


def test_periods_follow_on_each_other_up_to_now(rig: Rig) -> None:
    found = periods(rig.links)
    assert [one.until for one in found[:-1]] == [one.since for one in found[1:]]
    assert found[-1].until is None


def test_a_version_names_who_asked_for_it_and_its_evidence(rig: Rig) -> None:
    last = periods(rig.links)[-1]
    (word,) = last.versions
    assert word.asked_by == "author-of-2, cat"
    assert word.intent == f"{2:032x}"
    assert word.evidence_digest in {link.facts["evidence_digest"] for link in rig.links}
    assert last.kind == "rolled-back"
    assert last.cause == "guard"


def test_what_served_at_a_time(rig: Rig) -> None:
    found = periods(rig.links)
    for period in found:
        inside = time_of(period.since) + timedelta(milliseconds=1)
        assert period_at(rig.links, inside) == period
        assert period_at(rig.links, time_of(period.since)) == period
    assert period_at(rig.links, time_of(found[0].since) - timedelta(seconds=1)) is None
    assert period_at((), time_of(found[0].since)) is None


def test_a_version_is_started_with_the_image_that_its_intent_names_and_history_says_so(
    tmp_path: Path,
) -> None:
    image = "registry.example/churn@sha256:" + "e" * 64
    rig = Rig(folder=tmp_path, target=FakeTarget())
    rig.deploy(V1)
    rig.send("deploy", V2, image=image)
    rig.settle()
    assert rig.target.images == {V1: None, V2: image}
    (word,) = periods(rig.links)[-1].versions
    assert (word.artifact_digest, word.image) == (V2, image)
    # A version that comes back needs no intent that names its image again.
    rig.deploy(V3)
    rig.target.images.clear()
    rig.send("rollback", V2)
    rig.settle()
    assert rig.target.images[V2] == image


def test_nothing_served_is_no_period(tmp_path: Path) -> None:
    rig = Rig(folder=tmp_path, target=FakeTarget())
    rig.ticks(2)
    assert periods(rig.links) == ()


def test_the_chain_alone_says_what_serves_what_was_before_and_what_is_barred(rig: Rig) -> None:
    state = state_after(rig.links)
    assert (state.stable, state.previous, state.barred) == (V2, V1, (V3,))
    assert state.generation > rig.store.state.generation
