"""What a kill, a full disk or a corrupted store leaves of a bundle: nothing, or a whole one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assay.errors import InputError, IntegrityError
from assay.packaging.build import package
from assay.packaging.verify import verify_bundle
from support.bundles import (
    PRIVATE,
    REPOSITORY,
    TRUST,
    Made,
    bundle,
    ingredients,
    put_model,
    resigned,
)

ROOT = Path(__file__).resolve().parents[2]
KILLED_WHILE_SIGNING = """
import os, signal
from assay.packaging import signing
signing.sign_with_key = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
"""
NO_ROOM = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
"""


@pytest.fixture
def made(tmp_path: Path) -> Made:
    (tmp_path / "signing.pem").write_bytes(PRIVATE)
    return ingredients(tmp_path)


def assay_package(made: Made, prelude: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, after ``prelude``."""
    words = ["package", "--evidence", "evidence", "--artifact", "model", "--output", "bundle",
             "--signing-key", "signing.pem"]  # fmt: skip
    script = f"{prelude}\nimport sys\nfrom assay.cli.edge import run\nsys.exit(run({words!r}))"
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=made.folder.parent,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "toolkit"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": "/nowhere",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_kill_while_signing_leaves_no_bundle_and_the_next_run_makes_one(made: Made) -> None:
    killed = assay_package(made, KILLED_WHILE_SIGNING)
    assert killed.returncode == -signal.SIGKILL
    assert not made.folder.exists()
    again = assay_package(made, "")
    assert again.returncode == 0, again.stderr
    verify_bundle(made.folder, TRUST, REPOSITORY)


def test_no_room_is_said_and_leaves_nothing(made: Made) -> None:
    before = sorted(path.name for path in made.folder.parent.iterdir())
    refused = assay_package(made, NO_ROOM)
    assert refused.returncode == 3, refused.stderr
    assert "Traceback" not in refused.stderr
    assert sorted(path.name for path in made.folder.parent.iterdir()) == before


def test_a_pipe_among_the_models_files_is_refused_and_not_read(made: Made) -> None:
    os.mkfifo(made.artifact / "pipe")
    with pytest.raises(InputError, match="neither a file nor a folder"):
        package(made.wanted(), lambda *_: None)


@pytest.mark.parametrize("name", ["model/model.skops", "model/MLmodel", "bundle.json", "model.sig"])
@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "gone"])
def test_every_damage_to_every_file_is_found(tmp_path: Path, name: str, damage: str) -> None:
    folder, _ = bundle(tmp_path)
    path = folder / name
    content = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flip":
        content[len(content) // 2] ^= 0x01
        path.write_bytes(content)
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()
    with pytest.raises(IntegrityError):
        verify_bundle(folder, TRUST, REPOSITORY)


@pytest.mark.parametrize(
    "document",
    [
        '{"schema": "assay/bundle/1"}',
        '{"schema": "assay/bundle/2"}',
        "[]",
        '{"a": 1, "a": 1}',
        '{"schema": "assay/bundle/1", "files": [{"file": "../../etc/passwd"}]}',
    ],
)
def test_a_hostile_document_that_is_signed_is_refused(tmp_path: Path, document: str) -> None:
    folder, _ = bundle(tmp_path)
    (folder / "bundle.json").write_text(document)
    resigned(folder)
    with pytest.raises(IntegrityError):
        verify_bundle(folder, TRUST, REPOSITORY)


def test_a_document_of_nested_aliases_costs_nothing(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    bomb = "\n".join(
        [*lines, "flavors: {python_function: {python_version: *a11}}", "mlflow_version: *a11"]
    )
    folder = put_model(tmp_path / "model", signature={})
    (folder / "MLmodel").write_text(f"{bomb}\nsignature: {{inputs: *a11, outputs: *a11}}\n")
    made = ingredients(tmp_path / "made", artifact=folder)
    package(made.wanted(), lambda _, signature: signature.write_text("{}"))
    assert "unknown" in (made.folder / "README.md").read_text()
