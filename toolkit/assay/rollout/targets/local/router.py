"""The Envoy of a target: started, found again, fed by files, and asked what it runs."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.config.delivery import Serving
from assay.errors import OutsideError
from assay.rollout.target import Route
from assay.rollout.targets.local.admin import Admin, Snapshot
from assay.rollout.targets.local.bootstrap import Place, bootstrap
from assay.rollout.targets.local.clusters import Endpoints, clusters, endpoints
from assay.rollout.targets.local.environment import last_words
from assay.rollout.targets.local.files import read_json, replace_json
from assay.rollout.targets.local.processes import Launch, Program
from assay.rollout.targets.local.routes import read_route, routes
from assay.rollout.targets.local.tail import LogFiles

ROTATE_BYTES = 64 * 1024 * 1024
ROTATED_KEPT = 2
START_PAUSE = 1.0
"""Seconds between two starts: one that cannot listen on its port ends at once."""
_MOST_THREADS = 4


@dataclass(frozen=True, kw_only=True)
class Router:
    """One Envoy and its folder."""

    place: Place
    program: Path
    host: str
    port: int
    serving: Serving
    variables: Mapping[str, str] = field(repr=False)
    process: Program
    clock: Callable[[], float]
    metrics_port: int = 0
    _starts: list[float] = field(default_factory=list, repr=False)

    @property
    def admin(self) -> Admin:
        return Admin(self.place.folder)

    @property
    def access_log(self) -> LogFiles:
        return LogFiles(current=self.place.access_log, rotated="access-*.jsonl")

    def tend(self) -> None:
        """Start Envoy where it does not run; its files say which route it had."""
        if self.process.alive():
            self._rotate()
            return
        now = self.clock()
        if self._starts and now - self._starts[-1] < START_PAUSE:
            return
        self._starts[:] = [now]
        if not self.place.clusters.exists():
            self.put_clusters(())
        if not self.place.routes.exists():
            replace_json(self.place.routes, self._rendered(None))
        content = bootstrap(
            self.place,
            host=self.host,
            port=self.port,
            unit_header=self.serving.unit_header,
            metrics_port=self.metrics_port,
        )
        if read_json(self.place.bootstrap) != content:
            replace_json(self.place.bootstrap, content)
        # A socket that a killed Envoy left is in the way of the next.
        (self.place.folder / "admin.sock").unlink(missing_ok=True)
        command = [
            str(self.program), "--config-path", str(self.place.bootstrap),
            "--disable-hot-restart", "--log-level", "warning",
            # Or lines lie in its memory for ten seconds, and the guards wait for them.
            "--file-flush-interval-msec", "100",
            "--concurrency", str(min(_MOST_THREADS, os.cpu_count() or 1)),
        ]  # fmt: skip
        folder = self.place.folder
        self.process.start(
            Launch(command=command, cwd=folder, log=folder / "envoy.log", variables=self.variables)
        )

    def trouble(self) -> str:
        """What Envoy said last, where it does not run."""
        said = "" if self.process.alive() else last_words(self.place.folder / "envoy.log")
        return f"the router does not run: {said}" if said else ""

    def snapshot(self) -> Snapshot | None:
        """What Envoy says of itself; None where it does not answer."""
        try:
            return self.admin.snapshot()
        except OutsideError:
            return None

    def route(self) -> Route | None:
        """The route that was asked for last."""
        found = read_json(self.place.routes)
        return read_route(found) if found else None

    def put_route(self, route: Route) -> None:
        """Ask for ``route``: takes effect some ten milliseconds after the rename."""
        try:
            prepared = read_json(self.place.prepared)
        except ValueError:  # cut by a disk that was full
            prepared = None
        if prepared is not None and read_route(prepared) == route:
            self.place.prepared.rename(self.place.routes)
        else:
            replace_json(self.place.routes, self._rendered(route))

    def prepare(self, route: Route) -> None:
        """Write ``route`` down aside, so that asking for it takes no room on the disk."""
        replace_json(self.place.prepared, self._rendered(route))

    def put_clusters(self, digests: Iterable[str]) -> str:
        """Ask for the clusters of these versions; return the version that stands for them."""
        known = sorted(digests)
        version = "-".join(digest[:16] for digest in known) or "none"
        content = clusters(self.place, known, version=version)
        if read_json(self.place.clusters) != content:
            replace_json(self.place.clusters, content)
        return version

    def put_endpoints(self, version: Endpoints) -> None:
        """Say where a version listens, if it is not said already."""
        file = self.place.endpoints(version.digest)
        content = endpoints(version)
        if read_json(file) != content:
            replace_json(file, content)

    def forget(self, digest: str) -> None:
        """Remove the endpoints of a version that is no cluster any more."""
        self.place.endpoints(digest).unlink(missing_ok=True)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End Envoy: nothing is served from then on."""
        self.process.signal(number)

    def _rendered(self, route: Route | None) -> dict[str, Any]:
        seconds = self.serving.request_seconds
        return routes(route, unit_header=self.serving.unit_header, seconds=seconds)

    def _rotate(self) -> None:
        """Put a large access log aside; whoever reads it follows by its inode."""
        log = self.place.access_log
        older = sorted(log.parent.glob(self.access_log.rotated))
        if log.exists():
            if log.stat().st_size < ROTATE_BYTES:
                return
            last = int(older[-1].stem.partition("-")[2]) if older else 0
            log.rename(log.with_name(f"access-{last + 1:08}.jsonl"))
            for file in older[: len(older) - ROTATED_KEPT + 1]:
                file.unlink(missing_ok=True)
        elif not older:
            return
        with contextlib.suppress(OutsideError):  # it writes on where it wrote, and is asked again
            self.admin.post("/reopen_logs")
