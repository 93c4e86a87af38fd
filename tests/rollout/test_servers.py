"""Scoring servers in environments that uv builds from a bundle, MLflow's and MLServer's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.config.delivery import Serving
from assay.rollout.target import Route
from assay.rollout.targets.local import Local
from support.models import probe_model
from support.serving import ask, go, local_target, ready, until

pytestmark = [pytest.mark.heavy, pytest.mark.xdist_group("servers")]
ROW = {"inputs": [{"name": "a", "shape": [1, 1], "datatype": "FP64", "data": [1.0]}]}


@pytest.fixture(params=["mlflow", "mlserver"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Local]:
    serving = Serving(server=request.param, workers=2)
    target = local_target(tmp_path / "target", serving=serving, python=None)
    yield target
    target.close()


def test_a_version_is_served_in_the_environment_that_its_bundle_lists(
    target: Local, tmp_path: Path
) -> None:
    release = probe_model(tmp_path / "model", 7)
    target.start(release)
    began = target.observe().backends[release.digest]
    assert began.ready is False
    until(
        target,
        lambda seen: (
            not seen.backends[release.digest].detail or seen.backends[release.digest].ready
        ),
        patience=600,
    )
    ready(target, release.digest)
    go(target, Route(generation=1, weights={release.digest: 10_000}, stable=release.digest))
    scored = ask(target)
    assert (scored.status, scored.version) == (200, release.digest)
    assert json.loads(scored.body) == {"predictions": [7]}
    if target.setup.serving.server == "mlserver":
        answer = ask(target, path="/v2/models/model/infer", body=ROW)
        assert (answer.status, answer.version) == (200, release.digest), answer.body
        assert json.loads(answer.body)["outputs"][0]["data"] == [7]


def test_a_bundle_whose_environment_cannot_be_built_says_so_and_serves_nothing(
    tmp_path: Path,
) -> None:
    target = local_target(tmp_path / "target", python=None)
    release = probe_model(tmp_path / "model", 7)
    (release.folder / "model" / "requirements.txt").write_text("no-such-package-of-anybody==9.9\n")
    target.start(release)
    seen = until(
        target,
        lambda seen: "could not be built" in seen.backends[release.digest].detail,
        patience=120,
    )
    assert "no-such-package-of-anybody" in seen.backends[release.digest].detail
    assert not seen.backends[release.digest].ready
    target.close()
