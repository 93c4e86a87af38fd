"""A local target with a real Envoy and real scoring servers, and a client of it."""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assay.config.delivery import PredictionLog, Serving
from assay.rollout.target import Observation, Route
from assay.rollout.targets.local import Environments, Local, Setup
from assay.rollout.targets.local.programs import Programs

CHECKOUT = Path(__file__).parents[2]
PATIENCE = 60.0


def local_target(folder: Path, *, serving: Serving | None = None, port: int = 0) -> Local:
    """A target in ``folder`` that serves models with the tests' own Python."""
    programs = Programs.of(CHECKOUT, os.environ)
    environments = Environments(
        uv=programs.uv, cache=programs.cache, variables=os.environ, python=Path(sys.executable)
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
    target: Local, *, unit: str | None = None, path: str = "/invocations", **headers: str
) -> Answer:
    """Score one row through the router."""
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
    sent = {"content-type": "application/json", **headers}
    if unit is not None:
        sent["x-assay-unit"] = unit
    try:
        connection.request("POST", path, json.dumps({"instances": [{"a": 1.0}]}), sent)
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
