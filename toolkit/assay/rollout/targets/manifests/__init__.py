"""A model at a target as Kubernetes objects: pure rendering, shared by all who apply them."""

from assay.rollout.targets.manifests.names import (
    ACKNOWLEDGED,
    DIGEST,
    DOMAIN,
    EPOCH,
    HELD,
    MANAGED_BY,
    MANAGER,
    OWNER,
    PORT,
    PREFIX,
    ROUTE,
    VERSION,
    Manifest,
    Site,
)
from assay.rollout.targets.manifests.routes import http_route, network_policy, read_route, written
from assay.rollout.targets.manifests.text import as_yaml
from assay.rollout.targets.manifests.versions import HEALTH, autoscaler, scales, version

__all__ = [
    "ACKNOWLEDGED",
    "DIGEST",
    "DOMAIN",
    "EPOCH",
    "HEALTH",
    "HELD",
    "MANAGED_BY",
    "MANAGER",
    "OWNER",
    "PORT",
    "PREFIX",
    "ROUTE",
    "VERSION",
    "Manifest",
    "Site",
    "as_yaml",
    "autoscaler",
    "http_route",
    "network_policy",
    "read_route",
    "scales",
    "version",
    "written",
]
