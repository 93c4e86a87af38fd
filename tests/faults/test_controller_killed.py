"""kill -9 of a controller at every persisted step of a story: the next life ends the same.

The story has a first version, a canary that is promoted, one that is bad and goes back, and a
rollback by hand. Controllers are real processes and kill themselves with SIGKILL; the target is a
stand-in that outlives them and fails the test where traffic is sent to what does not run, or where
a version with traffic is stopped.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.lives import end_of, live, points_of
from support.models import probe_model
from support.serving import Load, local_target

pytestmark = pytest.mark.heavy

LEAST = 30
TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The story, told without a kill."""
    folder = tmp_path_factory.mktemp("whole")
    assert live(folder, 0) == 0
    return folder


@pytest.mark.timeout(600)
def test_killed_at_every_point_the_next_life_ends_the_same(whole: Path, tmp_path: Path) -> None:
    points = points_of(whole)
    assert len(points) >= LEAST
    for place, name in enumerate(points, start=1):
        folder = tmp_path / str(place)
        folder.mkdir()
        assert live(folder, place) == -signal.SIGKILL, name
        assert live(folder, 0) == 0, (place, name)
        assert end_of(folder) == end_of(whole), (place, name)


def test_killed_again_and_again_it_still_ends_the_same(whole: Path, tmp_path: Path) -> None:
    lives = 0
    while live(tmp_path, 9 + 5 * lives % 17) == -signal.SIGKILL:
        lives += 1
        assert lives < 100
    assert lives > 5
    assert end_of(tmp_path) == end_of(whole)


@pytest.mark.timeout(600)
def test_killed_thirty_times_under_load_no_request_is_lost(tmp_path: Path) -> None:
    """With a real Envoy and real servers: the routes and drains of a story survive the kills."""
    names = {}
    for name, how in (("one", {}), ("two", {}), ("bad", {"raises": True})):
        release = probe_model(tmp_path / name, name, **how)
        place = tmp_path / "bundles" / release.digest
        place.parent.mkdir(exist_ok=True)
        release.folder.rename(place)
        names[name] = release.digest
    one, two, bad = names["one"], names["two"], names["bad"]
    try:
        first = tell(tmp_path, [("deploy", one)])
        assert first["lives"] == 1
        with Load(local_target(tmp_path / "target"), callers=2, pause=0.02) as load:
            story = [("deploy", one), ("deploy", two), ("rollback", ""), ("deploy", bad)]
            (tmp_path / "die").touch()
            found = tell(tmp_path, story)
    finally:
        local_target(tmp_path / "target").close()
    assert len(found["points"]) >= LEAST, found["points"]
    assert len(set(found["points"])) == len(found["points"])
    assert [kind for kind, _ in found["decisions"]] == [
        *("accepted", "promoted"),
        *("accepted", "stepped", "stepped", "promoted", "rolled-back"),
        *("accepted", "stepped", "rolled-back"),
    ]
    assert load.shots[-1].version == one
    lost = [shot for shot in load.failed if shot.version != bad]
    assert lost == []
    assert len(load.shots) > 200


def tell(folder: Path, story: list[tuple[str, str]]) -> dict[str, Any]:
    (folder / "story.json").write_text(json.dumps(story))
    done = subprocess.run(
        [sys.executable, "-m", "support.lives_local", str(folder)],
        cwd=TESTS,
        env={**os.environ, "PYTHONPATH": f"{TESTS.parent / 'toolkit'}:{TESTS}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
