"""Envoy's static part: its listener, its admin socket, and where it reads the rest.

What changes (clusters, endpoints, routes) lies in files that are replaced by rename: Envoy watches
their folder for exactly that, and ignores a file that is written in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.rollout.targets.local.metrics import ADMIN_CLUSTER, metrics_listener
from assay.rollout.targets.local.names import ADMIN_SOCKET, TYPE

ROUTES = "scoring"
STAT_PREFIX = "router"
GENERATION_HEADER = "x-assay-generation"
ASSIGNED_HEADER = "x-assay-assigned"
VERSION_HEADER = "x-assay-version"
CONNECTIONS = 10_000
"""Of clients at once; more are refused before they cost memory."""
BUFFER_BYTES = 8 * 1024 * 1024
"""The largest request that a retry or a mirror can repeat."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """The folder of one router: what it reads and what it writes."""

    folder: Path

    @property
    def bootstrap(self) -> Path:
        return self.folder / "bootstrap.json"

    @property
    def dynamic(self) -> Path:
        """The folder that Envoy watches."""
        return self.folder / "dynamic"

    @property
    def clusters(self) -> Path:
        return self.dynamic / "clusters.json"

    @property
    def routes(self) -> Path:
        return self.dynamic / "routes.json"

    @property
    def prepared(self) -> Path:
        """A route that is ready to be renamed onto the one that is run."""
        return self.folder / "prepared.json"

    def endpoints(self, digest: str) -> Path:
        return self.dynamic / f"endpoints-{digest}.json"

    @property
    def access_log(self) -> Path:
        return self.folder / "access.jsonl"

    def source(self, file: Path) -> dict[str, Any]:
        """A ConfigSource that reads ``file`` again whenever one is renamed onto it."""
        return {
            "resource_api_version": "V3",
            "path_config_source": {
                "path": str(file),
                "watched_directory": {"path": str(self.dynamic)},
            },
        }


def bootstrap(
    place: Place, *, host: str, port: int, unit_header: str, metrics_port: int = 0
) -> dict[str, Any]:
    """Render Envoy's bootstrap; with ``metrics_port`` its statistics are there."""
    static: dict[str, Any] = {"listeners": [_listener(place, host, port, unit_header)]}
    if metrics_port:
        static["listeners"].append(metrics_listener(metrics_port))
        static["clusters"] = [ADMIN_CLUSTER]
    return {
        "node": {"id": "assay", "cluster": "assay"},
        "admin": {"address": {"pipe": {"path": ADMIN_SOCKET, "mode": 0o600}}},
        "dynamic_resources": {"cds_config": place.source(place.clusters)},
        "static_resources": static,
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": TYPE + "envoy.extensions.resource_monitors."
                        "downstream_connections.v3.DownstreamConnectionsConfig",
                        "max_active_downstream_connections": CONNECTIONS,
                    },
                }
            ]
        },
        "layered_runtime": {"layers": [{"name": "static", "static_layer": {}}]},
    }


def _listener(place: Place, host: str, port: int, unit_header: str) -> dict[str, Any]:
    return {
        "name": "scoring",
        "address": {"socket_address": {"address": host, "port_value": port}},
        # A second router on this port fails to start instead of taking half of the traffic.
        "enable_reuse_port": False,
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "filter_chains": [
            {
                "filters": [
                    {
                        "name": "envoy.filters.network.http_connection_manager",
                        "typed_config": _connection_manager(place, unit_header),
                    }
                ]
            }
        ],
    }


def _connection_manager(place: Place, unit_header: str) -> dict[str, Any]:
    base = TYPE + "envoy.extensions.filters."
    return {
        "@type": base + "network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": STAT_PREFIX,
        "codec_type": "AUTO",
        "rds": {"route_config_name": ROUTES, "config_source": place.source(place.routes)},
        # What a client says of itself in x-envoy- headers is taken off, local clients' too.
        "use_remote_address": True,
        "internal_address_config": {"unix_sockets": False},
        # A caller's own id is kept: labels that come later are joined by it.
        "preserve_external_request_id": True,
        "always_set_request_id_in_response": True,
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": base + "http.router.v3.Router"},
            }
        ],
        "access_log": [
            {
                "name": "envoy.access_loggers.file",
                "typed_config": {
                    "@type": TYPE + "envoy.extensions.access_loggers.file.v3.FileAccessLog",
                    "path": str(place.access_log),
                    "log_format": {"json_format": access_log_format(unit_header)},
                },
            }
        ],
    }


def access_log_format(unit_header: str) -> dict[str, str]:
    """What one line of the access log says; ``counts`` reads it."""
    return {
        "time": "%START_TIME(%Y-%m-%dT%H:%M:%S.%6fZ)%",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "route": "%ROUTE_NAME%",
        "generation": f"%REQ({GENERATION_HEADER})%",
        "assigned": f"%REQ({ASSIGNED_HEADER})%",
        "version": f"%RESP({VERSION_HEADER})%",
        "unit": f"%REQ({unit_header})%",
        "status": "%RESPONSE_CODE%",
        "flags": "%RESPONSE_FLAGS%",
        "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
        "milliseconds": "%DURATION%",
        "method": "%REQ(:METHOD)%",
        "path": "%PATH(NQ)%",
        "bytes_in": "%BYTES_RECEIVED%",
        "bytes_out": "%BYTES_SENT%",
    }
