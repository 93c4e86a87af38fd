"""Run one or two versions behind one router, for a while, and see."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.errors import OutsideError
from assay.evidence import LoadTest
from assay.evidence.load import LoadMargins, LoadRound, LoadSide
from assay.rollout.staging import judged
from assay.rollout.target import WHOLE, Observation, Release, Route
from assay.rollout.targets.local import Local
from assay.rollout.trial.callers import Caller, Fired, fire
from assay.rollout.trial.smoke import expected_of, problems, request_of, rows_in

_ACKNOWLEDGED_SECONDS = 20.0
_MODEL = "model"


@dataclass(frozen=True, kw_only=True)
class Load:
    """Rounds by turns: ``rate`` requests a second for ``seconds`` to each version."""

    rounds: int = 8
    rate: float = 50.0
    seconds: float = 3.0


class Trial:
    """A local target of its own, for versions to be tried in; generations only grow."""

    def __init__(self, target: Local, *, start_seconds: float) -> None:
        self._target, self._start_seconds, self._generation = target, start_seconds, 0

    @property
    def address(self) -> str:
        """Where the router listens."""
        return f"http://{self._target.setup.host}:{self._target.port}"

    def start(self, *releases: Release) -> None:
        """Start versions; raises OutsideError where one is not ready in time, saying why."""
        for release in releases:
            self._target.start(release)
        wanted = [release.digest for release in releases]

        def ready(seen: Observation) -> bool:
            return all(d in seen.backends and seen.backends[d].ready for d in wanted)

        seen = self._until(ready, self._start_seconds)
        for digest in wanted:
            backend = seen.backends.get(digest)
            if backend is None or not backend.ready:
                why = backend.detail if backend else seen.detail
                raise OutsideError(
                    f"version {digest[:12]} does not answer its health check within "
                    f"{self._start_seconds:.0f} s: {why or 'no reason is known'}.",
                    remedy="Its log lies in the folder of the trial.",
                )

    def switch(self, digest: str) -> None:
        """Send everything to one version."""
        self._generation += 1
        route = Route(generation=self._generation, weights={digest: WHOLE}, stable=digest)
        self._target.route(route)
        seen = self._until(lambda found: found.applied == route.generation, _ACKNOWLEDGED_SECONDS)
        if seen.applied != route.generation:
            raise OutsideError(f"the router did not take the route in time: {seen.detail}")

    def smoke(self, release: Release) -> tuple[str, ...]:
        """Try a version with its own example; say what is wrong."""
        model = release.folder / _MODEL
        request = request_of(model)
        self.switch(release.digest)
        caller = Caller(self._target.setup.host, self._target.port)
        reply = caller.ask(request)
        caller.close()
        return problems(
            reply, digest=release.digest, rows=rows_in(request), expected=expected_of(model)
        )

    def load(
        self, new: Release, serving: Release, load: Load, margins: LoadMargins | None = None
    ) -> LoadTest:
        """Fire at both by turns, each round beginning with the other one, and judge."""
        request = request_of(new.folder / _MODEL)
        rounds = []
        for number in range(load.rounds):
            pair = [new, serving] if number % 2 else [serving, new]
            sides = {version.digest: self._side(version, request, load) for version in pair}
            rounds.append(LoadRound(serving=sides[serving.digest], new=sides[new.digest]))
        return judged(
            LoadTest(
                serving=serving.digest,
                new=new.digest,
                rounds=tuple(rounds),
                margins=margins or LoadMargins(),
            )
        )

    def _side(self, version: Release, request: bytes, load: Load) -> LoadSide:
        self.switch(version.digest)
        host, port = self._target.setup.host, self._target.port
        done = fire(host, port, request, rate=load.rate, seconds=load.seconds)
        if not done.latencies:
            raise OutsideError(
                f"version {version.digest[:12]} answered none of {done.requests:,} requests."
            )
        return side_of(done, memory=memory_of(self._target.processes(version.digest)))

    def _until(self, holds: Callable[[Observation], bool], seconds: float) -> Observation:
        end = time.monotonic() + seconds
        while True:
            seen = self._target.observe()
            if holds(seen) or time.monotonic() > end:
                return seen
            time.sleep(0.05)


def side_of(done: Fired, *, memory: float | None) -> LoadSide:
    """Sum one version's part of a round up."""
    p50, p95, p99 = np.percentile(done.latencies, [50, 95, 99]) * 1000
    return LoadSide(
        requests=done.requests,
        errors=done.errors,
        throughput=len(done.latencies) / done.seconds,
        p50=float(p50),
        p95=float(p95),
        p99=float(p99),
        memory=memory,
    )


def memory_of(sessions: tuple[int, ...]) -> float | None:
    """Return the resident bytes of all processes in the sessions of these leaders."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(words[3]) in sessions:
                total += int((folder / "statm").read_text().split()[1])
        except (OSError, ValueError, IndexError):
            continue
    return float(total * resource.getpagesize()) if total else None
