"""`assay stage` against a real local target: Envoy, MLflow's scoring server, Vegeta."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from assay.cli.edge import run
from assay.evidence import LoadTest, SmokeTest, StageState, StagingReport, State, TestRun
from assay.packaging.build import package
from assay.packaging.signing import sign_with_key
from assay.rollout.controller.talk import Listener
from assay.rollout.staging import replay
from assay.rollout.target import Release, Route
from support.bundles import PRIVATE, ingredients
from support.evidence_folders import MODEL
from support.models import probe_model
from support.serving import go, local_target, ready, until

pytestmark = [pytest.mark.heavy, pytest.mark.xdist_group("staging")]
CONFIG = """
version: 1
models:
  {model}:
    predictions: predictions.csv
    artifact: model
    environment: none
    gates: {{accuracy: {{margin: 0.05}}}}
    data: {{test: test.csv, id: id}}
    delivery:
      targets: [staging]
      staging: {staging}
delivery:
  targets: {{staging: {{kind: local, port: {port}}}}}
"""
LOAD = {"rate": 15, "seconds": 1, "rounds": 5, "margins": {"p99": 3, "p95": 2, "p50": 1}}
STAGING: dict[str, Any] = {"rows": 60, "load": LOAD}


def sign(folder: Path, signature: Path) -> None:
    sign_with_key(folder, signature, PRIVATE)


def released(folder: Path, **how: object) -> tuple[Release, Path]:
    """A signed bundle of a judged model that answers ``how``; and its evidence."""
    probe = probe_model(folder / "probe", 0, **how)
    example = {"columns": ["a"], "data": [[1.0], [2.0]]}
    (probe.folder / "model" / "input_example.json").write_text(json.dumps(example))
    made = ingredients(folder, artifact=probe.folder / "model")
    bundle = package(made.wanted(), sign)
    return Release(digest=bundle.digest(), folder=made.folder), made.evidence


@dataclass
class Host:
    """A target's host with a checkout of the consumer's."""

    folder: Path
    versions: dict[str, tuple[Release, Path]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        subprocess.run(["git", "init", "-q", str(self.folder)], check=True)
        self.target = local_target(self.folder / "state" / "target")
        for name, how in (
            ("good", {"parity": 0}),
            ("slow", {"parity": 0, "sleep": 0.1}),
            ("other", {"parity": 1}),
        ):
            self.versions[name] = released(self.folder / name, **how)
            self.target.start(self.versions[name][0])
        digests = [release.digest for release, _ in self.versions.values()]
        ready(self.target, *digests)
        lines = [f"{number},{number}.0" for number in range(400)]
        (self.folder / "test.csv").write_text("\n".join(["id,a", *lines]) + "\n")
        self.generation = 0

    def serve(self, name: str) -> None:
        """Give one version all traffic."""
        self.generation += 1
        digest = self.versions[name][0].digest
        weights = {digest: 10_000}
        go(self.target, Route(generation=self.generation, weights=weights, stable=digest))

    def address(self, name: str) -> str:
        """Where one version alone answers."""
        file = self.folder / "state/target/versions" / self.versions[name][0].digest
        settings = json.loads((file / "0.settings.json").read_text())
        return f"http://127.0.0.1:{settings['port']}"

    def stage(self, name: str, *more: str, **staging: object) -> int:
        """Run the command on a version; return its exit code."""
        evidence = self.versions[name][1]
        return self.run(evidence, "--bundle", str(self.versions[name][0].folder), *more, **staging)

    def run(self, evidence: Path, *more: str, **staging: object) -> int:
        """Run the command; return its exit code."""
        wanted = json.dumps({**STAGING, **staging})
        config = self.folder / "assay.yaml"
        config.write_text(CONFIG.format(model=MODEL, staging=wanted, port=self.target.port))
        options = {
            "config": config,
            "state": self.folder / "state",
            "evidence": evidence,
            "output": self.folder / "out",
        }
        given = [part for key, value in options.items() for part in (f"--{key}", str(value))]
        return run(["stage", *given, *more])

    @contextmanager
    def controller(self, stable: str, previous: str | None) -> Iterator[None]:
        """A socket that says what a controller would."""
        digests = [self.versions[name][0].digest if name else None for name in (stable, previous)]
        status = {"stable": digests[0], "previous": digests[1], "rollout": None}
        listener = Listener(self.folder / "state", lambda _, __: status)
        listener.start()
        try:
            yield
        finally:
            listener.stop()

    @property
    def found(self) -> Path:
        return self.folder / "out" / MODEL

    def states(self) -> dict[str, str]:
        """What each part came to."""
        report = StagingReport.read(self.found)
        return {part.name: part.state for part in report.parts}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    made = Host(tmp_path_factory.mktemp("staging") / "host")
    yield made
    made.target.close()


def test_what_was_judged_is_served_and_the_consumers_tests_pass(host: Host) -> None:
    host.serve("good")
    command = 'test -n "$ASSAY_URL" -a ${#ASSAY_VERSION} = 64 -a -z "${ASSAY_SIGNING_KEY:-}"'
    assert host.stage("good", "--parts", "smoke,tests", tests={"command": command}) == 0
    smoke = SmokeTest.read(host.found)
    assert {check.name: check.state for check in smoke.checks} == dict.fromkeys(
        ("version", "example", "signature", "offline"), StageState.PASSED
    )
    offline = smoke.checks[-1]
    assert (offline.count, offline.wrong, offline.largest) == (60, 0, 0.0)
    assert host.states() == {"smoke": "passed", "tests": "passed", "load": "left-out"}
    report = StagingReport.read(host.found)
    assert report.inputs["smoke.json"] == smoke.digest()
    assert "may go on" in (host.found / "report.md").read_text()


def test_a_version_that_answers_otherwise_than_offline_fails(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    host.serve("other")
    assert host.stage("other", "--parts", "smoke") == 1
    offline = SmokeTest.read(host.found).checks[-1]
    assert (offline.state, offline.wrong, offline.largest) == (StageState.FAILED, 60, 1.0)
    assert len(offline.examples) == 5
    assert "60 of 60 test rows are served other predictions" in capsys.readouterr().out


def test_another_version_in_its_place_fails(host: Host) -> None:
    host.serve("good")
    assert host.stage("slow", "--parts", "smoke") == 1
    version = SmokeTest.read(host.found).checks[0]
    assert version.wrong == version.count > 0
    assert version.examples == (host.versions["good"][0].digest,)


def test_a_slower_version_is_worse_under_load(host: Host) -> None:
    host.serve("slow")
    assert host.stage("slow", "--parts", "load", "--serving-url", host.address("good"),
                      load={**LOAD, "margins": {"memory": None}}) == 1  # fmt: skip
    load = LoadTest.read(host.found)
    states = {look.name: look.state for look in load.looks}
    assert states["p50"] is State.WORSE
    assert "memory" not in states
    assert load.serving == host.versions["good"][0].digest
    assert replay(load).to_json() == load.to_json()
    assert all(each.new.p50 > 100 > each.serving.p50 for each in load.rounds)
    assert host.states()["load"] == "failed"


def test_memory_of_an_address_is_not_measured_and_does_not_pass(host: Host) -> None:
    host.serve("good")
    assert host.stage("good", "--parts", "load", "--serving-url", host.address("other")) == 1
    load = LoadTest.read(host.found)
    memory = next(look for look in load.looks if look.name == "memory")
    assert memory.state is State.NOT_MEASURED
    assert all(each.new.memory and each.new.memory > 2**20 for each in load.rounds)


def test_rows_and_predictions_that_do_not_belong_are_refused(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    host.serve("good")
    wrong = host.folder / "wrong.csv"
    wrong.write_text("id,b\n1,2\n")
    assert host.stage("good", "--parts", "smoke", "--features", str(wrong)) == 2
    assert "lacks columns that the model's signature asks for: 'a'" in capsys.readouterr().err
    wrong.write_text("id,a\nx,1.0\n")
    assert host.stage("good", "--parts", "smoke", "--features", str(wrong)) == 2
    assert "no id of these rows" in capsys.readouterr().err
    wrong.write_text("id,y_pred\n0,1\n")
    assert host.stage("good", "--parts", "smoke", "--predictions", str(wrong)) == 4
    assert "not the predictions that the verdict was about" in capsys.readouterr().err
    assert host.stage("good", "--parts", "smoke,sanity") == 2


def test_what_cannot_be_asked_is_not_measured(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    host.serve("good")
    (host.folder / "empty").mkdir(exist_ok=True)
    nothing = str(host.folder / "empty")
    assert host.stage("good", "--parts", "smoke", "--evidence", nothing) == 1
    assert host.states()["smoke"] == "not-measured"
    assert "The gate's predictions are not at" in capsys.readouterr().out
    assert host.stage("good", "--url", "http://127.0.0.1:1") == 3
    assert SmokeTest.read(host.found).state is StageState.NOT_MEASURED
    assert set(host.states().values()) == {"not-measured"}
    assert host.stage("good", "--parts", "load") == 2
    assert "which version to compare with" in capsys.readouterr().err


def test_the_controller_says_which_version_and_which_one_was_before(host: Host) -> None:
    host.serve("slow")
    evidence = host.versions["slow"][1]
    with host.controller("slow", None):
        assert host.run(evidence) == 0
    assert host.states() == {"smoke": "passed", "tests": "left-out", "load": "left-out"}
    with host.controller("slow", "good"):
        assert host.run(evidence, "--parts", "load", load={**LOAD, "margins": {}}) == 1
    assert LoadTest.read(host.found).serving == host.versions["good"][0].digest
    assert host.states()["load"] == "failed"
    assert host.run(evidence) == 3


def test_tests_that_fail_or_hang_do_not_pass(host: Host) -> None:
    host.serve("good")
    assert host.stage("good", "--parts", "tests", tests={"command": "exit 3"}) == 1
    assert TestRun.read(host.found).state is StageState.FAILED
    hanging = {"command": "sleep 60", "timeout": 1}
    assert host.stage("good", "--parts", "tests", tests=hanging) == 1
    assert host.states()["tests"] == "not-measured"


def test_two_versions_of_one_host_are_compared_with_their_memory(host: Host) -> None:
    """With a version taken away, the one other that runs is the one to compare with."""
    host.serve("good")
    release = host.versions["other"][0]
    host.target.stop(release.digest)
    until(host.target, lambda seen: release.digest not in seen.backends)
    try:
        assert host.stage("good", "--parts", "smoke,load") == 0
        load = LoadTest.read(host.found)
        states = {look.name: look.state for look in load.looks}
        assert states["p50"] is State.BETTER
        assert states["memory"] in {State.NO_WORSE, State.BETTER}
        serving = StagingReport.read(host.found).serving_digest
        assert serving == host.versions["slow"][0].digest
    finally:
        host.target.start(release)
        ready(host.target, release.digest)
