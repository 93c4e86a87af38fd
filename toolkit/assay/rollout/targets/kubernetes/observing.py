"""What the objects of a site say, as an observation: pure, but for reading them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from assay.rollout.target import Backend, Observation, Route
from assay.rollout.targets.kubernetes.api import (
    AUTOSCALER,
    DEPLOYMENT,
    HTTP_ROUTE,
    POD,
    Api,
    Object,
)
from assay.rollout.targets.kubernetes.counting import Counter
from assay.rollout.targets.manifests import (
    ACKNOWLEDGED,
    DIGEST,
    ROUTE,
    VERSION,
    Site,
    read_route,
    written,
)

_BAD = {
    *("CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "InvalidImageName"),
    *("CreateContainerConfigError", "CreateContainerError", "RunContainerError"),
}


@dataclass(frozen=True, kw_only=True)
class Parent:
    """What gateway controllers say of a route: whether they run it as it is now, and in words."""

    acknowledged: bool
    says: str


def parent_of(route: Object, site: Site) -> Parent:
    """Return what the gateway's controller reports of this very generation of the HTTPRoute."""
    parents = (route.get("status") or {}).get("parents") or []
    own = [each for each in parents if _is_ours(each.get("parentRef") or {}, site)]
    if not own:
        return Parent(
            acknowledged=False,
            says="accepted by the API; no gateway controller has reported on it",
        )
    newest = route["metadata"].get("generation", 0)
    said = []
    for each in own:
        conditions = {one.get("type"): one for one in each.get("conditions") or []}
        for name in ("Accepted", "ResolvedRefs"):
            one = conditions.get(name)
            if one is None or one.get("observedGeneration", 0) < newest:
                said.append(f"{each.get('controllerName')} has not said {name} of it yet")
            elif one.get("status") != "True":
                said.append(f"{each.get('controllerName')}: not {name}: {one.get('message', '')}")
    if said:
        return Parent(acknowledged=False, says="accepted by the API; " + "; ".join(said)[:500])
    names = ", ".join(sorted({str(each.get("controllerName")) for each in own}))
    return Parent(acknowledged=True, says=f"acknowledged by {names}")


def _is_ours(reference: Object, site: Site) -> bool:
    namespace = site.cluster.gateway_namespace or site.cluster.namespace
    return (
        reference.get("name") == site.cluster.gateway
        and reference.get("namespace", site.cluster.namespace) == namespace
    )


def noted(route: Object, key: str) -> Route | None:
    """Return the route that an annotation of the object holds."""
    return read_route((route["metadata"].get("annotations") or {}).get(key))


def last_acknowledged(route: Object, site: Site) -> str | None:
    """Return the annotation to write: the route that the gateway runs, as far as is known."""
    if parent_of(route, site).acknowledged:
        current = noted(route, ROUTE)
        return written(current) if current else None
    annotations = route["metadata"].get("annotations") or {}
    found = annotations.get(ACKNOWLEDGED)
    return str(found) if found else None


def read_cluster(site: Site, api: Api, counter: Counter) -> Observation:
    """Return what a site's objects say. Raises OutsideError where the API is away."""
    pods = api.list(POD, site.labels)
    seen = observation(
        site,
        api.get(HTTP_ROUTE, site.base),
        api.list(DEPLOYMENT, site.labels),
        api.list(AUTOSCALER, site.labels),
        pods,
    )
    if not seen.applied:
        return seen
    counts = counter.read(pods, seen.applied, list(seen.backends))
    answering = {digest: each for digest, each in counts.items() if seen.weights.get(digest)}
    mirrored = [each for digest, each in counts.items() if not seen.weights.get(digest)]
    return replace(seen, counts=answering, mirror_counts=mirrored[0] if mirrored else None)


def observation(
    site: Site,
    route: Object | None,
    deployments: Sequence[Object],
    autoscalers: Sequence[Object],
    pods: Sequence[Object],
) -> Observation:
    """Return what is so, by what the cluster's controllers reported."""
    minimums = {digest_of(each): each["spec"].get("minReplicas", 1) for each in autoscalers}
    backends = {}
    for each in deployments:
        digest = digest_of(each)
        version = _labels(each).get(VERSION)
        own = [pod for pod in pods if _labels(pod).get(VERSION) == version]
        backends[digest] = _backend(each, minimums.get(digest), own)
    if route is None:
        return Observation(applied=0, weights={}, backends=backends, detail="there is no route")
    parent = parent_of(route, site)
    asked = noted(route, ROUTE)
    runs = asked if parent.acknowledged else noted(route, ACKNOWLEDGED)
    drift = "" if asked is None or _agrees(route, asked, site) else "; its weights were changed"
    return Observation(
        applied=runs.generation if runs and not drift else 0,
        weights=dict(runs.weights) if runs and not drift else {},
        backends=backends,
        router=parent.acknowledged or runs is not None,
        accepted=asked.generation if asked else 0,
        detail=parent.says + drift,
    )


def _agrees(route: Object, asked: Route, site: Site) -> bool:
    """Whether the weights in the object are the ones that were asked for."""
    rules = route["spec"].get("rules") or []
    found = {
        each.get("name"): each.get("weight", 1)
        for rule in rules
        for each in rule.get("backendRefs") or []
    }
    wanted = {site.name(digest): share for digest, share in asked.weights.items() if share}
    return len(rules) == 1 and found == wanted


def _backend(deployment: Object, minimum: int | None, pods: Sequence[Object]) -> Backend:
    status = deployment.get("status") or {}
    current = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 1)
    available = status.get("availableReplicas", 0)
    wanted = minimum if minimum is not None else deployment["spec"].get("replicas", 1)
    states = [
        state for pod in pods for state in (pod.get("status") or {}).get("containerStatuses") or []
    ]
    troubles = sorted(
        {
            waiting.get("reason", "")
            for state in states
            if (waiting := (state.get("state") or {}).get("waiting"))
        }
        & _BAD
    )
    stuck = [
        str(one.get("message"))
        for one in status.get("conditions") or []
        if one.get("type") in {"Progressing", "ReplicaFailure"}
        and one.get("reason") in {"ProgressDeadlineExceeded", "FailedCreate"}
    ]
    words = [f"{available} of {wanted} pods are available", *troubles, *stuck]
    return Backend(
        ready=current and available >= wanted,
        restarts=sum(state.get("restartCount", 0) for state in states),
        detail="; ".join(words)[:500],
    )


def digest_of(found: Object) -> str:
    """Return the artifact digest that an object is about."""
    return str((found["metadata"].get("annotations") or {}).get(DIGEST, ""))


def _labels(found: Object) -> Object:
    labels: Object = found["metadata"].get("labels") or {}
    return labels
