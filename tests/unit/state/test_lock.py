"""One controller at a time, by real processes; and an epoch that only goes up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.errors import IntegrityError
from assay.state import Held, holder_in, is_held, take

HOLDING = """
import sys, time
from pathlib import Path
from assay.state import take
lock = take(Path(sys.argv[1]), role="controller", since="2026-11-01T12:00:00Z")
print(lock.epoch, flush=True)
time.sleep(600)
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert process.stdout is not None
    process.epoch = int(process.stdout.readline())  # type: ignore[attr-defined]
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_a_second_controller_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    first = holder(tmp_path)
    try:
        assert is_held(tmp_path)
        says = rf"by controller, process {first.pid}, since 2026-11-01T12:00:00Z"
        with pytest.raises(Held, match=says):
            take(tmp_path, role="watchdog", since="now")
        assert holder_in(tmp_path).pid == first.pid
    finally:
        end(first)


def test_a_killed_holder_lets_go_and_the_epoch_goes_up(tmp_path: Path) -> None:
    first = holder(tmp_path)
    end(first)
    assert not is_held(tmp_path)
    lock = take(tmp_path, role="watchdog", since="now")
    assert lock.epoch == first.epoch + 1 == 2  # type: ignore[attr-defined]
    assert holder_in(tmp_path).role == "watchdog"
    lock.release()
    assert not is_held(tmp_path)


def test_the_epoch_is_above_what_the_journal_has_seen(tmp_path: Path) -> None:
    lock = take(tmp_path, role="controller", since="now")
    lock.raise_above(7)
    assert lock.epoch == 8
    assert lock.still_ours()
    lock.release()


def test_a_process_that_was_overtaken_can_see_it(tmp_path: Path) -> None:
    lock = take(tmp_path, role="controller", since="now")
    assert lock.still_ours()
    (tmp_path / "epoch").write_text("9\n")
    assert not lock.still_ours()
    lock.release()
    assert not lock.still_ours()


def test_an_epoch_that_is_no_number_is_refused(tmp_path: Path) -> None:
    (tmp_path / "epoch").write_text("many")
    with pytest.raises(IntegrityError, match="no number"):
        take(tmp_path, role="controller", since="now")
    assert not is_held(tmp_path)


def test_a_new_folder_is_held_by_nobody(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "new")
    assert holder_in(tmp_path / "new").pid is None
