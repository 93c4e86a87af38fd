"""What the local target survives: each fault is a real one, under real requests."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from assay.rollout.target import Route
from assay.rollout.targets.local.files import replace_json
from assay.rollout.targets.local.names import TYPE
from assay.rollout.targets.local.processes import Program
from support.listening import listening
from support.models import probe_model
from support.serving import (
    Load,
    Stage,
    ask,
    envoy_process,
    go,
    local_target,
    processes,
    ready,
    until,
)
from support.waiting import until as wait_until

pytestmark = [pytest.mark.heavy, pytest.mark.xdist_group("local-faults")]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path, request_seconds=4)
    yield stage
    stage.target.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """For faults that leave both versions running."""
    stage = Stage(tmp_path_factory.mktemp("faults"), request_seconds=4)
    yield stage
    stage.target.close()


def test_thirty_switches_under_load_lose_nothing(shared: Stage) -> None:
    new = shared.new.digest
    withdrawn: list[tuple[float, float]] = []
    shared.share(0)
    with Load(shared.target) as load:
        for number in range(15):
            shared.share(5_000)
            time.sleep(0.1)
            shared.share(0)
            acknowledged = time.monotonic()
            # The promise is for what begins a second later: the last one stays that long.
            time.sleep(1.5 if number == 14 else 0.1)
            withdrawn.append((acknowledged, time.monotonic()))
    assert load.failed == []
    assert any(shot.version == new for shot in load.shots)
    late = [
        shot
        for shot in load.shots
        for begin, end in withdrawn
        if begin + 1 < shot.began < end and shot.version == new
    ]
    assert late == []


def test_a_killed_server_costs_what_was_in_flight_and_is_started_again(shared: Stage) -> None:
    new = shared.new.digest
    folder = shared.target.setup.folder
    shared.share(5_000)
    before = shared.target.observe().backends[new].restarts
    with Load(shared.target) as load:
        time.sleep(0.5)
        (pid,) = processes(folder, new)
        os.kill(pid, signal.SIGKILL)
        time.sleep(1.0)
        seen = until(shared.target, lambda seen: seen.backends[new].restarts == before + 1)
        ready(shared.target, new)
        time.sleep(0.5)
    assert len(load.failed) <= 4, load.failed
    assert load.shots[-1].status == 200
    assert seen.counts[new].errors > 0
    assert seen.counts[shared.good.digest].errors <= len(load.failed)
    assert processes(folder, new) != [pid]


def test_a_server_that_hangs_is_answered_for_and_replaced(shared: Stage) -> None:
    new = shared.new.digest
    folder = shared.target.setup.folder
    shared.share(10_000)
    (pid,) = processes(folder, new)
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    answer = ask(shared.target)
    assert (answer.status, answer.version) == (200, shared.good.digest)
    assert 1.5 < time.monotonic() - began < 4
    until(shared.target, lambda seen: seen.counts.get(new) is not None)
    assert shared.target.observe().counts[new].errors == 1
    until(shared.target, lambda seen: not seen.backends[new].ready)
    until(shared.target, lambda seen: seen.backends[new].ready and processes(folder, new) != [pid])
    assert ask(shared.target).version == new


def test_whoever_takes_a_dead_servers_port_is_not_taken_for_it(stage: Stage) -> None:
    new = stage.new.digest
    folder = stage.target.setup.folder
    stage.share(0)
    settings = json.loads((folder / "versions" / new / "0.settings.json").read_text())
    (pid,) = processes(folder, new)
    os.kill(pid, signal.SIGKILL)
    with _garbage(settings["port"]):
        until(stage.target, lambda seen: not seen.backends[new].ready)
        ready(stage.target, new)
        stage.share(10_000)
        assert {ask(stage.target).version for _ in range(10)} == {new}


class _Garbage(BaseHTTPRequestHandler):
    """Says 200 to everything, and means nothing."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"garbage")

    do_POST = do_GET  # noqa: N815


@contextmanager
def _garbage(port: int) -> Iterator[None]:
    with ExitStack() as stack:

        def taken() -> str:
            with suppress(OSError):
                return stack.enter_context(listening(_Garbage, port))
            return ""

        # The threads of a killed process hold its port a little longer.
        wait_until(taken, f"port {port}", seconds=10, every=0.01)
        yield


def test_a_model_that_raises_is_answered_for_and_counted(shared: Stage, tmp_path: Path) -> None:
    broken = probe_model(tmp_path / "broken", "x", raises=True)
    shared.target.start(broken)
    ready(shared.target, broken.digest)
    shared.generation += 1
    weights = {broken.digest: 10_000}
    go(
        shared.target,
        Route(generation=shared.generation, weights=weights, stable=shared.good.digest),
    )
    answers = [ask(shared.target) for _ in range(10)]
    assert {(a.status, a.version) for a in answers} == {(200, shared.good.digest)}
    seen = until(
        shared.target,
        lambda seen: broken.digest in seen.counts and seen.counts[broken.digest].requests == 10,
    )
    assert seen.counts[broken.digest].errors == 10
    assert shared.good.digest not in seen.counts
    shared.share(0)
    shared.target.stop(broken.digest)
    until(shared.target, lambda seen: broken.digest not in seen.backends)


