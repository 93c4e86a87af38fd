"""Envoy's statistics for Prometheus, and nothing else of its admin interface, on loopback."""

from __future__ import annotations

from typing import Any

from assay.rollout.targets.local.names import ADMIN_SOCKET, TYPE

_ADMIN = "admin"
ADMIN_CLUSTER: dict[str, Any] = {
    "name": _ADMIN,
    "connect_timeout": "1s",
    "type": "STATIC",
    "load_assignment": {
        "cluster_name": _ADMIN,
        "endpoints": [
            {"lb_endpoints": [{"endpoint": {"address": {"pipe": {"path": ADMIN_SOCKET}}}}]}
        ],
    },
}
_BASE = TYPE + "envoy.extensions.filters."


def metrics_listener(port: int) -> dict[str, Any]:
    """Answer ``GET /metrics`` on ``port`` of 127.0.0.1; everything else is 404."""
    read = {"name": ":method", "string_match": {"exact": "GET"}}
    route = {
        "match": {"path": "/metrics", "headers": [read]},
        "route": {"cluster": _ADMIN, "prefix_rewrite": "/stats/prometheus"},
    }
    host = {"name": "metrics", "domains": ["*"], "routes": [route]}
    manager = {
        "@type": _BASE + "network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "metrics",
        "route_config": {"name": "metrics", "virtual_hosts": [host]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": _BASE + "http.router.v3.Router"},
            }
        ],
    }
    name = "envoy.filters.network.http_connection_manager"
    return {
        "name": "metrics",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "enable_reuse_port": False,
        "filter_chains": [{"filters": [{"name": name, "typed_config": manager}]}],
    }
