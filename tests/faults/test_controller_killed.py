"""kill -9 of a controller at every persisted step of a story: the next life ends the same.

The story has a first version, a canary that is promoted, one that is bad and goes back, and a
rollback by hand. Controllers are real processes and kill themselves with SIGKILL; the target is a
stand-in that outlives them and fails the test where traffic is sent to what does not run, or where
a version with traffic is stopped.
"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from support.lives import end_of, live, points_of

LEAST = 30


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