def test_a_killed_router_comes_back_with_its_route(shared: Stage) -> None:
    generation = shared.share(10_000)
    folder = shared.target.setup.folder
    os.kill(envoy_process(folder), signal.SIGKILL)
    time.sleep(0.1)
    seen = until(shared.target, lambda seen: seen.applied == generation)
    assert seen.router
    ready(shared.target, shared.new.digest)
    assert ask(shared.target).version == shared.new.digest


def test_the_router_keeps_its_route_where_it_cannot_take_a_new_one(shared: Stage) -> None:
    generation = shared.share(10_000)
    file = shared.target.setup.folder / "router" / "dynamic" / "routes.json"
    kept = json.loads(file.read_text())
    broken = {"@type": TYPE + "envoy.config.route.v3.RouteConfiguration", "name": "scoring",
              "virtual_hosts": [{"name": "models"}]}  # fmt: skip
    replace_json(file, {"version_info": str(generation + 1), "resources": [broken]})
    seen = until(shared.target, lambda seen: "refused 1 route files" in seen.detail, patience=10)
    assert seen.applied == generation
    assert ask(shared.target).version == shared.new.digest
    replace_json(file, kept)
    until(shared.target, lambda seen: seen.applied == generation and not seen.detail)


def test_a_restarted_controller_finds_everything_running(shared: Stage) -> None:
    generation = shared.share(5_000)
    folder = shared.target.setup.folder
    for number in range(20):
        ask(shared.target, unit=str(number))
    before = until(shared.target, lambda seen: sum(c.requests for c in seen.counts.values()) == 20)
    running = (sorted(processes(folder)), envoy_process(folder))
    again = local_target(folder, serving=shared.target.setup.serving)
    seen = ready(again, shared.good.digest, shared.new.digest)
    assert (sorted(processes(folder)), envoy_process(folder)) == running
    assert again.port == shared.target.port
    assert (seen.applied, seen.weights) == (generation, before.weights)
    assert seen.counts == before.counts
    assert [backend.restarts for backend in seen.backends.values()] == [
        before.backends[digest].restarts for digest in seen.backends
    ]


def test_a_process_that_is_not_ours_gets_no_signal(tmp_path: Path) -> None:
    """A pid of an earlier life of ours may be anybody's now."""
    with subprocess.Popen(["sleep", "60"]) as stranger:
        stat = Path(f"/proc/{stranger.pid}/stat").read_text().rstrip()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        fields = stat.split(" ")
        fields[21] = str(int(fields[21]) - 1)
        record = tmp_path / "pid"
        record.write_text(" ".join(fields) + "\n" + boot)
        program = Program(record)
        assert not program.alive()
        program.signal(signal.SIGKILL)
        assert stranger.poll() is None
        record.write_text(stat + "\n" + boot)
        assert program.alive()
        record.write_text(stat + "\nanother-boot\n")
        assert not program.alive()
        stranger.terminate()


def test_requests_in_flight_are_finished_before_a_version_ends(
    shared: Stage, tmp_path: Path
) -> None:
    slow = probe_model(tmp_path / "slow", "slow", sleep=1.0)
    shared.target.start(slow)
    ready(shared.target, slow.digest)
    shared.generation += 1
    route = Route(
        generation=shared.generation, weights={slow.digest: 10_000}, stable=shared.good.digest
    )
    go(shared.target, route)
    answers: list[object] = []
    callers = [
        threading.Thread(target=lambda: answers.append(ask(shared.target).version))
        for _ in range(3)
    ]
    for caller in callers:
        caller.start()
    until(shared.target, lambda seen: seen.backends[slow.digest].active == 3)
    shared.share(0)
    shared.target.stop(slow.digest)
    until(shared.target, lambda seen: slow.digest not in seen.backends)
    for caller in callers:
        caller.join()
    assert answers == [slow.digest] * 3


def test_a_shadow_that_is_slow_delays_nobody_and_overflow_is_counted(
    shared: Stage, tmp_path: Path
) -> None:
    slow = probe_model(tmp_path / "shadow", "slow", sleep=0.6)
    shared.target.start(slow)
    ready(shared.target, slow.digest)
    shared.share(0, mirror=(slow.digest, 10_000))
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", shared.target.port, timeout=30)
    for number in range(300):
        headers = {"content-type": "application/json", "x-assay-unit": str(number)}
        connection.request("POST", "/invocations", '{"instances": [{"a": 1.0}]}', headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.getheader("x-assay-version") == shared.good.digest
    connection.close()
    assert time.monotonic() - began < 20
    seen = until(
        shared.target,
        lambda seen: (
            seen.mirror_counts is not None
            and seen.mirror_counts.requests + seen.mirror_dropped == 300
        ),
    )
    assert seen.mirror_counts is not None
    assert seen.mirror_dropped > 0
    assert seen.mirror_counts.slow == seen.mirror_counts.requests == seen.mirror_counts.units
    assert set(seen.counts) == {shared.good.digest}
    shared.share(0)
    shared.target.stop(slow.digest)
    until(shared.target, lambda seen: slow.digest not in seen.backends)
