"""A router of one's own, for versions to be tried in before any target has them."""

from __future__ import annotations

import time
from collections.abc import Callable

from assay.errors import OutsideError
from assay.rollout.target import WHOLE, Observation, Release, Route
from assay.rollout.targets.local import Local

_ACKNOWLEDGED_SECONDS = 20.0


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

    def _until(self, holds: Callable[[Observation], bool], seconds: float) -> Observation:
        end = time.monotonic() + seconds
        while True:
            seen = self._target.observe()
            if holds(seen) or time.monotonic() > end:
                return seen
            time.sleep(0.05)
