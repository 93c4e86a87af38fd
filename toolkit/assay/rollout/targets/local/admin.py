"""Envoy's admin interface, on a Unix socket that only its user may open."""

from __future__ import annotations

import http.client
import json
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from assay.errors import OutsideError
from assay.rollout.targets.local.bootstrap import ROUTES, STAT_PREFIX
from assay.rollout.targets.local.clusters import cluster_name, mirror_name
from assay.rollout.targets.local.names import ADMIN_SOCKET

_SECONDS = 2.0
_FILTER = (
    r"^(cluster_manager\.cds\.version_text"
    rf"|http\.{STAT_PREFIX}\.rds\.{ROUTES}\.(version_text|update_failure|update_rejected)"
    r"|cluster\.(version|mirror)-[0-9a-f]+\.upstream_rq_(active|total|pending_overflow))$"
)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What Envoy says of itself at one moment."""

    stats: dict[str, str | int]
    healthy: dict[str, int] = field(default_factory=dict)
    """Healthy endpoints of each cluster that it knows."""
    unhealthy: dict[str, set[int]] = field(default_factory=dict)
    """The ports of a cluster's endpoints that are not healthy."""

    @property
    def generation(self) -> int:
        """Of the routes that it runs; 0 for none."""
        found = str(self.stats.get(f"http.{STAT_PREFIX}.rds.{ROUTES}.version_text", ""))
        return int(found) if found.isdecimal() else 0

    @property
    def clusters(self) -> str:
        """The version of the clusters that it runs."""
        return str(self.stats.get("cluster_manager.cds.version_text", ""))

    @property
    def refused(self) -> int:
        """Route files that it did not take, since it started."""
        prefix = f"http.{STAT_PREFIX}.rds.{ROUTES}."
        return self.number(prefix + "update_failure") + self.number(prefix + "update_rejected")

    def active(self, digest: str) -> int:
        """A version's requests in flight, mirrored ones among them."""
        names = (cluster_name(digest), mirror_name(digest))
        return sum(self.number(f"cluster.{name}.upstream_rq_active") for name in names)

    def not_mirrored(self, digest: str) -> int:
        """Requests beyond the mirror's cap, since the shadow's cluster is there."""
        return self.number(f"cluster.{mirror_name(digest)}.upstream_rq_pending_overflow")

    def number(self, name: str) -> int:
        return int(self.stats.get(name, 0))


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket whose path may be longer than the 107 bytes that its name has."""

    def __init__(self, folder: Path) -> None:
        super().__init__("localhost", timeout=_SECONDS)
        self._folder = folder

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_SECONDS)
        folder = os.open(self._folder, os.O_PATH | os.O_DIRECTORY)
        try:
            self.sock.connect(f"/proc/self/fd/{folder}/{ADMIN_SOCKET}")
        finally:
            os.close(folder)


class Admin:
    """Asks an Envoy that works in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, path: str) -> str:
        """Raises OutsideError where Envoy does not answer."""
        return self._ask("GET", path)

    def post(self, path: str) -> None:
        """Raises OutsideError where Envoy does not answer."""
        self._ask("POST", path)

    def snapshot(self) -> Snapshot:
        """Raises OutsideError where Envoy does not answer."""
        stats = json.loads(self.get(f"/stats?format=json&filter={quote(_FILTER, safe='')}"))[
            "stats"
        ]
        clusters = json.loads(self.get("/clusters?format=json")).get("cluster_statuses", [])
        found = {cluster["name"]: cluster.get("host_statuses", []) for cluster in clusters}
        return Snapshot(
            stats={stat["name"]: stat["value"] for stat in stats if "name" in stat},
            healthy={name: sum(map(_is_healthy, hosts)) for name, hosts in found.items()},
            unhealthy={
                name: {_port(host) for host in hosts if not _is_healthy(host)}
                for name, hosts in found.items()
            },
        )

    def _ask(self, method: str, path: str) -> str:
        connection = _Connection(self.folder)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            body = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise OutsideError(f"the router in {self.folder} does not answer: {error}.") from error
        finally:
            connection.close()
        if answer.status != 200:
            raise OutsideError(f"the router answers {answer.status} to {path}: {body.strip()}.")
        return body


def _is_healthy(host: dict[str, Any]) -> bool:
    status = host.get("health_status", {})
    return not any(key.startswith(("failed_", "pending_")) for key in status if status[key])


def _port(host: dict[str, Any]) -> int:
    return int(host["address"]["socket_address"]["port_value"])
