"""A rollback on a full disk: the way back was written down before, and is one rename."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.errors import OutsideError
from assay.rollout.target import Route
from support.serving import Stage, ask, go, until

pytestmark = pytest.mark.heavy


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A target on a file system of its own; only root can make one."""
    if os.getuid():
        pytest.skip("only root can mount a small file system")
    (tmp_path / "target").mkdir()
    size = ["-o", "size=16m"]
    made = subprocess.run(
        ["mount", "-t", "tmpfs", *size, "tmpfs", str(tmp_path / "target")], check=False
    )
    if made.returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    stage = Stage(tmp_path)
    yield stage
    stage.target.close()
    subprocess.run(["umount", str(tmp_path / "target")], check=True)


def test_the_way_back_needs_no_room(stage: Stage) -> None:
    back = Route(generation=2, weights={stage.good.digest: 10_000}, stable=stage.good.digest)
    stage.target.prepare(back)
    stage.share(5_000)
    folder = stage.target.setup.folder
    _fill(folder / "filler")
    other = Route(generation=3, weights=back.weights, stable=back.stable)
    with pytest.raises(OutsideError, match="Make room on its disk"):
        stage.target.route(other)
    go(stage.target, back)
    assert {ask(stage.target).version for _ in range(20)} == {stage.good.digest}
    (folder / "filler").unlink()
    for _ in range(5):
        ask(stage.target)
    time.sleep(0.3)
    seen = until(stage.target, lambda seen: not seen.detail)
    assert seen.counts[stage.good.digest].errors == 0


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as handle, contextlib.suppress(OSError):
        while True:
            handle.write(b"x" * 4096)
