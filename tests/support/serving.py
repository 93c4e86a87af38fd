"""A local target with a real Envoy and real scoring servers, and a client of it."""

from __future__ import annotations

import http.client
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from assay.config.delivery import PredictionLog, Serving
from assay.rollout.target import Observation, Route
from assay.rollout.targets.local import Environments, Local, Setup
from assay.rollout.targets.local.programs import Programs
from support.models import probe_model

CHECKOUT = Path(__file__).parents[2]
PATIENCE = 60.0
ONE_ROW = {"instances": [{"a": 1.0}]}


def local_target(
    folder: Path,
    *,
    serving: Serving | None = None,
    port: int = 0,
    python: Path | None = Path(sys.executable),
) -> Local:
    """A target in ``folder`` that serves models with the tests' own Python, or one built by uv."""
    programs = Programs.of(CHECKOUT, os.environ)
    environments = Environments(
        uv=programs.uv, cache=programs.cache, variables=os.environ, python=python
    )
    return Local(
        Setup(
            folder=folder,
            host="127.0.0.1",
            port=port,
            serving=serving or Serving(log=PredictionLog(seconds=1)),
            latency_ms=500,
            envoy=programs.envoy(),
            environments=environments,
            environ=os.environ,
        )
    )


@dataclass(frozen=True)
class Answer:
    """What a caller got."""

    status: int
    version: str | None
    body: bytes
    request_id: str | None = None


def ask(
    target: Local,
    *,
    unit: str | None = None,
    path: str = "/invocations",
    body: object = None,
    **headers: str,
) -> Answer:
    """Score one row through the router."""
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
    sent = {"content-type": "application/json", **headers}
    if unit is not None:
        sent["x-assay-unit"] = unit
    try:
        connection.request("POST", path, json.dumps(body or ONE_ROW), sent)
        answer = connection.getresponse()
        return Answer(
            status=answer.status,
            version=answer.getheader("x-assay-version"),
            body=answer.read(),
            request_id=answer.getheader("x-request-id"),
        )
    finally:
        connection.close()


def until(
    target: Local, holds: Callable[[Observation], bool], *, patience: float = PATIENCE
) -> Observation:
    """Observe until ``holds``; AssertionError with the last observation where it never does."""
    deadline = time.monotonic() + patience
    while True:
        seen = target.observe()
        if holds(seen):
            return seen
        assert time.monotonic() < deadline, seen
        time.sleep(0.03)


def ready(target: Local, *digests: str) -> Observation:
    """Wait until these versions can take requests."""
    return until(
        target,
        lambda seen: all(d in seen.backends and seen.backends[d].ready for d in digests),
    )


def go(target: Local, route: Route) -> Observation:
    """Route, and wait until the router runs it."""
    target.route(route)
    return until(target, lambda seen: seen.applied == route.generation, patience=10)


class Stage:
    """Two versions that run, and route generations that only grow."""

    def __init__(self, folder: Path, **serving: object) -> None:
        wanted = Serving(log=PredictionLog(seconds=1), **serving)
        self.target = local_target(folder / "target", serving=wanted)
        self.good = probe_model(folder / "good", "good")
        self.new = probe_model(folder / "new", "new")
        self.generation = 0
        for release in (self.good, self.new):
            self.target.start(release)
        ready(self.target, self.good.digest, self.new.digest)

    def share(self, new: int, **how: object) -> int:
        """Give the new version ``new`` ten-thousandths; return the generation."""
        self.generation += 1
        weights = {self.new.digest: new, self.good.digest: 10_000 - new}
        route = Route(generation=self.generation, weights=weights, stable=self.good.digest, **how)
        go(self.target, route)
        return self.generation


@dataclass(frozen=True)
class Shot:
    """One request of a load: when it began (monotonic), and what came of it; status 0: nothing."""

    began: float
    status: int
    version: str | None


class Load:
    """Callers that ask one after the other until the block ends; their answers are ``shots``."""

    def __init__(self, target: Local, *, callers: int = 4, pause: float = 0.005) -> None:
        self.target = target
        self.pause = pause
        self.shots: list[Shot] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(callers)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def failed(self) -> list[Shot]:
        """What was not answered by a model."""
        return [shot for shot in self.shots if shot.status != 200]

    def _run(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.target.port, timeout=30)
        body = json.dumps(ONE_ROW)
        asked = 0
        while not self._stop.is_set():
            asked += 1
            unit = f"{number}-{asked % 50}"
            began = time.monotonic()
            try:
                headers = {"content-type": "application/json", "x-assay-unit": unit}
                connection.request("POST", "/invocations", body, headers)
                answer = connection.getresponse()
                answer.read()
                version = answer.getheader("x-assay-version")
                self.shots.append(Shot(began, answer.status, version))
            except (OSError, http.client.HTTPException):
                self.shots.append(Shot(began, 0, None))
                connection.close()
            time.sleep(self.pause)
        connection.close()


def processes(folder: Path, digest: str = "") -> list[int]:
    """The ids of the scoring servers of a target (of one version) that run."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            line = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            state = (place / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if f"{folder}/versions/{digest}" in line and "settings.json" in line and state != "Z":
            found.append(int(place.name))
    return found


def envoy_process(folder: Path) -> int:
    """The id of the Envoy of a target."""
    return int((folder / "router" / "envoy.pid").read_text().split()[0])
