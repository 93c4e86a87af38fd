"""The scoring servers of one version: started, looked after, and ended."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.config.delivery import Serving
from assay.rollout.target import Release
from assay.rollout.targets.local.environment import last_words
from assay.rollout.targets.local.files import replace_json
from assay.rollout.targets.local.processes import Launch, Supervised
from assay.rollout.targets.local.tail import LogFiles

HOST = "127.0.0.1"
SERVING = Path(__file__).parents[2] / "serving"
_MAIN = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from serving.server import main; "
    "sys.path.pop(0); main()"
)
HUNG_SECONDS = 10.0
"""A process that was healthy and is not for so long, and for longer than a request may take (which
may hold Python's lock all the while), is ended and started again."""
LONGEST_PAUSE = 30.0
SETTLED_SECONDS = 60.0
"""After so long in health the next restart is at once again."""
KILL_SECONDS = 10.0
"""From SIGTERM to SIGKILL, beyond the time for requests in flight."""
LOG_BYTES = 16 * 1024 * 1024


@dataclass
class Worker:
    """One process of a version. What is not in ``ports`` on the disk is learnt again."""

    program: Supervised
    port: int
    started: float = 0.0
    healthy: float | None = None
    """Since when it is; None while it is not."""
    seen: float = 0.0
    """When it was healthy last."""
    pause: float = 0.0
    """Seconds to wait before the next start."""
    died: float | None = None
    once: bool = False


@dataclass(frozen=True, kw_only=True)
class Means:
    """What workers are started with."""

    folder: Path
    serving: Serving
    variables: Mapping[str, str] = field(repr=False)
    clock: Callable[[], float]
    supervised: Callable[[Path], Supervised]
    """Opens what a record stands for: a process, or a container."""
    listens: str = HOST
    """Where a server listens, as it sees it itself."""


@dataclass
class Workers:
    """All processes of one version."""

    release: Release
    means: Means
    ports: list[int]
    restarts: int = 0
    ready_once: bool = False
    stopping: float | None = None
    """Since when (monotonic clock of this machine) it is to end; None while it serves."""
    terminated: float | None = None
    detail: str = ""
    members: list[Worker] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.members = [
            Worker(program=self.means.supervised(self.folder / f"{number}.pid"), port=port)
            for number, port in enumerate(self.ports)
        ]
        now = self.means.clock()
        for worker in self.members:
            worker.started = worker.seen = now

    @property
    def folder(self) -> Path:
        return self.means.folder / self.release.digest

    @property
    def request_logs(self) -> list[LogFiles]:
        """The request log of each process."""
        names = [f"{number}.requests.jsonl" for number in range(len(self.members))]
        return [LogFiles(current=self.folder / name, rotated=f"{name}.?") for name in names]

    def alive(self) -> bool:
        """Whether any process runs."""
        return any(worker.program.alive() for worker in self.members)

    def tend(self, python: Path, unhealthy: set[int] | None) -> None:
        """Start what does not run, and end what hangs; ``unhealthy`` ports as the router sees them.

        None: the router does not say.
        """
        now = self.means.clock()
        for number, worker in enumerate(self.members):
            if not worker.program.alive():
                self._revive(number, worker, python, now)
            elif unhealthy is not None:
                self._judge(worker, worker.port not in unhealthy, now)
        self._trim_logs()

    def end(self, now: float) -> None:
        """SIGTERM first, SIGKILL when its time is over; call again until nothing is alive."""
        if self.terminated is None:
            self.terminated = now
        patience = self.means.serving.drain_seconds + KILL_SECONDS
        late = now - self.terminated > patience
        for worker in self.members:
            worker.program.signal(signal.SIGKILL if late else signal.SIGTERM)

    def forget(self) -> None:
        """Remove what is left of its processes."""
        for worker in self.members:
            worker.program.forget()

    def _revive(self, number: int, worker: Worker, python: Path, now: float) -> None:
        if worker.died is None:
            worker.died = now
            worker.healthy = None
        if now - worker.died < worker.pause:
            return
        if worker.once:
            self.restarts += 1
            said = last_words(self._log(number))
            self.detail = f"process {number} ended and was started again. It said last: {said}"
        worker.pause = min(LONGEST_PAUSE, max(1.0, worker.pause * 2))
        worker.died, worker.once = None, True
        worker.started = worker.seen = now
        worker.port = self.ports[number] = _usable(worker.port)
        self._start(number, worker, python)

    def _start(self, number: int, worker: Worker, python: Path) -> None:
        settings = self.folder / f"{number}.settings.json"
        self._predictions.mkdir(parents=True, exist_ok=True)
        replace_json(settings, self._settings(number, worker))
        worker.program.start(
            Launch(
                command=[str(python), "-I", "-B", "-c", _MAIN, str(SERVING.parent), str(settings)],
                cwd=self.folder,
                variables=self.means.variables,
                log=self._log(number),
                port=worker.port,
                reads=(SERVING, self.release.folder),
                writes=(self.folder, self._predictions),
            )
        )

    def _judge(self, worker: Worker, healthy: bool, now: float) -> None:
        worker.once = True
        if healthy:
            worker.seen = now
            worker.healthy = now if worker.healthy is None else worker.healthy
            if now - worker.healthy > SETTLED_SECONDS:
                worker.pause = 0.0
            return
        serving = self.means.serving
        hung = max(HUNG_SECONDS, serving.request_seconds)
        patience = hung if worker.healthy is not None else serving.start_seconds
        if now - worker.seen > patience:
            worker.healthy = None
            worker.program.signal(signal.SIGKILL)

    def _settings(self, number: int, worker: Worker) -> dict[str, Any]:
        serving = self.means.serving
        return {
            "version": self.release.digest,
            "model": str(self.release.folder / "model"),
            "server": serving.server,
            "host": self.means.listens,
            "port": worker.port,
            "unit_header": serving.unit_header,
            "request_seconds": serving.request_seconds,
            "drain_seconds": serving.drain_seconds,
            "requests": str(self.request_logs[number].current),
            "predictions": str(self._predictions),
            **serving.log.model_dump(),
        }

    @property
    def _predictions(self) -> Path:
        return self.means.folder.parent / "predictions" / self.release.digest

    def _log(self, number: int) -> Path:
        return self.folder / f"{number}.log"

    def _trim_logs(self) -> None:
        """What a model prints is kept up to a bound; the file is open for appending, so it may."""
        for number in range(len(self.members)):
            log = self._log(number)
            if log.exists() and log.stat().st_size > LOG_BYTES:
                log.write_bytes(b"")

    def record(self) -> dict[str, Any]:
        """What a restarted controller needs to find this again."""
        return {
            "folder": str(self.release.folder),
            "ports": self.ports,
            "restarts": self.restarts,
            "ready_once": self.ready_once,
            "stopping": self.stopping,
            "terminated": self.terminated,
        }


def free_port() -> int:
    """A TCP port of this host that nobody listens on just now."""
    return _usable(0)


def _usable(port: int) -> int:
    """``port`` if it can be listened on, else a free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            probe.bind((HOST, 0))
        found: int = probe.getsockname()[1]
        return found
