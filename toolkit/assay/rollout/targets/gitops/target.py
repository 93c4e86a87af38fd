"""GitOps as a target: the controller commits manifests, Argo CD or Flux applies them.

Neither of them ever reverts git, so a rollback is a commit too, written by Assay: a route is the
folder that it renders to, and the way back is the same rendering again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from assay.errors import InputError, OutsideError
from assay.rollout.target import Backend, Observation, Release, Route
from assay.rollout.targets.gitops.messages import is_whole, routed, started, stopped
from assay.rollout.targets.gitops.record import MARKER, Record, changed_by_others, read_record
from assay.rollout.targets.manifests import (
    PREFIX,
    Site,
    as_yaml,
    http_route,
    network_policy,
    version,
)
from assay.state import Files, Folder, Proposal, Written

TRIES = 2
"""The controller asks again each second or so; a call must not keep it from looking."""
REFRESH = 10.0
"""Seconds for which what was read of the remote is good enough to be observed."""


class GitOps:
    """One model at one target, as a folder of a branch. See ``rollout.target.Target``.

    ``watch`` reads the cluster where it may be read: then what is observed is what runs there, and
    otherwise that it was pushed. ``clock`` is monotonic, in seconds.
    """

    def __init__(
        self,
        site: Site,
        folder: Folder,
        *,
        watch: Callable[[], Observation] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._site = replace(site, owner="gitops")
        self._folder = folder
        self._watch = watch
        self._clock = clock
        self._seen: tuple[Written, float] | None = None

    def start(self, release: Release) -> None:
        """Commit a version's manifests."""

        def change(found: Written) -> Proposal:
            record = self._record(found)
            twins = {each for each in record.versions if each[:PREFIX] == release.digest[:PREFIX]}
            if twins - {release.digest}:
                raise InputError(f"{twins.pop()} has the same name as {release.digest}.")
            versions = tuple(sorted({*record.versions, release.digest}))
            images = {**record.images, release.digest: release.image} if release.image else None
            wanted = replace(record, versions=versions, images=images or record.images)
            return Proposal(files=self._render(wanted), message=started(self._site, release.digest))

        self._write(change)

    def stop(self, digest: str) -> None:
        """Commit that a version is gone; whoever applies the folder prunes it."""

        def change(found: Written) -> Proposal:
            record = self._record(found)
            if record.route and digest in _served(record.route):
                raise InputError(
                    f"{digest[:12]} still gets traffic of {self._site.target}.",
                    remedy="Route it away first.",
                )
            versions = tuple(each for each in record.versions if each != digest)
            images = {one: image for one, image in record.images.items() if one != digest}
            wanted = replace(record, versions=versions, images=images)
            return Proposal(files=self._render(wanted), message=stopped(self._site, digest))

        self._write(change)

    def route(self, route: Route) -> None:
        """Commit the weights; a route that gives all traffic back says what it reverts.

        One that was on the branch some seconds ago is not asked for again: the controller does so
        at every look until the cluster runs it.
        """
        if self._is_there(route):
            return

        def change(found: Written) -> Proposal:
            record = self._record(found)
            self._check(record, route)
            since = None if is_whole(route) else record.since or found.commit
            wanted = replace(record, route=route, since=since)
            overwritten = changed_by_others(found, record)
            message = routed(
                self._site, record, route, parent=found.commit, overwritten=overwritten
            )
            return Proposal(files=self._render(wanted), message=message)

        self._write(change)

    def prepare(self, route: Route) -> None:
        """Nothing to do: the way back is rendered, not read from this host."""

    def observe(self) -> Observation:
        """Say what is on the branch, and what runs where the cluster may be read."""
        now = self._clock()
        if self._seen is None or now - self._seen[1] >= REFRESH:
            self._seen = (self._folder.read(), now)
        found = self._seen[0]
        record = self._record(found)
        changed = changed_by_others(found, record)
        generation = record.route.generation if record.route and not changed else 0
        weights = dict(record.route.weights) if record.route and not changed else {}
        said = f"pushed as {found.commit[:12]} to {self._folder.branch.name}"
        if changed:
            said = f"others changed {', '.join(changed)} after Assay ({said})"[:500]
        if self._watch is not None:
            seen = self._watch()
            return replace(seen, accepted=generation, detail=f"{said}; {seen.detail}")
        backends = {
            each: Backend(ready=True, detail=f"{said}; whether it runs is not known here")
            for each in record.versions
        }
        return Observation(
            applied=generation,
            weights=weights,
            backends=backends,
            accepted=generation,
            detail=f"{said}; whether it is applied is not known here",
        )

    def _is_there(self, route: Route) -> bool:
        if self._seen is None or self._clock() - self._seen[1] >= REFRESH:
            return False
        found = self._seen[0]
        record = self._record(found)
        return record.route == route and not changed_by_others(found, record)

    def _write(self, change: Callable[[Written], Proposal]) -> None:
        try:
            written = self._folder.replace(change, tries=TRIES)
        except BaseException:
            self._seen = None
            raise
        self._seen = (written, self._clock())

    def _record(self, found: Written) -> Record:
        return read_record(found, f"{self._folder.branch.name}:{self._folder.path}")

    def _check(self, record: Record, route: Route) -> None:
        before = record.route
        if before and (
            before.generation > route.generation
            or (before.generation == route.generation and before != route)
        ):
            raise InputError(
                f"{self._site.target} was asked for generation {before.generation}; "
                f"{route.generation} is not newer.",
                remedy="Start from what is observed now.",
            )
        missing = sorted(_served(route) - set(record.versions))
        if missing:
            raise OutsideError(
                f"{missing[0][:12]} was not started on {self._site.target}: it has no manifests.",
                remedy="Start the version, wait until it is ready, then route to it.",
            )

    def _render(self, record: Record) -> Files:
        """Return the folder's files: rendered anew, so that nothing by another hand survives."""
        least = self._site.cluster.replicas
        files: dict[str, bytes] = {
            f"version-{digest[:PREFIX]}.yaml": as_yaml(
                version(self._site, digest, minimum=least, image=record.images.get(digest))
            ).encode()
            for digest in record.versions
        }
        files["network-policy.yaml"] = as_yaml([network_policy(self._site)]).encode()
        if record.route:
            files["route.yaml"] = as_yaml([http_route(self._site, record.route)]).encode()
        listed: dict[str, Any] = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": sorted(files),
        }
        files["kustomization.yaml"] = as_yaml([listed]).encode()
        sums = {path: hashlib.sha256(data).hexdigest() for path, data in sorted(files.items())}
        return {**files, MARKER: replace(record, sums=sums).to_bytes()}


def _served(route: Route) -> set[str]:
    """The versions that a route sends requests to, or copies of them."""
    mirrored = {route.mirror[0]} if route.mirror else set()
    return {digest for digest, share in route.weights.items() if share} | mirrored
