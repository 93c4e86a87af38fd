"""The local target: one Envoy in front of the scoring servers of each version."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

from assay.errors import InputError, OutsideError
from assay.rollout.target import Backend, Observation, Release, Route
from assay.rollout.targets.local.admin import Snapshot
from assay.rollout.targets.local.bootstrap import Place
from assay.rollout.targets.local.clusters import Endpoints, cluster_name
from assay.rollout.targets.local.counts import Ledger, routed
from assay.rollout.targets.local.files import read_json, replace_json
from assay.rollout.targets.local.processes import Program
from assay.rollout.targets.local.router import Router
from assay.rollout.targets.local.setup import Setup
from assay.rollout.targets.local.shadow import Shadow
from assay.rollout.targets.local.workers import HOST, Means, Workers, free_port

_PASSED_ON = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ")
"""Of the controller's environment, to a model: none of its credentials."""
_SETTLE_SECONDS = 0.25
"""Envoy's threads take a new route some ten milliseconds after it says that it has it."""


class Local:
    """Implements :class:`assay.rollout.target.Target`. One object at a time may use a folder.

    ``observe`` also looks after what runs: it starts again what died and goes on with what stops.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self._lock = threading.RLock()
        self._trouble = ""
        setup.folder.mkdir(parents=True, exist_ok=True)
        self._state = setup.folder / "state.json"
        state = read_json(self._state) or {}
        variables = {name: setup.environ[name] for name in _PASSED_ON if name in setup.environ}
        self._means = Means(
            folder=setup.folder / "versions",
            serving=setup.serving,
            variables=variables,
            clock=setup.clock,
            supervised=setup.supervised,
            listens=setup.listens,
        )
        self.port: int = setup.port or state.get("port") or free_port()
        router = setup.folder / "router"
        Place(folder=router).dynamic.mkdir(parents=True, exist_ok=True)
        self._router = Router(
            place=Place(folder=router),
            program=setup.envoy,
            host=setup.host,
            port=self.port,
            serving=setup.serving,
            variables=variables,
            process=Program(router / "envoy.pid"),
            clock=setup.clock,
            metrics_port=setup.metrics_port,
        )
        self._ledger = Ledger(
            setup.folder / "counts",
            self._router.access_log,
            reads=routed,
            slow_ms=setup.latency_ms,
        )
        self._shadow = Shadow(setup.folder / "shadow", setup.latency_ms)
        self._versions = {
            digest: Workers(
                release=Release(digest=digest, folder=Path(kept.pop("folder"))),
                means=self._means,
                **kept,
            )
            for digest, kept in state.get("versions", {}).items()
        }

    def start(self, release: Release) -> None:
        """Begin to run a version; what it needs is built first, in the background."""
        with self._lock:
            known = self._versions.get(release.digest)
            if known is None:
                ports = [free_port() for _ in range(self.setup.serving.workers)]
                known = Workers(release=release, means=self._means, ports=ports)
                self._versions[release.digest] = known
            elif known.terminated is not None:
                raise OutsideError(f"{release.digest[:12]} is ending. Start it when it has ended.")
            known.stopping = None
            self._save()
            self._put_endpoints(known)
            self._router.put_clusters(self._versions)
            self._tend(self._router.snapshot())

    def stop(self, digest: str) -> None:
        """Let a version without traffic finish, then end it; ``observe`` goes on with it."""
        with self._lock:
            known = self._versions.get(digest)
            if known is None:
                return
            route = self._router.route()
            if route is not None and digest in _used(route):
                raise InputError(
                    f"{digest[:12]} has a part in the route of generation {route.generation}.",
                    remedy="Route without it first.",
                )
            if known.stopping is None:
                known.stopping = self.setup.clock()
                self._save()

    def route(self, route: Route) -> None:
        """Ask for a route; see :class:`Route`. Refused: an older generation, unready versions."""
        with self._lock:
            current = self._router.route()
            if current is not None and route.generation <= current.generation:
                if route == current:
                    return
                raise InputError(
                    f"a route of generation {route.generation} is not newer than "
                    f"{current.generation}, which was asked for already."
                )
            for digest in sorted(_used(route)):
                self._check(digest)
            self._router.put_route(route)

    def prepare(self, route: Route) -> None:
        """Write ``route`` down aside, so that asking for it later is one rename."""
        with self._lock:
            self._router.prepare(route)

    def observe(self) -> Observation:
        """Look after what runs, then say what is so."""
        with self._lock:
            trouble = ""
            try:
                self._router.tend()
            except OutsideError as error:
                trouble = str(error)
            snapshot = self._router.snapshot()
            self._tend(snapshot)
            if snapshot is None:
                return Observation(
                    applied=0,
                    weights={},
                    backends=self._backends(None),
                    router=False,
                    detail=trouble or self._router.trouble(),
                )
            return self._observation(snapshot)

    def processes(self, digest: str) -> tuple[int, ...]:
        """Return the ids of a version's processes, each a session's leader; no container's."""
        with self._lock:
            known = self._versions.get(digest)
            found = [worker.program for worker in known.members] if known else []
        return tuple(one.pid for one in found if isinstance(one, Program) and one.pid)

    def close(self, *, patience: float = 60.0) -> None:
        """End everything: the target is taken down, and nothing is served after."""
        with self._lock:
            self._router.stop()
            deadline = time.monotonic() + patience
            for workers in self._versions.values():
                workers.stopping = workers.stopping or self.setup.clock()
            while any(w.alive() for w in self._versions.values()) and time.monotonic() < deadline:
                for workers in self._versions.values():
                    workers.end(self.setup.clock())
                time.sleep(0.05)
            while self._router.process.alive() and time.monotonic() < deadline:
                time.sleep(0.02)
            self._router.stop(signal.SIGKILL)
            self._save()

    def _check(self, digest: str) -> None:
        """Envoy accepts a route to a cluster that it does not know, and then answers 503."""
        known = self._versions.get(digest)
        if known is None or known.stopping is not None or not known.ready_once:
            why = "was never started" if known is None else "has never been ready"
            if known is not None and known.stopping is not None:
                why = "is being stopped"
            raise OutsideError(
                f"{digest[:12]} cannot take requests: it {why} here.",
                remedy="Start it, and route to it once it is ready.",
            )

    def _tend(self, snapshot: Snapshot | None) -> None:
        before = [workers.record() for workers in self._versions.values()]
        for digest, workers in list(self._versions.items()):
            try:
                if workers.stopping is not None:
                    self._wind_down(digest, workers, snapshot)
                else:
                    self._look_after(digest, workers, snapshot)
            except (InputError, OutsideError) as error:
                workers.detail = str(error)
        if before != [workers.record() for workers in self._versions.values()]:
            self._try_to_save()

    def _look_after(self, digest: str, workers: Workers, snapshot: Snapshot | None) -> None:
        model = workers.release.folder / "model"
        python, why = self.setup.environments.interpreter(model, self.setup.serving.server)
        if python is None:
            workers.detail = why
            return
        if not workers.members[0].once:
            workers.detail = ""
        unhealthy = snapshot.unhealthy.get(cluster_name(digest)) if snapshot else None
        workers.tend(python, unhealthy)
        self._put_endpoints(workers)
        if snapshot and self._is_ready(digest, workers, snapshot):
            workers.ready_once = True

    def _wind_down(self, digest: str, workers: Workers, snapshot: Snapshot | None) -> None:
        now = self.setup.clock()
        since = workers.stopping if workers.stopping is not None else now
        if workers.terminated is None:
            asked = self._router.route()
            generation = asked.generation if asked else 0
            acknowledged = snapshot is not None and snapshot.generation == generation
            active = snapshot.active(digest) if snapshot else 0
            waited = now - since > self.setup.serving.drain_seconds
            idle = acknowledged and active == 0 and now - since > _SETTLE_SECONDS
            if not (idle or waited):
                return
        workers.end(now)
        if not workers.alive():
            workers.forget()
            del self._versions[digest]
            self._try_to_save()
            self._router.put_clusters(self._versions)
            self._router.forget(digest)

    def _put_endpoints(self, workers: Workers) -> None:
        addresses = [(HOST, worker.port) for worker in workers.members]
        digest = workers.release.digest
        self._router.put_endpoints(Endpoints(digest=digest, addresses=addresses))

    def _is_ready(self, digest: str, workers: Workers, snapshot: Snapshot) -> bool:
        """All processes at first; later one that answers is enough."""
        needed = 1 if workers.ready_once else len(workers.members)
        return snapshot.healthy.get(cluster_name(digest), 0) >= needed

    def _backends(self, snapshot: Snapshot | None) -> dict[str, Backend]:
        return {
            digest: Backend(
                ready=(
                    snapshot is not None
                    and workers.stopping is None
                    and self._is_ready(digest, workers, snapshot)
                ),
                active=snapshot.active(digest) if snapshot else 0,
                restarts=workers.restarts,
                detail="it is being stopped" if workers.stopping is not None else workers.detail,
            )
            for digest, workers in self._versions.items()
        }

    def _observation(self, snapshot: Snapshot) -> Observation:
        asked = self._router.route()
        applied = snapshot.generation
        runs = asked if asked is not None and asked.generation == applied else None
        counts = {v: tally.counts() for v, tally in self._ledger.read(applied).items()}
        mirror = self._versions.get(runs.mirror[0]) if runs and runs.mirror else None
        refused = f"the router refused {snapshot.refused} route files" if snapshot.refused else ""
        said = [self._trouble, self._ledger.trouble, "" if runs else refused]
        return Observation(
            applied=applied,
            accepted=asked.generation if asked else 0,
            weights=dict(runs.weights) if runs else {},
            backends=self._backends(snapshot),
            counts=counts,
            mirror_counts=self._shadow.counts(mirror, applied) if mirror else None,
            mirror_dropped=snapshot.not_mirrored(mirror.release.digest) if mirror else 0,
            detail="; ".join(filter(None, said)),
        )

    def _save(self) -> None:
        kept = {digest: workers.record() for digest, workers in self._versions.items()}
        replace_json(self._state, {"port": self.port, "versions": kept})

    def _try_to_save(self) -> None:
        """Where the disk is full the target goes on; only a restart would know less."""
        try:
            self._save()
        except OutsideError as error:
            self._trouble = str(error)
        else:
            self._trouble = ""


def _used(route: Route) -> set[str]:
    mirrored = {route.mirror[0]} if route.mirror else set()
    return (
        {digest for digest, weight in route.weights.items() if weight} | {route.stable} | mirrored
    )
