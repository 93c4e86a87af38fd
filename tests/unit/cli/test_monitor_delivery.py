"""What delivery tells a look: signs of life, and versions that nobody let in."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from assay.cli.edge import run
from assay.cli.monitor_delivery import delivered_of
from assay.config import load_config
from assay.evidence import Look
from assay.rollout.controller.heartbeat import FILE as ALIVE
from assay.rollout.controller.outbox import PUSHED
from support.controllers import PLACE, V1, V2
from support.fake_target import FakeTarget
from support.production import START, Production
from support.repositories import Sandbox
from support.services import Hosted

HOUR = 3600.0


@pytest.fixture
def hosted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosted]:
    """A controller that serves V1, whose state lies where this host keeps it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "states"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("MLFLOW_REGISTRY_URI", raising=False)
    with ExitStack() as stack:
        made = Hosted(tmp_path, stack, FakeTarget())
        made.deploy(V1)
        folder = tmp_path / "states/assay" / PLACE.target
        folder.mkdir(parents=True)
        (folder / PLACE.model).symlink_to(tmp_path / "state")
        yield made


def configured(hosted: Hosted, *, versions: tuple[str, ...] = (V1,)) -> Path:
    """A clone with the configuration, beside a log in which each version answers every day."""
    clone = Sandbox.make(hosted.folder / "clone")
    clone.git("remote", "add", "origin", str(hosted.bare))
    made = Production(clone.root, settings={"silence": 10 * 366 * 86_400})
    for number in range(4):
        for place, version in enumerate(versions):
            made.day(number, 200, version=version, wrong=0.4 if place else 0.1)
    shutil.rmtree(clone.root / "logs")
    (clone.root / "logs").mkdir()
    for place, row in enumerate(made.rows):
        row["request_id"] = f"{row['request_id']}-{place}"
    made.write_log("all.parquet", made.rows)
    made.label(made.rows)
    model = {
        **made.model().model_dump(mode="json", exclude_defaults=True),
        "artifact": "model",
        "delivery": {"targets": [PLACE.target]},
    }
    delivery = {"targets": {PLACE.target: {"kind": "local"}}, "trust": {"keys": ["k.pub"]}}
    config = clone.root / "assay.yaml"
    config.write_text(
        json.dumps({"version": 1, "models": {PLACE.model: model}, "delivery": delivery})
    )
    return config


def looked(config: Path, at: datetime | None = START + timedelta(days=4), *more: str) -> Look:
    """Look as of then, or now."""
    folder = config.parent
    when = [] if at is None else ["--at", at.isoformat()]
    state = ["--state", str(folder / "watched"), "--evidence", str(folder / "evidence")]
    code = run(["monitor", "--config", str(config), *state, *when, *more, "--exit-zero"])
    assert code == 0
    return Look.read(folder / "evidence" / PLACE.model)


def aged(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_a_controller_that_lives_and_pushes_is_no_finding(hosted: Hosted) -> None:
    aged(hosted.folder / "state/epoch", HOUR)
    look = looked(configured(hosted), None)
    beats = {beat.name: beat for beat in look.heartbeats}
    for name in ("controller production", "journal production"):
        assert beats[name].last is not None
        assert not beats[name].silent
    assert not [one for one in look.problems if one.subject in beats and "production" in one.key]


def test_a_silent_controller_is_urgent_and_an_old_push_a_warning(hosted: Hosted) -> None:
    config = configured(hosted)
    for name in ("epoch", ALIVE, PUSHED):
        aged(hosted.folder / "state" / name, HOUR)
    found = {one.key: one for one in looked(config, None).problems}
    controller = found["heartbeat:controller production"]
    assert controller.severity == "block"
    assert "sign of life of the controller of production" in controller.sentence
    assert found["heartbeat:journal production"].severity == "warn"


def test_a_controller_that_never_pushed_is_found(hosted: Hosted) -> None:
    config = configured(hosted)
    (hosted.folder / "state" / PUSHED).unlink()
    aged(hosted.folder / "state/epoch", HOUR)
    keys = {one.key for one in looked(config, None).problems}
    assert "heartbeat:journal production" in keys


def test_a_controller_elsewhere_is_known_by_what_it_pushed(hosted: Hosted) -> None:
    config = configured(hosted)
    shutil.rmtree(hosted.folder / "states")
    found = delivered_of(load_config(config), config, PLACE.model)
    [sign] = found.signs
    assert sign.name == "journal production"
    assert sign.last is not None
    assert datetime.now(UTC) - sign.last < timedelta(minutes=5)
    assert found.versions == {V1}
    with hosted.away():
        gone = delivered_of(load_config(config), config, PLACE.model)
    assert gone.signs == ()
    assert "could not be read" in gone.notes[0]


def test_a_controllers_folder_may_lie_elsewhere(hosted: Hosted) -> None:
    config = configured(hosted)
    shutil.rmtree(hosted.folder / "states")
    look = looked(config, None, "--controller", f"production={hosted.folder / 'state'}")
    assert "controller production" in {beat.name for beat in look.heartbeats}
    assert run(["monitor", "--config", str(config), "--controller", "production=/absent"]) == 2


def test_a_version_that_nobody_let_in_is_counted_apart(hosted: Hosted) -> None:
    """It answers as often, and much worse: what is judged is as if it were not there."""
    config = configured(hosted, versions=(V1, V2, "hand-made"))
    look = looked(config)
    assert look.version == V1
    assert {one.key for one in look.problems} == {"version:unknown"}
    assert "2222" in look.problems[0].sentence
    window = look.windows[2]
    assert (window.predictions, window.unknown) == (200, 400)
    assert window.versions == {V1: 200, V2: 200, "hand-made": 200}
    alone = configured_alone(hosted.folder / "alone")
    assert look.rules[0].n == alone.rules[0].n
    [of_all] = [one for one in window.quality if one.metric == "accuracy"]
    assert of_all.value is not None
    assert of_all.value > 0.85


def configured_alone(folder: Path) -> Look:
    made = Production(folder)
    for number in range(4):
        made.day(number, 200, version=V1)
    made.label(made.rows)
    return made.look(4.0)


def test_what_was_known_once_stays_known_while_the_journal_is_away(hosted: Hosted) -> None:
    config = configured(hosted, versions=(V1, V2))
    assert looked(config).version == V1
    shutil.rmtree(hosted.folder / "states")
    with hosted.away():
        again = looked(config, START + timedelta(days=4, hours=1))
    assert "could not be read" in " ".join(again.notes)
    assert again.windows[2].unknown == 200
    assert "version:unknown" in {one.key for one in again.problems}


def test_a_version_that_is_let_in_later_counts(hosted: Hosted) -> None:
    config = configured(hosted, versions=(V1, V2))
    assert looked(config).windows[3].unknown == 200
    hosted.deploy(V2)
    after = looked(config, START + timedelta(days=4, hours=1))
    assert after.windows[3].unknown == 0
    assert "version:unknown" not in {one.key for one in after.problems}


def test_a_registered_version_is_known_by_digest_and_by_number(
    hosted: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configured(hosted, versions=(V1, V2, "1"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{hosted.folder}/mlflow.db")
    client = MlflowClient()
    client.create_registered_model(PLACE.model)
    client.create_model_version(PLACE.model, "file:///m", tags={"assay.artifact_digest": V2})
    assert looked(config).windows[2].unknown == 0


def test_a_registry_that_is_down_is_a_note(hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configured(hosted)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    found = delivered_of(load_config(config), config, PLACE.model)
    assert found.versions == {V1}
    assert found.notes[0].startswith("The registry could not be asked")
