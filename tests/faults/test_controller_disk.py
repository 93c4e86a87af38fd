"""A full disk in the middle of a rollout: nothing goes forward, going back works, nothing is lost.

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

import pytest

TESTS = Path(__file__).parents[1]
_MOUNT = 'mount -t tmpfs -o size=1m assay "$1" && shift && exec "$@"'


def test_on_a_full_disk_only_the_way_back_works_and_nothing_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
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
        [*inside, sys.executable, "-m", "support.full_disk", str(folder)],
        cwd=TESTS,
        env={**os.environ, "PYTHONPATH": f"{TESTS.parent / 'toolkit'}:{TESTS}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
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
