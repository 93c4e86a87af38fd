"""What `assay controller` refuses before anything begins: no lock, no record, no "began"."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from assay.cli.edge import run

KINDS = {"here": {"kind": "local"}, "cluster": {"kind": "kubernetes", "image": "x/y:{digest}"}}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    model = {
        "predictions": "p.csv", "artifact": "model", "gates": {"f1": {"margin": 0.1}},
        "delivery": {"targets": list(KINDS)},
    }  # fmt: skip
    delivery = {"targets": KINDS, "trust": {"keys": ["k.pub"]}}
    path = tmp_path / "assay.yaml"
    path.write_text(json.dumps({"version": 1, "models": {"churn": model}, "delivery": delivery}))
    return path


def refused(config: Path, capsys: pytest.CaptureFixture[str], state: Path, *more: str) -> str:
    """What is said; nothing was begun."""
    given = ["--config", str(config), "--state", str(state), *more]
    assert run(["controller", *given]) == 2
    said = capsys.readouterr().err
    assert "began" not in said
    assert not state.exists()
    return said


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_state_folder_too_long_for_a_socket(
    config: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]
) -> None:
    state = config.parent / ("x" * 120)
    said = refused(config, capsys, state, "--target", "here", *more)
    assert "Unix allows a socket 107" in said
    assert f"{state}/control.sock" in said
    assert "--state" in said


@pytest.mark.parametrize("listen", ["9464", "127.0.0.1:http", "127.0.0.1:70000", ":9464", "h:²"])
def test_an_address_that_is_none(
    config: Path, capsys: pytest.CaptureFixture[str], listen: str
) -> None:
    state = config.parent / "s"
    said = refused(config, capsys, state, "--target", "here", "--listen", listen)
    assert "is no HOST:PORT" in said


def test_an_environment_without_the_targets_client_or_the_exporter(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = config.parent / "s"
    monkeypatch.setitem(sys.modules, "assay.rollout.targets.kubernetes", None)
    said = refused(config, capsys, state, "--target", "cluster")
    assert "ASSAY_ENVIRONMENT=kubernetes assay controller" in said
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "assay.alerting.telemetry", None)
    said = refused(config, capsys, state, "--target", "here")
    assert "ASSAY_ENVIRONMENT=delivery," in said
    monkeypatch.setitem(
        sys.modules, "assay.rollout.targets.kubernetes", ModuleType("with the client")
    )
    said = refused(config, capsys, state, "--target", "cluster")
    assert "ASSAY_ENVIRONMENT=kubernetes," in said, "delivery has no client of a cluster"


def test_no_unit_is_written_for_a_state_folder_that_no_controller_could_use(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = "/" + "x" * 120
    given = [
        "--config", str(config), "--target", "here", "--state", state,
        "--output", str(tmp_path / "units"),
    ]  # fmt: skip
    assert run(["controller", "install", "systemd", *given]) == 2
    assert "Unix allows a socket 107" in capsys.readouterr().err
    assert not (tmp_path / "units").exists()
    assert run(["controller", "install", "kubernetes", *given]) == 0, "it has a folder of its own"
