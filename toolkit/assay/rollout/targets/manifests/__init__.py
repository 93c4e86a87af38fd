"""A model at a target as Kubernetes objects: pure rendering, shared by all who apply them."""

from assay.rollout.targets.manifests.argo import GENERATION, JUDGE_PORT, argo_rollout
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
    "GENERATION",
    "HEALTH",
    "HELD",
    "JUDGE_PORT",
    "MANAGED_BY",
    "MANAGER",
    "OWNER",
    "PORT",
    "PREFIX",
    "ROUTE",
    "VERSION",
    "Manifest",
    "Site",
    "argo_rollout",
    "as_yaml",
    "autoscaler",
    "http_route",
    "network_policy",
    "read_route",
    "scales",
    "version",
    "written",
]
