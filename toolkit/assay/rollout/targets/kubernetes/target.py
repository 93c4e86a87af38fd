"""A Kubernetes cluster as a target: the controller applies objects, the cluster does the rest."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from assay.config.clusters import KubernetesTarget
from assay.config.delivery import Serving
from assay.errors import InputError, OutsideError
from assay.rollout.target import WHOLE, Observation, Release, Route
from assay.rollout.targets.kubernetes.api import (
    AUTOSCALER,
    BUDGET,
    DEPLOYMENT,
    HTTP_ROUTE,
    SERVICE,
    Api,
    Conflict,
    Kind,
    Object,
    connect,
)
from assay.rollout.targets.kubernetes.counting import Counter
from assay.rollout.targets.kubernetes.lease import Lease
from assay.rollout.targets.kubernetes.observing import (
    digest_of,
    last_acknowledged,
    noted,
    read_cluster,
)
from assay.rollout.targets.kubernetes.ownership import appliers, check_ours, check_ours_to_delete
from assay.rollout.targets.manifests import (
    ACKNOWLEDGED,
    EPOCH,
    HELD,
    ROUTE,
    Manifest,
    Site,
    autoscaler,
    http_route,
    network_policy,
    scales,
    version,
)

_TRIES = 4


def open_kubernetes(
    cluster: KubernetesTarget,
    *,
    model: str,
    target: str,
    serving: Serving,
    latency_ms: float,
    holder: str,
) -> Kubernetes:
    """Return a model's place in the cluster; ``holder`` names this controller among all.

    A request slower than ``latency_ms`` counts as slow.

    Raises InputError where there is no cluster to speak to; asks the cluster nothing yet.
    """
    site = Site(model=model, target=target, cluster=cluster, serving=serving, latency_ms=latency_ms)
    api = Api(connect(cluster.context), cluster.namespace)
    return Kubernetes(site, api, Lease(api, site, holder))


class Kubernetes:
    """One model at one target of a cluster. See ``rollout.target.Target``.

    ``api`` is the namespace's, ``lease`` keeps other controllers out, ``counter`` asks the pods.
    """

    def __init__(self, site: Site, api: Api, lease: Lease, counter: Counter | None = None) -> None:
        self._counter = counter or Counter()
        self._site = site
        self._api = api
        self._lease = lease

    def start(self, release: Release) -> None:
        """Apply a version's objects; it starts as large as the serving one is now."""
        self._lease.hold()
        self._put(network_policy(self._site))
        least = self._site.cluster.replicas
        minimum, held = self._least(release.digest)
        if minimum is None:
            serving = self._serving()
            minimum = max(least, self._pods_of(serving)) if serving else least
            held = least if minimum > least else None
        for each in version(
            self._site, release.digest, minimum=minimum, held=held, image=release.image
        ):
            self._put(each)

    def stop(self, digest: str) -> None:
        """Delete a version's objects; its pods finish what they have in flight."""
        self._lease.hold()
        route = self._api.get(HTTP_ROUTE, self._site.base)
        asked = noted(route, ROUTE) if route else None
        if asked and (asked.weights.get(digest) or (asked.mirror and asked.mirror[0] == digest)):
            raise InputError(
                f"{digest[:12]} still gets traffic of {self._site.target}.",
                remedy="Route it away first.",
            )
        for kind in (AUTOSCALER, BUDGET, DEPLOYMENT, SERVICE):
            found = self._api.get(kind, self._site.name(digest))
            if found is not None:
                check_ours_to_delete(found, self._site, digest)
                self._api.delete(kind, found)

    def route(self, route: Route) -> None:
        """Apply the weights; what came of it is the gateway controller's to report."""
        epoch = self._lease.hold()
        whole = route.weights.get(route.stable) == WHOLE
        self._check_started(route)
        if not whole:
            self._hold_minimum(route.stable)
        made: dict[str, Any] = http_route(self._site, route)
        made["metadata"]["annotations"][EPOCH] = str(epoch)
        self._put(made, before=lambda found: self._check_newer(found, route, made, epoch))
        if whole:
            self._release_minimums()

    def prepare(self, route: Route) -> None:
        """Nothing to do: a route needs no space on this host."""

    def observe(self) -> Observation:
        """Read what the cluster's controllers report, and renew the lease."""
        self._lease.renew()
        return read_cluster(self._site, self._api, self._counter)

    def wait(
        self,
        done: Callable[[Observation], bool],
        *,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> Observation:
        """Observe until ``done`` says so, for at most ``seconds``; return the last observation.

        A watch only wakes it up, and what counts is read again, so a lost one costs a second.
        Raises OutsideError where the API was away at the end.
        """
        end = clock() + seconds
        while True:
            try:
                seen = self.observe()
            except OutsideError:
                if clock() >= end:
                    raise
            else:
                if done(seen) or clock() >= end:
                    return seen
                left = min(5.0, end - clock())
                for _ in self._api.changes(DEPLOYMENT, self._site.labels, left):
                    break
            sleep(min(0.2, max(0.0, end - clock())))

    def close(self) -> None:
        """Give the lease back; where that cannot be done now, it runs out by itself."""
        with contextlib.suppress(OutsideError):
            self._lease.release()

    def _put(
        self, manifest: Manifest, *, before: Callable[[Object], None] = lambda _found: None
    ) -> None:
        """Apply an object upon what was read; ``before`` may refuse, or add to, what is there.

        Fields that a person changed are taken back by force, and only on an object that Assay
        made. Fields that another program applies are left to it: both would write forever.
        """
        kind = Kind(api=str(manifest["apiVersion"]), kind=str(manifest["kind"]))
        name = str(manifest["metadata"]["name"])  # type: ignore[index]
        for _ in range(_TRIES):
            found = self._api.get(kind, name)
            at = None
            if found is not None:
                check_ours(found, manifest, self._site)
                before(found)
                at = str(found["metadata"]["resourceVersion"])
            try:
                self._api.apply(manifest, version=at)
            except Conflict as conflict:
                if conflict.stale:
                    continue
                if found is None or appliers(found):
                    raise
                try:
                    self._api.apply(manifest, version=at, force=True)
                except Conflict as again:
                    if not again.stale:
                        raise
                    continue
            return
        raise OutsideError(
            f"{kind.kind} {name} was changed by others {_TRIES} times in a row.",
            remedy="Find who else writes it: kubectl get -o yaml --show-managed-fields.",
        )

    def _check_newer(self, found: Object, route: Route, made: Object, epoch: int) -> None:
        """Refuse to undo a newer route, or another controller's; note what the gateway runs now."""
        annotations = found["metadata"].get("annotations") or {}
        current = noted(found, ROUTE)
        if current and (
            current.generation > route.generation
            or (current.generation == route.generation and current != route)
        ):
            raise InputError(
                f"{self._site.target} was asked for generation {current.generation}; "
                f"{route.generation} is not newer.",
                remedy="Start from what is observed now.",
            )
        if int(annotations.get(EPOCH) or 0) > epoch:
            raise OutsideError(
                f"a later controller (epoch {annotations[EPOCH]}) took {self._site.target} over.",
                remedy="This one is to be stopped.",
            )
        acknowledged = last_acknowledged(found, self._site)
        if acknowledged:
            made["metadata"]["annotations"][ACKNOWLEDGED] = acknowledged

    def _check_started(self, route: Route) -> None:
        wanted = {digest for digest, share in route.weights.items() if share}
        for digest in sorted(wanted | ({route.mirror[0]} if route.mirror else set())):
            service = self._api.get(SERVICE, self._site.name(digest))
            if service is None or digest_of(service) != digest:
                raise OutsideError(
                    f"{digest[:12]} was not started on {self._site.target}: it has no Service.",
                    remedy="Start the version, wait until it is ready, then route to it.",
                )

    def _serving(self) -> str | None:
        """The digest that requests fall back to, if there is a route."""
        found = self._api.get(HTTP_ROUTE, self._site.base)
        asked = noted(found, ROUTE) if found else None
        return asked.stable if asked else None

    def _pods_of(self, digest: str) -> int:
        found = self._api.get(DEPLOYMENT, self._site.name(digest))
        return int(((found or {}).get("status") or {}).get("replicas") or 0)

    def _least(self, digest: str) -> tuple[int | None, int | None]:
        """The minimum of a version that has an autoscaler, and the one it goes back to."""
        found = self._api.get(AUTOSCALER, self._site.name(digest))
        if found is None or digest_of(found) != digest:
            return None, None
        held = (found["metadata"].get("annotations") or {}).get(HELD)
        return int(found["spec"].get("minReplicas", 1)), int(held) if held else None

    def _hold_minimum(self, digest: str) -> None:
        """Keep as many pods of the stable version as there are: all traffic may come back."""
        if not scales(self._site):
            return
        minimum, held = self._least(digest)
        if minimum is None or held is not None:
            return
        now = max(minimum, self._pods_of(digest))
        least = self._site.cluster.replicas
        self._put(autoscaler(self._site, digest, minimum=now, held=least))

    def _release_minimums(self) -> None:
        """The bake is over: let every autoscaler go back to the configured minimum."""
        for found in self._api.list(AUTOSCALER, self._site.labels):
            digest = digest_of(found)
            if (found["metadata"].get("annotations") or {}).get(HELD):
                self._put(autoscaler(self._site, digest, minimum=self._site.cluster.replicas))
