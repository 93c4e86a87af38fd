"""Where an image may be pushed to, and what is said before any engine is asked.

The push itself, to a real registry, is in tests/heavy/test_registry_image.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.cli.edge import run
from assay.errors import InputError
from assay.packaging.registry_image import Login, checked_name
from support.bundles import PUBLIC, REPOSITORY, bundle

CONFIG = """\
version: 1
models:
  churn:
    predictions: p.csv
    artifact: model
    tests: null
    gates: {accuracy: {margin: 0.05}}
    delivery: {targets: [production]IMAGE}
delivery:
  targets: {production: {kind: local}}
  trust: {keys: [signing.pub]}
"""
BASE = "python@sha256:" + "a" * 64
LOCK = "".join(
    f"{name}==1.0 --hash=sha256:{'b' * 64}\n"
    for name in ("mlflow-skinny", "pandas", "pyarrow", "uvicorn")
)


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("ghcr.io/octo/churn", "ghcr.io/octo/churn"),
        ("registry.example:5000/{model}", "registry.example:5000/doctor-visit"),
        ("localhost/octo/{model}-image", "localhost/octo/doctor-visit-image"),
    ],
)
def test_a_name_says_registry_and_repository(name: str, full: str) -> None:
    assert checked_name(name, "doctor-visit") == full


@pytest.mark.parametrize(
    "name",
    [
        *("churn", "octo/churn", "ghcr.io/", "ghcr.io/octo/", "ghcr.io//churn"),
        *("ghcr.io/octo/churn:latest", f"ghcr.io/octo/churn@sha256:{'a' * 64}"),
        *("--help/x", "ghcr.io/Octo/churn", "ghcr.io/octo/churn\n", "ghcr.io/$(id)"),
    ],
)
def test_what_is_no_name_of_a_registry_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="no image name of a registry"):
        checked_name(name, "churn")


def test_a_login_does_not_show_its_password() -> None:
    assert "hunter22" not in repr(Login(username="octo", password="hunter22"))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "signing.pub").write_bytes(PUBLIC)
    (tmp_path / "model.lock").write_text(LOCK)
    bundle(tmp_path / "made")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def push(place: Path, image: str = "") -> int:
    (place / "assay.yaml").write_text(CONFIG.replace("IMAGE", image))
    return run(["image", "--bundle", "made/bundle", "--image-name", "ghcr.io/octo/{model}"])


def test_what_it_is_made_of_stands_in_the_configuration(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(place) == 2
    assert "models.churn.delivery.image" in capsys.readouterr().err
    parts = f", image: {{base: '{BASE}', lock: model.lock}}"
    assert push(place, parts) == 3
    assert "there is no docker program" in capsys.readouterr().err
    monkeypatch.setenv("ASSAY_IMAGE_CREDENTIALS", "USERNAME=octo\n")
    assert push(place, parts) == 2
    assert "two lines: USERNAME=… and PASSWORD=…" in capsys.readouterr().err


def test_a_bundle_of_nobody_that_is_trusted_is_no_image(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "made/bundle/README.md").write_text("another card")
    assert push(place) == 4
    assert "tampered with" in capsys.readouterr().err
