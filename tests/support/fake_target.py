"""A target in memory, or in a file that outlives a killed controller, as Envoy would.

Versions are ready at once and answer a fixed number of requests between two looks, split by the
weights that are applied. Nothing here decides anything.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from assay.errors import InputError, OutsideError
from assay.rollout.target import WHOLE, Backend, Counts, Observation, Release, Route


class FakeTarget:
    """``file`` keeps what a real target's processes would; ``requests`` answered a look."""

    def __init__(
        self, file: Path | None = None, *, requests: int = 1000, bad: tuple[str, ...] = ()
    ) -> None:
        self._file, self._requests, self._bad = file, requests, bad
        self._facts: dict[str, Any] = {"running": [], "route": None, "applied": 0, "counts": {}}
        if file is not None and file.exists():
            self._facts = json.loads(file.read_text())
        self.prepared: Route | None = None
        self.away = False
        self.acknowledges = True
        self.calls: list[str] = []
        self.images: dict[str, str | None] = {}
        """What each version was last started with."""

    @property
    def weights(self) -> dict[str, int]:
        route = self._facts["route"]
        return {} if route is None else dict(route["weights"])

    @property
    def applied(self) -> int:
        return int(self._facts["applied"])

    @property
    def running(self) -> list[str]:
        return list(self._facts["running"])

    def start(self, release: Release) -> None:
        self._reach(f"start {release.digest[:4]}")
        assert release.folder.is_dir()
        self.images[release.digest] = release.image
        if release.digest not in self._facts["running"]:
            self._facts["running"].append(release.digest)
        self._keep()

    def stop(self, digest: str) -> None:
        self._reach(f"stop {digest[:4]}")
        assert self.weights.get(digest, 0) == 0, "a version with traffic was stopped"
        if digest in self._facts["running"]:
            self._facts["running"].remove(digest)
        self._keep()

    def prepare(self, route: Route) -> None:
        self._reach(f"prepare {route.generation}")
        self.prepared = route

    def route(self, route: Route) -> None:
        self._reach(f"route {route.generation}")
        if route.generation < self.applied:
            raise InputError(f"generation {self.applied} is applied already.")
        if route.generation > self.applied:
            for digest, weight in route.weights.items():
                assert weight == 0 or digest in self._facts["running"], "traffic to nothing"
            self._facts.update(
                applied=route.generation,
                route={"weights": route.weights, "mirror": route.mirror},
                counts={},
            )
        self._keep()

    def observe(self) -> Observation:
        self._reach("observe")
        counts: dict[str, dict[str, int]] = self._facts["counts"]
        for digest, weight in self.weights.items():
            served = counts.setdefault(digest, {"requests": 0, "errors": 0, "units": 0})
            more = self._requests * weight // WHOLE
            served["requests"] += more
            served["units"] += more
            served["errors"] += more // 2 if digest in self._bad else 0
        mirror = None if self._facts["route"] is None else self._facts["route"]["mirror"]
        self._keep()
        return Observation(
            applied=self.applied if self.acknowledges else 0,
            weights=self.weights,
            backends={digest: Backend(ready=True) for digest in self.running},
            counts={digest: Counts(**facts) for digest, facts in counts.items()},
            mirror_counts=None if mirror is None else Counts(requests=self._requests),
        )

    def _reach(self, call: str) -> None:
        if self.away:
            raise OutsideError("the target does not answer.")
        self.calls.append(call)

    def _keep(self) -> None:
        if self._file is not None:
            fresh = self._file.with_suffix(".new")
            fresh.write_text(json.dumps(self._facts))
            fresh.replace(self._file)
