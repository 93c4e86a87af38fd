"""What a controller starts for a look: its own Python or the launcher, and no token more."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from assay.cli.chosen import choose
from assay.cli.controller_watch import looking_of

V1 = "1" * 64


def config(folder: Path, monitoring: dict[str, object] | None) -> Path:
    model = {
        "predictions": "p.csv", "artifact": "model", "gates": {"f1": {"margin": 0.1}},
        "delivery": {"targets": ["production"]},
        **({"monitoring": monitoring} if monitoring else {}),
    }  # fmt: skip
    delivery = {"targets": {"production": {"kind": "local"}}, "trust": {"keys": ["k.pub"]}}
    path = folder / "assay.yaml"
    path.write_text(json.dumps({"version": 1, "models": {"churn": model}, "delivery": delivery}))
    return path


def test_a_model_that_is_not_watched_is_not_looked_at(tmp_path: Path) -> None:
    path = config(tmp_path, None)
    assert looking_of(choose(path, None, None, tmp_path / "state"), path) is None


def test_a_look_is_held_against_the_bundle_of_the_version_that_serves(tmp_path: Path) -> None:
    path = config(tmp_path, {"logs": {"source": "logs"}, "window": 600})
    made = looking_of(choose(path, None, None, tmp_path / "state"), path)
    assert made is not None
    assert made.every == 600
    assert made.tell == ()
    first = made.command(None)
    assert first[0] == sys.executable
    assert first[first.index("--controller") + 1] == f"production={tmp_path / 'state'}"
    assert "--reference" not in made.command(V1)
    bundle = tmp_path / "state/releases" / V1
    (bundle / "evidence/churn").mkdir(parents=True)
    (bundle / "evidence/churn/reference.json").touch()
    command = made.command(V1)
    assert command[command.index("--reference") + 1] == bundle.as_posix()
    assert "--reference" not in made.command("2" * 64)


@pytest.mark.parametrize(
    ("source", "launcher"),
    [("s3://bucket/logs", True), ("file:///var/log", False), ("logs", False)],
)
def test_the_launcher_is_taken_where_a_source_needs_another_environment(
    tmp_path: Path, source: str, *, launcher: bool
) -> None:
    alerts = {"owner": "churn team", "look_every": 120}
    path = config(tmp_path, {"logs": {"source": source}, "alerts": alerts})
    made = looking_of(choose(path, None, None, tmp_path / "state"), path)
    assert made is not None
    assert made.every == 120
    assert made.command(None)[0].endswith("toolkit/bin/assay") is launcher
    assert (made.environ.get("ASSAY_ENVIRONMENT") == "sources") is launcher
    assert made.tell[0] == sys.executable


def test_a_child_inherits_no_option_and_no_token_that_it_need_not_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ASSAY_BRANCH_TOKEN", "ASSAY_STATE", "ASSAY_AT", "ASSAY_WEBHOOK", "AWS_PROFILE"):
        monkeypatch.setenv(name, "set")
    path = config(tmp_path, {"logs": {"source": "logs"}, "alerts": {"owner": "churn team"}})
    made = looking_of(choose(path, None, None, tmp_path / "state"), path)
    assert made is not None
    assert {"AWS_PROFILE"} <= set(made.environ)
    assert not [
        name for name in made.environ if name.startswith("ASSAY_") and name != "ASSAY_CACHE"
    ]
    assert "ASSAY_WEBHOOK" in made.telling_environ
    assert "ASSAY_BRANCH_TOKEN" not in made.telling_environ
