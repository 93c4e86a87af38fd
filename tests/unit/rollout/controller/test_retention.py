"""What a controller removes of versions that are over, and what never goes."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.config import Retention
from assay.evidence import Rollout
from assay.rollout.controller.chain import state_after
from assay.rollout.controller.releases import Releases, from_folder
from assay.rollout.controller.retention import House, kept_releases
from assay.rollout.records import Order, State
from support.bundles import REPOSITORY, TRUST, bundle
from support.controllers import V1, V2, V3, Rig
from support.fake_target import FakeTarget
from support.rollouts import strategy
from support.services import Hosted

V4, V5, V6 = "4" * 64, "5" * 64, "6" * 64
BAD = ("8" * 64, "9" * 64)


def house(folder: Path, releases: int = 1, **limits: Any) -> House:
    return House(
        releases=folder / "bundles",
        intents=folder / "state/intents",
        target=folder / "target",
        limits=Retention(releases=releases, **limits),
    )


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def bundles_in(folder: Path) -> set[str]:
    return {place.name for place in (folder / "bundles").iterdir()}


def test_what_a_rollback_may_need_stays_and_the_rest_goes(tmp_path: Path, stack: ExitStack) -> None:
    target = FakeTarget(bad=BAD)
    hosted = Hosted(tmp_path, stack, target, house=house(tmp_path, 2))
    hosted.deploy(V1, V2, BAD[0], V3, V4)
    assert bundles_in(tmp_path) == {V3, V4, BAD[0]}, "served last, serving, barred"
    hosted.send("rollback", V3)
    hosted.turn()
    assert target.weights == {V3: 10_000}
    assert "a bundle was removed" in hosted.log.getvalue()
    assert hosted.service.status()["trouble"] == {}


def test_a_version_whose_bundle_went_can_be_had_again(tmp_path: Path, stack: ExitStack) -> None:
    target = FakeTarget()
    hosted = Hosted(tmp_path, stack, target, house=house(tmp_path))
    hosted.deploy(V1, V2, V3)
    assert V1 not in bundles_in(tmp_path)
    hosted.service.controller.order(Order(kind="rollback", by="cat", digest=V1))
    hosted.turn()
    assert target.weights == {V1: 10_000}


def test_nothing_goes_while_a_rollout_is_on_its_way(tmp_path: Path, stack: ExitStack) -> None:
    slow = strategy("canary", steps=({"weight": 0.5, "bake": 3600, "requests": 0},))
    hosted = Hosted(tmp_path, stack, FakeTarget(), house=house(tmp_path))
    hosted.deploy(V1, V2)
    extra = tmp_path / "bundles" / V6
    hosted.send("deploy", V3, strategy=slow)
    hosted.turn(5)
    extra.mkdir()
    hosted.turn(5)
    assert extra.is_dir()
    assert bundles_in(tmp_path) >= {V1, V2, V3}
    hosted.service.controller.order(Order(kind="abort", by="cat"))
    hosted.turn()
    assert V6 not in bundles_in(tmp_path)
    assert bundles_in(tmp_path) >= {V1, V2}


def test_a_version_that_is_asked_for_meanwhile_stays(tmp_path: Path) -> None:
    here = house(tmp_path)
    (tmp_path / "bundles" / V1).mkdir(parents=True)
    asked: set[str] = set()
    gone = here.tidy_releases(lambda: frozenset(asked), asked.add)
    assert gone == ()
    assert (tmp_path / "bundles" / V1).is_dir()


@given(
    state=st.builds(
        State,
        stable=st.sampled_from([None, V1, V2]),
        previous=st.sampled_from([None, V2, V3]),
        barred=st.lists(st.sampled_from([V4, V5, V6]), unique=True).map(tuple),
        retiring=st.sampled_from([(), (V6,)]),
        rollout=st.sampled_from(
            [None, Rollout(candidate=V5, strategy=strategy("canary"), by="octo", at=0)]
        ),
    ),
    running=st.sets(st.sampled_from([V1, V3, V6])),
    most=st.integers(1, 3),
)
def test_whatever_is_in_use_is_kept(state: State, running: set[str], most: int) -> None:
    kept = kept_releases(state, (), running, most=most)
    in_use = {state.stable, state.previous, *state.retiring, *running} - {None}
    assert in_use <= kept
    assert state.rollout is None or state.rollout.candidate in kept
    assert len(kept) <= len(in_use) + 1 + most


def test_the_versions_that_served_last_are_counted_from_the_chain(tmp_path: Path) -> None:
    rig = Rig(folder=tmp_path, target=FakeTarget(bad=BAD))
    rig.deploy(V1, V2, V3, *BAD)
    state = rig.store.state
    assert kept_releases(state, rig.links, (), most=1) == {V2, V3, BAD[1]}
    assert kept_releases(state, rig.links, (), most=3) == {V1, V2, V3, *BAD}
    lost = state_after(rig.links)
    assert kept_releases(lost, rig.links, (), most=1) >= {lost.stable, lost.previous}


def test_logs_of_processes_go_with_the_version_and_old_intents_do(tmp_path: Path) -> None:
    here = house(tmp_path)
    for digest in (V1, V2):
        (tmp_path / "target/versions" / digest).mkdir(parents=True)
        (tmp_path / "target/shadow" / f"{digest}-0").mkdir(parents=True)
    here.intents.mkdir(parents=True)
    for number in range(520):
        digest = V1 if number == 0 else V2
        path = here.intents / f"{number:032x}.json"
        path.write_text(f'{{"artifact_digest": "{digest}"}}')
        os.utime(path, (number, number))
    here.tidy_releases(lambda: frozenset({V1}), lambda _: None)
    assert [one.name for one in (tmp_path / "target/versions").iterdir()] == [V1]
    assert [one.name for one in (tmp_path / "target/shadow").iterdir()] == [f"{V1}-0"]
    left = sorted(here.intents.iterdir())
    assert len(left) == 501
    assert left[0].name == f"{0:032x}.json", "it tells who shipped what still serves"


def test_what_cannot_be_removed_is_said_and_stops_nothing(
    tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    target = FakeTarget()
    hosted = Hosted(tmp_path, stack, target, house=house(tmp_path))
    monkeypatch.setattr(shutil, "rmtree", refuse)
    hosted.deploy(V1, V2, V3)
    assert target.weights == {V3: 10_000}
    assert "cannot be removed" in hosted.service.status()["trouble"]["retention"]
    monkeypatch.undo()
    hosted.turn()
    assert hosted.service.status()["trouble"] == {}
    assert bundles_in(tmp_path) == {V2, V3}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    made, document = bundle(tmp_path_factory.mktemp("made"))
    store = tmp_path_factory.mktemp("store")
    made.rename(store / document.digest())
    return store, document.digest()


def test_a_kill_at_any_removal_loses_nothing(real: tuple[Path, str], tmp_path: Path) -> None:
    store, digest = real
    kept = Releases(
        folder=tmp_path / "bundles",
        download=from_folder(store),
        trusted=TRUST,
        repository=REPOSITORY,
    )
    place = kept.fetch(digest)
    alone = replace(kept, download=from_folder(tmp_path / "nowhere"))
    here, other = house(tmp_path), tmp_path / "bundles" / V2
    for kill_at in range(1, 1_000):
        if not other.exists():
            shutil.copytree(place, other)
        ended = _killed(lambda: _tidy(here, digest), kill_at)
        assert alone.fetch(digest) == place, "it is whole, and needs no store"
        if other.exists():
            assert sorted(_names(other)) == sorted(_names(place)), "whole, or not there"
        if ended == 0:
            break
    assert kill_at > 5
    assert {one.name for one in (tmp_path / "bundles").iterdir()} == {digest}


def _tidy(here: House, digest: str) -> None:
    here.tidy_releases(lambda: frozenset({digest}), lambda _: None)


def _names(folder: Path) -> list[str]:
    return [one.relative_to(folder).as_posix() for one in folder.rglob("*")]


def _killed(work: Callable[[], None], kill_at: int) -> int | None:
    """Do it in a process that kills itself before that rename or removal; its exit code."""

    def run() -> None:
        left = [kill_at]
        for name in ("rename", "unlink", "rmdir"):
            setattr(os, name, _counted(getattr(os, name), left))
        work()

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join(60)
    return process.exitcode


def _counted(call: Callable[..., Any], left: list[int]) -> Callable[..., Any]:
    def counted(*arguments: Any, **options: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **options)

    return counted
