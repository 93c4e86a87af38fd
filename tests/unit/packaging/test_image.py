"""The image's recipe: pinned, labelled, nobody's root; and a real engine builds it (heavy)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.errors import InputError, OutsideError
from assay.packaging.bundle import Bundle
from assay.packaging.image import Recipe, build, dockerfile, labels, write_context
from support.bundles import bundle
from support.container_registry import base_with_pip
from support.docker_engine import docker, engine

BASE = "python@sha256:" + "a" * 64
LOCK = "uvicorn==0.54.0 --hash=sha256:" + "b" * 64 + "\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Bundle]:
    return bundle(tmp_path_factory.mktemp("bundle"))


def recipe(folder: Path, *, base: str = BASE, lock: str = LOCK) -> Recipe:
    (folder / "serving").mkdir()
    (folder / "serving/__init__.py").write_text("")
    (folder / "serving/server.py").write_text("def main():\n    print('serving')\n")
    (folder / "serving/notes.txt").write_text("no script")
    (folder / "lock.txt").write_text(lock)
    return Recipe(
        base=base, lock=folder / "lock.txt", server=folder / "serving", needs=("uvicorn",)
    )


def test_the_dockerfile_pins_labels_and_drops_root(made: tuple[Path, Bundle]) -> None:
    lines = dockerfile(made[1], BASE).splitlines()
    assert lines[0] == f"FROM {BASE}"
    assert lines.index("USER 10001:10001") < len(lines) - 1
    assert '"--require-hashes"' in next(line for line in lines if line.startswith("RUN"))
    digest = made[1].digest()
    assert f'LABEL "ml.assay.artifact-digest"="{digest}"' in lines
    assert any(f"ASSAY_ARTIFACT_DIGEST={digest}" in line for line in lines)
    # The bundle comes after the packages: another model keeps their layer.
    assert lines.index("COPY bundle /bundle") > lines.index("COPY serving /opt/assay/serving")


def test_labels_carry_the_lineage(made: tuple[Path, Bundle]) -> None:
    found = labels(made[1], BASE)
    assert found["org.opencontainers.image.source"] == "https://github.com/octo/churn"
    assert found["org.opencontainers.image.version"] == "1" * 40
    assert found["org.opencontainers.image.base.name"] == "python"


@pytest.mark.parametrize(
    "base",
    ["python:3.11", "python", "python@sha256:abc", f"x y@sha256:{'a' * 64}", f"{BASE}\nRUN x"],
)
def test_a_base_that_is_not_pinned_is_refused(made: tuple[Path, Bundle], base: str) -> None:
    with pytest.raises(InputError, match="by digest"):
        dockerfile(made[1], base)


@pytest.mark.parametrize(
    ("lock", "words"),
    [
        ("uvicorn>=0.5\n", "does not pin uvicorn"),
        ("uvicorn==0.54.0\n", "does not pin uvicorn"),
        ("numpy==2 --hash=sha256:" + "b" * 64, "lacks what the server imports: uvicorn"),
    ],
)
def test_a_lock_that_does_not_pin_or_lacks_the_server(
    made: tuple[Path, Bundle], tmp_path: Path, lock: str, words: str
) -> None:
    with pytest.raises(InputError, match=words) as refused:
        write_context(made[1], made[0], recipe(tmp_path, lock=lock), tmp_path / "context")
    assert "uv pip compile" in str(refused.value)


def test_a_context_is_whole_readable_and_the_same_each_time(
    made: tuple[Path, Bundle], tmp_path: Path
) -> None:
    context = write_context(made[1], made[0], recipe(tmp_path), tmp_path / "context")
    names = {path.relative_to(context).as_posix() for path in context.rglob("*")}
    assert {"Dockerfile", "requirements.txt", "bundle/bundle.json", "serving/server.py"} <= names
    assert "serving/notes.txt" not in names
    assert {path.stat().st_mtime for path in context.rglob("*")} == {0}
    assert (context / "bundle/model.sig").stat().st_mode & 0o777 == 0o644
    with pytest.raises(InputError, match="something already"):
        write_context(made[1], made[0], recipe_again(tmp_path), tmp_path / "context")


def recipe_again(folder: Path) -> Recipe:
    return Recipe(
        base=BASE, lock=folder / "lock.txt", server=folder / "serving", needs=("uvicorn",)
    )


def test_without_docker_the_context_is_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OutsideError, match="no docker program"):
        build(tmp_path, "churn:1")
    with pytest.raises(InputError, match="no image name"):
        build(tmp_path, "--push")


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    with engine(0) as found:
        base_with_pip(found)
        yield found


@pytest.mark.heavy
@pytest.mark.xdist_group("docker")
def test_an_engine_builds_it_and_it_runs_as_nobody_on_a_read_only_root(
    made: tuple[Path, Bundle], tmp_path: Path, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    base = docker(host, "image", "inspect", "--format", "{{.Id}}", "assay-tests/base:2")
    context = write_context(made[1], made[0], recipe(tmp_path, base=base), tmp_path / "context")
    image = build(context, "assay-tests/churn:1")
    (found,) = json.loads(docker(host, "image", "inspect", image))
    assert found["Config"]["User"] == "10001:10001"
    assert found["Config"]["Labels"]["ml.assay.artifact-digest"] == made[1].digest()
    run = ["run", "--rm", "--network", "none", "--read-only"]
    assert docker(host, *run, image) == "serving"
    script = (
        "import hashlib, os; data = open('/bundle/bundle.json', 'rb').read(); "
        "print(os.getuid(), hashlib.sha256(data).hexdigest())"
    )
    printed = docker(host, *run, "--entrypoint", "python", image, "-c", script)
    digest = hashlib.sha256((made[0] / "bundle.json").read_bytes()).hexdigest()
    assert printed == f"10001 {digest}"
    asked = docker(
        host, *run, "--entrypoint", "python", image, "-c", "print(open('/asked').read())"
    )
    assert "--require-hashes" in asked
