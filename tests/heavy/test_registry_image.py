"""`assay image` pushes to a real registry through a real Docker Engine."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assay.cli.edge import run
from assay.evidence import PushedImage
from assay.packaging.bundle import Bundle
from support.bundles import PUBLIC, REPOSITORY, bundle
from support.container_registry import (
    CREDENTIALS,
    PASSWORD,
    ContainerRegistry,
    container_registry,
    image_engine,
    image_parts,
)
from support.docker_engine import docker

pytestmark = [pytest.mark.heavy, pytest.mark.xdist_group("docker"), pytest.mark.timeout(600)]

CONFIG = """\
version: 1
models:
  churn:
    predictions: p.csv
    artifact: model
    tests: null
    gates: {{accuracy: {{margin: 0.05}}}}
    delivery: {{targets: [production], image: {{base: "{base}", lock: model.lock}}}}
delivery:
  targets: {{production: {{kind: local}}}}
  trust: {{keys: [signing.pub]}}
"""


Push = Callable[..., int]
Made = tuple[Path, Bundle]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerRegistry]:
    with container_registry(tmp_path_factory.mktemp("registry") / "all") as found:
        yield found


@pytest.fixture(scope="module")
def host(registry: ContainerRegistry) -> Iterator[str]:
    with image_engine() as found:
        yield found


@pytest.fixture(scope="module")
def made(host: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Bundle]:
    root = tmp_path_factory.mktemp("delivered")
    base, lock = image_parts(host)
    (root / "assay.yaml").write_text(CONFIG.format(base=base))
    (root / "model.lock").write_text(lock)
    (root / "signing.pub").write_bytes(PUBLIC)
    return root, bundle(root / "made")[1]


@pytest.fixture
def push(
    made: tuple[Path, Bundle],
    host: str,
    registry: ContainerRegistry,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., int]:
    monkeypatch.setenv("DOCKER_HOST", host)
    monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
    monkeypatch.chdir(made[0])

    def run_it(name: str = "octo/{model}", credentials: str = CREDENTIALS) -> int:
        monkeypatch.setenv("ASSAY_IMAGE_CREDENTIALS", credentials)
        where = f"{registry.address}/{name}"
        return run(["image", "--bundle", "made/bundle", "--image-name", where, "--output", "out"])

    return run_it


def test_an_image_is_pushed_once_and_named_by_the_digest_that_the_registry_gives(
    push: Push,
    made: Made,
    host: str,
    registry: ContainerRegistry,
    capsys: pytest.CaptureFixture[str],
) -> None:
    version = made[1].digest()
    assert push() == 0
    assert "pushed; artifact digest" in capsys.readouterr().out
    digest, manifest = registry.manifest("octo/churn", version)
    record = PushedImage.read(made[0] / "out")
    assert record.reference == f"{registry.address}/octo/churn@{digest}"
    assert (record.model, record.artifact_digest) == ("churn", version)
    labels = registry.labels("octo/churn", digest)
    assert labels["ml.assay.artifact-digest"] == version
    assert labels["org.opencontainers.image.revision"] == made[1].commit
    assert labels["ml.assay.evidence-digest"] == made[1].evidence_digest
    assert len(manifest["layers"]) > 1

    assert push() == 0
    assert "was there already" in capsys.readouterr().out
    assert PushedImage.read(made[0] / "out") == record
    assert registry.tags("octo/churn") == [version]

    # Whoever runs it takes it by digest, and gets this very bundle.
    (found,) = json.loads(docker(host, "image", "inspect", record.reference))
    assert found["Config"]["Labels"]["ml.assay.artifact-digest"] == version


def test_a_password_that_is_not_taken_pushes_nothing_and_is_not_shown(
    push: Push, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = CREDENTIALS.replace(PASSWORD, "guessed-it")
    assert push("octo/other", wrong) == 3
    said = "".join(capsys.readouterr())
    assert "does not take the login of 'pusher'" in said
    assert "guessed-it" not in said
    assert push("octo/other", "TOKEN=abc") == 2
    assert "USERNAME=… and PASSWORD=…" in capsys.readouterr().err


def test_the_login_is_gone_afterwards_and_the_build_never_had_it(
    push: Push, made: Made, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path))
    assert push("octo/again") == 0
    assert list(tmp_path.iterdir()) == []
    assert "ASSAY_IMAGE_CREDENTIALS" not in os.environ
    record = PushedImage.read(made[0] / "out")
    (found,) = json.loads(docker(host, "image", "inspect", record.reference))
    told = docker(host, "history", "--no-trunc", "--format", "{{.CreatedBy}}", record.reference)
    assert PASSWORD not in json.dumps(found) + told


def test_another_image_under_the_versions_tag_is_refused(
    push: Push,
    made: Made,
    host: str,
    registry: ContainerRegistry,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tag = f"{registry.address}/octo/taken:{made[1].digest()}"
    config = tmp_path / "docker"
    login = ("login", "--username", "pusher", "--password-stdin", registry.address)
    docker(host, "--config", str(config), *login, stdin=PASSWORD.encode())
    docker(host, "tag", "assay-tests/base:2", tag)
    docker(host, "--config", str(config), "push", "--quiet", tag)
    assert push("octo/taken") == 2
    assert "holds another version's image" in capsys.readouterr().err
