"""MLflow goes away at each request of a registration: nothing is half-registered, ever."""

from __future__ import annotations

import importlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.errors import OutsideError
from assay.packaging.bundle import Bundle
from assay.packaging.verify import verify_bundle
from assay.registry.facts import VersionFacts
from assay.registry.store import Registry
from assay.registry.tracking import limit_waiting
from support.bundles import REPOSITORY, TRUST, bundle
from support.failing_front import Front, failing_front
from support.mlflow_server import mlflow_server

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    before = dict(os.environ)
    limit_waiting(os.environ)
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "60"
    with (
        mlflow_server(tmp_path_factory.mktemp("mlflow") / "server") as behind,
        failing_front(behind) as front,
    ):
        yield front
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Bundle]:
    return bundle(tmp_path_factory.mktemp("bundle"))


def versions(front: Front, name: str) -> list[Any]:
    client = importlib.import_module("mlflow.tracking").MlflowClient(front.behind, front.behind)
    return list(client.search_model_versions(f"name = '{name}'"))


def test_a_server_that_dies_at_any_request_leaves_no_version_or_a_whole_one(
    front: Front, made: tuple[Path, Bundle], tmp_path: Path
) -> None:
    folder, document = made
    registry = Registry(front.uri)
    front.fails_at, front.seen = None, 0
    whole = VersionFacts(name="whole", tree="1" * 40, digest=document.digest())
    registry.register(whole, folder)
    requests = front.seen
    assert requests > 15
    for number in range(requests):
        name = f"dies-{number}"
        facts = VersionFacts(name=name, tree="1" * 40, digest=document.digest())
        front.fails_at, front.seen = number, 0
        with pytest.raises(OutsideError, match="MLflow registry"):
            registry.register(facts, folder)
        front.fails_at = None
        for found in versions(front, name):
            assert found.tags == facts.tags, front.asked[-1]
        again = registry.register(facts, folder)
        assert len(versions(front, name)) == 1, number
        got = registry.fetch(name, again.digest, tmp_path / name)
        assert (got / "model.sig").is_file()


def test_a_server_that_dies_while_a_bundle_is_fetched_leaves_no_half_of_it(
    front: Front, made: tuple[Path, Bundle], tmp_path: Path
) -> None:
    folder, document = made
    registry, digest = Registry(front.uri), document.digest()
    facts = VersionFacts(name="fetched", tree="1" * 40, digest=digest)
    front.fails_at = None
    registry.register(facts, folder)
    front.seen = 0
    registry.fetch("fetched", digest, tmp_path / "whole")
    requests = front.seen
    assert requests > len(document.files)
    for number in range(requests):
        front.fails_at, front.seen = number, 0
        got = tmp_path / "got"
        try:
            registry.fetch("fetched", digest, got)
        except OutsideError:
            left = [path.name for path in tmp_path.iterdir()]
            assert left == ["whole"], front.asked[-1]
        else:
            # MLflow does without the answers to what it asks last: then all of it is there.
            verify_bundle(got, TRUST, REPOSITORY)
            shutil.rmtree(got)
            assert number > len(document.files)
    front.fails_at = None


def test_a_server_that_dies_between_aliases_is_repaired_by_the_next_call(
    front: Front, made: tuple[Path, Bundle]
) -> None:
    folder, document = made
    registry, digest = Registry(front.uri), document.digest()
    front.fails_at = None
    registry.register(VersionFacts(name="aliased", tree="1" * 40, digest=digest), folder)
    wanted = {"production": digest, "staging": digest}
    front.seen = 0
    registry.project("aliased", wanted)
    requests = front.seen
    for number in range(requests):
        front.fails_at = None
        registry.project("aliased", dict.fromkeys(wanted))
        front.fails_at, front.seen = number, 0
        with pytest.raises(OutsideError):
            registry.project("aliased", wanted)
        front.fails_at = None
        registry.project("aliased", wanted)
        assert registry.project("aliased", wanted) == ()


def test_a_server_that_hangs_is_given_up_in_time(
    front: Front, made: tuple[Path, Bundle], tmp_path: Path
) -> None:
    front.fails_at, front.seen, front.hangs = 0, 0, True
    try:
        patient = Registry(front.uri, call_seconds=2, transfer_seconds=2)
        started = time.monotonic()
        with pytest.raises(OutsideError, match=r"2 seconds|timed out"):
            patient.project("churn", {"production": "0" * 64})
        with pytest.raises(OutsideError):
            patient.fetch("churn", "0" * 64, tmp_path / "got")
        assert time.monotonic() - started < 10
    finally:
        front.fails_at, front.hangs = None, False
