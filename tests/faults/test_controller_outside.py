"""MLflow, the pull request, the target and the disk during a rollout; and two controllers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from assay.errors import OutsideError
from assay.registry.store import Registry
from assay.registry.tracking import limit_waiting
from assay.rollout.controller.after import Hooks, Versions
from assay.state import Held, Link
from support.controllers import V1, V2, V3, Rig
from support.fake_target import FakeTarget
from support.services import Hosted


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def test_mlflow_down_stops_no_rollout_and_aliases_are_put_right_after(
    tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_waiting(os.environ)
    nobody = Registry("http://127.0.0.1:9", call_seconds=5)
    up = [False]
    projected: list[Versions] = []

    def project(versions: Versions) -> tuple[str, ...]:
        if not up[0]:
            nobody.project("churn", {"production": versions.stable})
        projected.append(versions)
        return ()

    target = FakeTarget(bad=(V3,))
    hosted = Hosted(tmp_path, stack, target, hooks=Hooks(project=project))
    hosted.deploy(V1)
    hosted.deploy(V2)
    assert target.weights == {V2: 10_000}
    assert "127.0.0.1:9" in hosted.service.status()["trouble"]["aliases"]
    assert projected == []
    up[0] = True
    hosted.turn()
    assert projected[-1] == Versions(stable=V2, previous=V1, candidate=None)
    assert hosted.service.status()["trouble"] == {}


def test_each_decision_is_told_and_after_a_failure_again(tmp_path: Path, stack: ExitStack) -> None:
    told: list[int] = []
    down = [3]

    def tell(link: Link) -> None:
        if down[0]:
            down[0] -= 1
            raise OutsideError("GitHub does not answer.")
        told.append(link.seq)

    hosted = Hosted(tmp_path, stack, FakeTarget(bad=(V3,)), hooks=Hooks(tell=tell))
    hosted.deploy(V1, V2)
    hosted.service.close()
    hosted.start()
    hosted.deploy(V3)
    assert told == [link.seq for link in hosted.links]


def test_a_second_controller_is_refused_and_changes_nothing(
    tmp_path: Path, stack: ExitStack
) -> None:
    hosted = Hosted(tmp_path, stack, FakeTarget())
    hosted.deploy(V1)
    before = (tmp_path / "state/wal.jsonl").read_bytes()
    first = hosted.service
    with pytest.raises(Held, match=f"process {os.getpid()}"):
        hosted.start()
    assert (tmp_path / "state/wal.jsonl").read_bytes() == before
    hosted.service = first
    hosted.deploy(V2)
    assert hosted.target.weights == {V2: 10_000}


def test_a_target_that_is_away_is_asked_again_and_nothing_is_lost(tmp_path: Path) -> None:
    rig = Rig(folder=tmp_path, target=FakeTarget())
    rig.deploy(V1)
    rig.send("deploy", V2)
    rig.target.away = True
    rig.ticks(5)
    assert rig.kinds() == ["accepted", "promoted"]
    rig.target.away = False
    rig.settle()
    assert rig.target.weights == {V2: 10_000}


def test_a_route_that_is_never_acknowledged_promotes_nothing(tmp_path: Path) -> None:
    rig = Rig(folder=tmp_path, target=FakeTarget())
    rig.deploy(V1)
    rig.target.acknowledges = False
    rig.send("deploy", V2)
    rig.ticks(30)
    assert "promoted" not in rig.kinds()[2:]
    assert not rig.controller.settled()
