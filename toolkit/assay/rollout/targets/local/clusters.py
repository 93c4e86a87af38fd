"""Envoy's clusters and endpoints: what there is to send a request to.

Each version is a cluster of its own; each ordered pair of versions a composite one, which tries
the first and, where that fails, the second. All pairs are there before any route names one, so
that a rollback is one file. A shadow's cluster has a cap of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from assay.rollout.targets.local.bootstrap import Place
from assay.rollout.targets.local.names import TYPE

HEALTH_PATH = "/assay/health"
MANY = 16_384
"""Requests in flight, retries among them: Envoy's own default of three retries loses the rest."""
MIRRORED_AT_ONCE = 64
"""Mirrored requests in flight; what comes on top is counted as not mirrored."""
IDLE_SECONDS = 30
"""Shorter than a scoring server keeps a connection, so that none is used as it is closed."""


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """Where the processes of one version listen."""

    digest: str
    addresses: Sequence[tuple[str, int]]


def cluster_name(digest: str) -> str:
    """The cluster of a version."""
    return f"version-{digest}"


def mirror_name(digest: str) -> str:
    """The cluster of a version that only shadows."""
    return f"mirror-{digest}"


def fallback_name(first: str, second: str) -> str:
    """The composite cluster that tries ``first``, then ``second``."""
    return f"fallback-{first}-{second}"


def clusters(place: Place, digests: Iterable[str], *, version: str) -> dict[str, Any]:
    """Render the clusters of all versions that run."""
    known = sorted(digests)
    resources = [_version(place, digest) for digest in known]
    resources += [_mirror(place, digest) for digest in known]
    resources += [_fallback(first, second) for first, second in permutations(known, 2)]
    return {"version_info": version, "resources": resources}


def endpoints(version: Endpoints) -> dict[str, Any]:
    """Render the endpoints of one version."""
    found = [
        {"endpoint": {"address": {"socket_address": {"address": host, "port_value": port}}}}
        for host, port in version.addresses
    ]
    return {
        "resources": [
            {
                "@type": TYPE + "envoy.config.endpoint.v3.ClusterLoadAssignment",
                "cluster_name": version.digest,
                "endpoints": [{"lb_endpoints": found}],
            }
        ]
    }


def _version(place: Place, digest: str) -> dict[str, Any]:
    return {
        **_endpoint_cluster(place, cluster_name(digest), digest),
        "circuit_breakers": _limits(requests=MANY, waiting=MANY),
        "health_checks": [_health_check(digest)],
        "ignore_health_on_host_removal": True,
    }


def _mirror(place: Place, digest: str) -> dict[str, Any]:
    return {
        **_endpoint_cluster(place, mirror_name(digest), digest),
        "circuit_breakers": _limits(requests=MIRRORED_AT_ONCE, waiting=MIRRORED_AT_ONCE),
    }


def _endpoint_cluster(place: Place, name: str, digest: str) -> dict[str, Any]:
    options = TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    return {
        "@type": TYPE + "envoy.config.cluster.v3.Cluster",
        "name": name,
        "type": "EDS",
        "eds_cluster_config": {
            "service_name": digest,
            "eds_config": place.source(place.endpoints(digest)),
        },
        "connect_timeout": "1s",
        "lb_policy": "LEAST_REQUEST",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": options,
                "explicit_http_config": {"http_protocol_options": {}},
                "common_http_protocol_options": {"idle_timeout": f"{IDLE_SECONDS}s"},
            }
        },
    }


def _fallback(first: str, second: str) -> dict[str, Any]:
    return {
        "@type": TYPE + "envoy.config.cluster.v3.Cluster",
        "name": fallback_name(first, second),
        "connect_timeout": "1s",
        "lb_policy": "CLUSTER_PROVIDED",
        "cluster_type": {
            "name": "envoy.clusters.composite",
            "typed_config": {
                "@type": TYPE + "envoy.extensions.clusters.composite.v3.ClusterConfig",
                "clusters": [{"name": cluster_name(first)}, {"name": cluster_name(second)}],
            },
        },
        "circuit_breakers": _limits(requests=MANY, waiting=MANY),
    }


def _limits(*, requests: int, waiting: int) -> dict[str, Any]:
    return {
        "thresholds": [
            {
                "max_connections": requests,
                "max_pending_requests": waiting,
                "max_requests": requests,
                "max_retries": MANY,
            }
        ]
    }


def _health_check(digest: str) -> dict[str, Any]:
    """Healthy is who answers with this version's digest: not whoever took its port over."""
    return {
        "timeout": "1s",
        "interval": "0.5s",
        "no_traffic_interval": "0.5s",
        "unhealthy_threshold": 3,
        "healthy_threshold": 1,
        "http_health_check": {
            "path": HEALTH_PATH,
            "receive": [{"text": digest.encode().hex()}],
        },
    }
