"""The docker target: scoring servers in containers of a real Docker Engine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from assay.cli.controller_setup import open_target
from assay.config.delivery import DockerTarget, ModelDelivery, PredictionLog, Serving
from assay.errors import InputError, OutsideError
from assay.rollout.target import Route
from assay.rollout.targets.docker import setup_docker
from assay.rollout.targets.docker.engine import Engine
from assay.rollout.targets.local import Local
from support.docker_engine import docker, engine
from support.models import probe_model
from support.serving import CHECKOUT, ask, go, ready, until
from support.serving_image import import_serving_image

pytestmark = [pytest.mark.heavy, pytest.mark.xdist_group("docker")]
IMAGE = "assay-tests/serving:1"


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    with engine(os.getgid()) as found:
        import_serving_image(found, IMAGE)
        yield found


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the engine may mount from."""
    place = Path(tempfile.mkdtemp(prefix="assay-docker-"))
    yield place
    shutil.rmtree(place)


def opened(host: str, folder: Path) -> Local:
    setup = setup_docker(
        DockerTarget(kind="docker", port=0, image=IMAGE, network="host"),
        Serving(log=PredictionLog(seconds=1)),
        folder=folder,
        latency_ms=500,
        checkout=CHECKOUT,
        environ={**os.environ, "DOCKER_HOST": host},
    )
    return Local(setup)


def test_versions_run_in_containers_and_end_with_their_log_written(host: str, place: Path) -> None:
    target = opened(host, place / "target")
    old, new = probe_model(place / "old", "old"), probe_model(place / "new", "new")
    try:
        for release in (old, new):
            target.start(release)
        ready(target, old.digest, new.digest)
        weights = {old.digest: 5_000, new.digest: 5_000}
        go(target, Route(generation=1, weights=weights, stable=old.digest))
        answers = [ask(target, unit=str(number)) for number in range(30)]
        assert {answer.version for answer in answers} == {old.digest, new.digest}
        assert {answer.status for answer in answers} == {200}

        names = docker(host, "ps", "--format", "{{.Names}}").split()
        assert len(names) == 2
        told = json.loads(docker(host, "inspect", names[0]))[0]
        assert told["HostConfig"]["ReadonlyRootfs"] is True
        assert told["HostConfig"]["CapDrop"] == ["ALL"]
        assert not any("SECRET" in variable for variable in told["Config"]["Env"])

        again = opened(host, place / "target")
        seen = ready(again, old.digest, new.digest)
        assert (seen.applied, docker(host, "ps", "--format", "{{.Names}}").split()) == (1, names)

        docker(host, "kill", *names)
        until(again, lambda seen: all(b.restarts == 1 for b in seen.backends.values()))
        ready(again, old.digest, new.digest)

        # The router's health checks know of the kill only after a moment: both answer again.
        units = [str(number) for number in range(30)]
        versions = {old.digest, new.digest}
        until(again, lambda _: {ask(again, unit=unit).version for unit in units} == versions)
        go(again, Route(generation=2, weights={old.digest: 10_000}, stable=old.digest))
        again.stop(new.digest)
        until(again, lambda seen: new.digest not in seen.backends)
        assert len(docker(host, "ps", "--all", "--format", "{{.Names}}").split()) == 1
        assert list((place / "target" / "predictions" / new.digest).glob("*.parquet"))
        assert ask(again).version == old.digest
    finally:
        target.close()
        for name in docker(host, "ps", "--all", "--quiet").split():
            docker(host, "rm", "--force", name)


def test_an_image_that_is_not_there_is_said(host: str, place: Path) -> None:
    setup = setup_docker(
        DockerTarget(kind="docker", port=0, image="assay-tests/nowhere:1", network="host"),
        Serving(),
        folder=place / "target",
        latency_ms=500,
        checkout=CHECKOUT,
        environ={**os.environ, "DOCKER_HOST": host},
    )
    target = Local(setup)
    release = probe_model(place / "model", "x")
    target.start(release)
    seen = until(target, lambda seen: bool(seen.backends[release.digest].detail))
    assert "No such image" in seen.backends[release.digest].detail
    assert not seen.backends[release.digest].ready
    target.close()


def test_an_engine_elsewhere_or_nowhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs the engine of its own host"):
        Engine.of({"DOCKER_HOST": "tcp://10.0.0.1:2375"})
    nowhere = Engine(path=tmp_path / "socket")
    with pytest.raises(OutsideError, match="no Docker Engine answers"):
        nowhere.kill("x", signal.SIGTERM)


def test_a_controller_is_made_of_it(tmp_path: Path) -> None:
    chosen = SimpleNamespace(
        target=DockerTarget(kind="docker", port=0, image=IMAGE),
        way=ModelDelivery(),
        target_name="production",
        model_name="churn",
        state=tmp_path,
    )
    with ExitStack() as stack:
        target = open_target(chosen, stack)
    assert isinstance(target, Local)
    assert target.setup.supervised(tmp_path).image.name == IMAGE
