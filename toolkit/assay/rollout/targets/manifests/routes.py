"""What all versions of a site share: the HTTPRoute with its weights, and the NetworkPolicy."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from assay.rollout.target import WHOLE, Route
from assay.rollout.targets.manifests.names import PORT, ROUTE, Manifest, Site

GENERATION_HEADER = "x-assay-generation"
SLOW_HEADER = "x-assay-slow-over"
CONTROLLER = "assay-controller"
"""The label app.kubernetes.io/name of the controller's pods, which may read the counts of pods."""


def http_route(site: Site, route: Route) -> Manifest:
    """Return the HTTPRoute that splits requests as ``route`` says.

    Each request is drawn anew, even where units should stay with their version: Gateway API's
    standard channel cannot do that (assay.yaml with an A/B test or a bandit here is refused).
    """
    shares = {site.name(digest): share for digest, share in sorted(route.weights.items()) if share}
    mirror = [_mirror(site, *route.mirror)] if route.mirror else []
    spec = split(site, shares, generation=route.generation, filters=mirror)
    made: dict[str, Any] = site.manifest("gateway.networking.k8s.io/v1", "HTTPRoute", spec)
    made["metadata"]["annotations"][ROUTE] = written(route)
    return made


def split(
    site: Site, services: Mapping[str, int], *, generation: int, filters: Sequence[Manifest] = ()
) -> Manifest:
    """Return the spec of an HTTPRoute that splits requests between Services by weight.

    With each request the pods are told the generation, so that their counts are of this route.
    """
    told = {GENERATION_HEADER: str(generation), SLOW_HEADER: f"{site.latency_ms:g}"}
    headers = [{"name": name, "value": value} for name, value in told.items()]
    rule: Manifest = {
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "timeouts": {"request": f"{math.ceil(site.serving.request_seconds * 1000)}ms"},
        "filters": [
            {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": headers}},
            *filters,
        ],
        "backendRefs": [
            {"group": "", "kind": "Service", "name": name, "port": 80, "weight": weight}
            for name, weight in services.items()
        ],
    }
    parent: Manifest = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": site.cluster.gateway,
    }
    if site.cluster.gateway_namespace:
        parent["namespace"] = site.cluster.gateway_namespace
    spec: Manifest = {"parentRefs": [parent], "rules": [rule]}
    if site.cluster.hostnames:
        spec["hostnames"] = list(site.cluster.hostnames)
    return spec


def _mirror(site: Site, digest: str, share: int) -> Manifest:
    backend = {"group": "", "kind": "Service", "name": site.name(digest), "port": 80}
    request: dict[str, object] = {"backendRef": backend}
    if share < WHOLE:
        request["fraction"] = {"numerator": share, "denominator": WHOLE}
    return {"type": "RequestMirror", "requestMirror": request}


def written(route: Route) -> str:
    """Return a route as one line, for an annotation; :func:`read_route` reads it back."""
    facts: dict[str, object] = {
        "generation": route.generation,
        "weights": dict(sorted(route.weights.items())),
        "stable": route.stable,
    }
    if route.mirror:
        facts["mirror"] = list(route.mirror)
    if route.sticky:
        facts["sticky"] = True
    return json.dumps(facts, separators=(",", ":"), sort_keys=True)


def read_route(text: str | None) -> Route | None:
    """Return the route that an annotation holds; None for none, and for what is not one."""
    try:
        facts = json.loads(text or "")
        mirror = facts.get("mirror")
        return Route(
            generation=int(facts["generation"]),
            weights={str(digest): int(share) for digest, share in facts["weights"].items()},
            stable=str(facts["stable"]),
            mirror=(str(mirror[0]), int(mirror[1])) if mirror else None,
            sticky=facts.get("sticky") is True,
        )
    except (ValueError, TypeError, KeyError, AttributeError, IndexError):
        return None


def network_policy(site: Site) -> Manifest:
    """Return the policy that lets the gateway, and the controller, call the pods; they call nobody.

    Probes come from the node, which network plugins let through.
    """
    gateway = site.cluster.gateway_namespace or site.cluster.namespace
    spec = {
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": site.base}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            {
                "from": [
                    {
                        "namespaceSelector": {
                            "matchLabels": {"kubernetes.io/metadata.name": gateway}
                        }
                    },
                    {"podSelector": {"matchLabels": {"app.kubernetes.io/name": CONTROLLER}}},
                ],
                "ports": [{"protocol": "TCP", "port": PORT}],
            }
        ],
        "egress": [],
    }
    return site.manifest("networking.k8s.io/v1", "NetworkPolicy", spec)
