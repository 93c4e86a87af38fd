"""A full disk in the middle of a rollout, or of a look: nothing is lost, and going back works.

The state lies on a tmpfs of one megabyte in a mount namespace of its own, and the kernel says
ENOSPC. Where no such namespace may be made the test says so; tests/unit/state/test_wal.py has the
log alone against RLIMIT_FSIZE, everywhere.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
_MOUNT = 'mount -t tmpfs -o size=1m assay "$1" && shift && exec "$@"'


def on_a_disk(folder: Path, module: str, *more: str) -> dict[str, Any]:
    """Run a module with a small disk at ``folder``; return the JSON object that it prints."""
    folder.mkdir()
    inside = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        _MOUNT,
        "sh",
        str(folder),
    ]
    probe = subprocess.run([*inside, "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("this machine allows no mount namespace: the disk cannot be filled for real")
    done = subprocess.run(
        [*inside, sys.executable, "-m", module, str(folder), *more],
        cwd=TESTS,
        env={**os.environ, "PYTHONPATH": f"{TESTS.parent / 'toolkit'}:{TESTS}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_look_whose_state_has_no_room_remembers_nothing_and_the_next_one_loses_nothing(
    tmp_path: Path,
) -> None:
    found = on_a_disk(tmp_path / "disk", "support.full_disk_look", str(tmp_path))
    failed = [text for text in found["said"] if text != "looked"]
    assert found["said"][0] in failed, "nothing was left"
    for text in failed:
        assert "No space left" in text or "could not go on" in text, text
        assert "space" in text
    assert found["same"]
    assert found["moved"]


def test_on_a_full_disk_only_the_way_back_works_and_nothing_is_lost(tmp_path: Path) -> None:
    found = on_a_disk(tmp_path / "disk", "support.full_disk")
    one, two = "1" * 64, "2" * 64
    assert found["errno"] == "ENOSPC"
    assert found["canary"] == {one: 9_000, two: 1_000}
    assert "disk is full" in found["trouble"][0]
    assert found["held"] == found["canary"], "a full disk let a rollout go on"
    assert found["back"] == {one: 10_000}
    assert found["kind"] == "rolled-back"
    assert found["unwritten"] > 0
    assert found["again"] == ["rolled-back", {one: 10_000}]
    assert found["chain"]
    assert "barred" in found["last"]
