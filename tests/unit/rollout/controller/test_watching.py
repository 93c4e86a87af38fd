"""Looks beside the traffic: children of the lowest priority that hold nothing up."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from assay.errors import OutsideError
from assay.rollout.controller.logs import Log
from assay.rollout.controller.service import Service
from assay.rollout.controller.watching import LOG, Looking, Watching
from support.controllers import PLACE, V1, V2
from support.fake_target import FakeTarget
from support.services import Hosted
from support.waiting import until
from support.watching import look, problem

PATIENCE = 60.0


def program(text: str) -> Callable[[str | None], tuple[str, ...]]:
    """A child that runs a program of Python; its first argument is what serves."""
    return lambda serving: (sys.executable, "-c", text, serving or "nothing")


def looking(folder: Path, text: str, **fields: object) -> Looking:
    known = {"every": 3600.0, "environ": dict(os.environ), "telling_environ": dict(os.environ)}
    return Looking(
        **{"command": program(text), "folder": folder / "looks", "model": PLACE.model}
        | known
        | fields  # type: ignore[arg-type]
    )


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def watching(made: Looking, clock: Clock | None = None) -> Watching:
    return Watching(made, serving=lambda: V1, running=clock or Clock(), log=Log())


WRITES = "import shutil, sys; shutil.copytree({source!r}, {to!r}, dirs_exist_ok=True)"


def writes(folder: Path) -> str:
    """A child that takes a look with one problem."""
    source = folder / "source"
    look(problem()).write(source)
    return WRITES.format(source=str(source), to=str(folder / "looks" / PLACE.model))


def test_a_look_is_taken_each_window_and_its_findings_are_kept(tmp_path: Path) -> None:
    clock = Clock()
    made = watching(looking(tmp_path, writes(tmp_path)), clock)
    assert made.found is None
    made.work()
    assert made.found is not None
    assert made.found["state"] == "fail"
    assert [one["key"] for one in made.found["problems"]] == ["quality:f1"]
    file = tmp_path / "looks" / PLACE.model / "monitor.json"
    first = file.stat().st_mtime_ns
    clock.now = 3599.0
    made.work()
    assert file.stat().st_mtime_ns == first
    file.unlink()
    clock.now = 3601.0
    made.work()
    assert file.is_file()
    assert watching(looking(tmp_path, "pass")).found == made.found


def test_a_child_goes_last(tmp_path: Path) -> None:
    text = (
        "import os, sys; open({to!r}, 'w').write(' '.join([str(os.getpriority(os.PRIO_PROCESS, 0)),"
        " open('/proc/self/oom_score_adj').read().strip(), sys.argv[1]]))"
    ).format(to=str(tmp_path / "seen"))
    slow = "import time; time.sleep(0.5); " + text
    watching(looking(tmp_path, slow)).work()
    assert (tmp_path / "seen").read_text() == f"19 1000 {V1}"


def test_a_look_that_fails_says_why_and_is_tried_again(tmp_path: Path) -> None:
    clock = Clock()
    made = watching(looking(tmp_path, "import sys; sys.exit('the bucket is down')"), clock)
    for now in (0.0, 10.0, 599.0):
        clock.now = now
        with pytest.raises(OutsideError, match="ended with 1: the bucket is down"):
            made.work()
    (tmp_path / "looks" / LOG).unlink()
    clock.now = 601.0
    with pytest.raises(OutsideError):
        made.work()
    assert (tmp_path / "looks" / LOG).is_file()


def test_what_could_not_be_told_is_told_again_and_not_looked_at_again(tmp_path: Path) -> None:
    counts = "p = {to!r}; open(p, 'a').write('x'); import os, sys; "
    tell = counts.format(to=str(tmp_path / "told")) + (
        f"sys.exit(0 if os.path.exists({str(tmp_path / 'up')!r}) else 'away')"
    )
    sees = counts.format(to=str(tmp_path / "looked"))
    made = watching(looking(tmp_path, sees, tell=(sys.executable, "-c", tell, "notify")))
    for _ in range(2):
        with pytest.raises(OutsideError, match="assay notify ended with 1: away"):
            made.work()
    (tmp_path / "up").touch()
    made.work()
    made.work()
    assert (tmp_path / "told").read_text() == "xxx"
    assert (tmp_path / "looked").read_text() == "x"


def test_a_child_is_ended_with_its_controller(tmp_path: Path) -> None:
    pid = str(tmp_path / "pid")
    text = f"import os, time; open({pid!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    made = watching(looking(tmp_path, text))
    thread = threading.Thread(target=made.work)
    thread.start()
    until(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()), "no child")
    made.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    made.work()
    assert made.found is None


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[Hosted]:
    with ExitStack() as stack:
        made = Hosted(tmp_path, stack, FakeTarget())
        made.service.close()
        yield made


def running(hosted: Hosted, made: Looking) -> tuple[Service, threading.Event, threading.Thread]:
    """A service in a thread of its own, that takes looks."""
    setup = replace(hosted.service.setup, looking=made, interval=0.05, poll=0.1)
    service = hosted.service = Service(setup)
    stop = threading.Event()
    thread = threading.Thread(target=service.run, args=(stop,))
    thread.start()
    return service, stop, thread


def test_a_look_that_burns_every_processor_delays_no_rollout_and_no_rollback(
    hosted: Hosted, tmp_path: Path
) -> None:
    """The child never ends by itself; a version is promoted and taken back meanwhile."""
    burn = (
        f"import os; open({str(tmp_path / 'began')!r}, 'w').close()\n"
        "for _ in range(os.cpu_count() or 1): os.fork() or None\n"
        "while True: pass"
    )
    service, stop, thread = running(hosted, looking(tmp_path, burn))
    try:
        until((tmp_path / "began").exists, "the look did not begin")
        for digest in (V1, V2):
            hosted.send("deploy", digest)
            until(lambda digest=digest: stable(service) == digest, f"{digest[:4]} is not promoted")
        hosted.send("rollback")
        until(lambda: stable(service) == V1, "it was not taken back")
        assert service.status()["age"] < PATIENCE
        assert "looks" not in service.status()["trouble"]
        assert service.status()["look"] is None
    finally:
        stop.set()
        thread.join(PATIENCE)
    assert not thread.is_alive()


def stable(service: Service) -> str | None:
    found: str | None = service.status()["stable"]
    return found


def test_status_tells_what_a_look_found_and_what_stands_in_its_way(
    hosted: Hosted, tmp_path: Path
) -> None:
    service, stop, thread = running(hosted, looking(tmp_path, writes(tmp_path)))
    try:
        until(lambda: service.status()["look"] is not None, "no look was taken")
        assert service.status()["look"]["problems"][0]["key"] == "quality:f1"
    finally:
        stop.set()
        thread.join(PATIENCE)
    failing = looking(tmp_path, "import sys; sys.exit('another monitor is looking')")
    service, stop, thread = running(hosted, failing)
    try:
        until(lambda: "looks" in service.status()["trouble"], "the trouble is not said")
        assert "another monitor is looking" in service.status()["trouble"]["looks"]
        assert service.status()["look"]["state"] == "fail"
    finally:
        stop.set()
        thread.join(PATIENCE)
