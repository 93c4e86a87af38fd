"""The objects of one version: Deployment, Service, disruption budget, and autoscaler."""

from __future__ import annotations

import math
from collections.abc import Mapping

from assay.rollout.targets.manifests.names import DIGEST, HELD, PORT, Manifest, Site

LEAVE_SECONDS = 5
"""A pod that ends goes on answering for so long: proxies hear of it a moment later."""
HEALTH = "/assay/health"
"""Where rollout/serving says that the model is loaded."""
_PROBE_SECONDS = 2
_USER = 10001
_CPU_PERCENT = 70
HARDENED_POD: Manifest = {
    "runAsNonRoot": True,
    "runAsUser": _USER,
    "runAsGroup": _USER,
    "fsGroup": _USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}
HARDENED_CONTAINER: Manifest = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def version(
    site: Site, digest: str, *, minimum: int, held: int | None = None, image: str | None = None
) -> list[Manifest]:
    """Return the objects of one version, of which at least ``minimum`` pods run.

    ``held`` is the minimum to go back to when a rollout is over, where this one stands above it;
    ``image`` the version's own by digest, where one was pushed.
    """
    found = [
        _deployment(site, digest, minimum, image),
        _service(site, digest),
        _budget(site, digest),
    ]
    if scales(site):
        found.append(autoscaler(site, digest, minimum=minimum, held=held))
    return found


def scales(site: Site) -> bool:
    """Whether an autoscaler decides how many pods run."""
    return site.cluster.most_replicas > site.cluster.replicas


def autoscaler(site: Site, digest: str, *, minimum: int, held: int | None = None) -> Manifest:
    """Return the HorizontalPodAutoscaler of one version."""
    what = {"apiVersion": "apps/v1", "kind": "Deployment", "name": site.name(digest)}
    spec = scaling(site, what, minimum)
    made = site.manifest("autoscaling/v2", "HorizontalPodAutoscaler", spec, digest)
    if held is not None:
        annotations = made["metadata"]["annotations"]  # type: ignore[index]
        annotations[HELD] = str(held)
    return made


def scaling(site: Site, what: Mapping[str, object], minimum: int) -> Manifest:
    """Return the spec of an autoscaler of ``what``."""
    return {
        "scaleTargetRef": dict(what),
        "minReplicas": min(minimum, site.cluster.most_replicas),
        "maxReplicas": site.cluster.most_replicas,
        "metrics": [
            {
                "type": "Resource",
                "resource": {
                    "name": "cpu",
                    "target": {"type": "Utilization", "averageUtilization": _CPU_PERCENT},
                },
            }
        ],
    }


def _deployment(site: Site, digest: str, minimum: int, image: str | None) -> Manifest:
    spec: dict[str, object] = {
        "revisionHistoryLimit": 2,
        "progressDeadlineSeconds": progress_seconds(site),
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
        },
        "selector": {"matchLabels": site.selector(digest)},
        "template": pod_template(site, digest, image),
    }
    if not scales(site):
        spec["replicas"] = minimum
    return site.manifest("apps/v1", "Deployment", spec, digest)


def progress_seconds(site: Site) -> int:
    """Return how long pods may take to become ready before they count as stuck."""
    return math.ceil(site.serving.start_seconds) + 60


def pod_template(site: Site, digest: str, image: str | None = None) -> Manifest:
    """Return the template of one version's pods."""
    leave = LEAVE_SECONDS + math.ceil(site.serving.drain_seconds)
    pod: dict[str, object] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": leave + 5,
        "securityContext": HARDENED_POD,
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": site.selector(digest)},
            }
        ],
        "containers": [_container(site, digest, image)],
        "volumes": _volumes(site),
    }
    metadata = {
        "labels": {**site.labels, **site.selector(digest)},
        "annotations": {DIGEST: digest},
    }
    return {"metadata": metadata, "spec": pod}


def _container(site: Site, digest: str, image: str | None) -> Manifest:
    mounts: list[Manifest] = [{"name": "scratch", "mountPath": "/tmp"}]  # noqa: S108
    if site.cluster.bundles:
        mounts.append(
            {"name": "bundles", "mountPath": "/bundle", "subPath": digest, "readOnly": True}
        )
    start = max(1, math.ceil(site.serving.start_seconds / _PROBE_SECONDS))
    return {
        "name": "scoring-server",
        "image": site.image(digest, image),
        # The server refuses a bundle of any other digest, whatever the image's tag points at.
        "env": [
            {"name": "ASSAY_BUNDLE", "value": "/bundle"},
            {"name": "ASSAY_ARTIFACT_DIGEST", "value": digest},
            {"name": "ASSAY_PORT", "value": str(PORT)},
            {"name": "ASSAY_WORKERS", "value": str(site.serving.workers)},
        ],
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "resources": {
            "requests": {"cpu": site.cluster.cpu, "memory": site.cluster.memory},
            "limits": {"memory": site.cluster.memory},
        },
        "securityContext": HARDENED_CONTAINER,
        "startupProbe": {**_probe(), "failureThreshold": start},
        "readinessProbe": {**_probe(), "failureThreshold": 2},
        "livenessProbe": {**_probe(), "periodSeconds": 10, "failureThreshold": 6},
        "lifecycle": {"preStop": {"sleep": {"seconds": LEAVE_SECONDS}}},
        "volumeMounts": mounts,
    }


def _probe() -> Manifest:
    return {
        "httpGet": {"path": HEALTH, "port": "http"},
        "periodSeconds": _PROBE_SECONDS,
        "timeoutSeconds": 2,
    }


def _volumes(site: Site) -> list[Manifest]:
    found: list[Manifest] = [{"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}}]
    if site.cluster.bundles:
        claim = {"claimName": site.cluster.bundles, "readOnly": True}
        found.append({"name": "bundles", "persistentVolumeClaim": claim})
    return found


def _service(site: Site, digest: str) -> Manifest:
    port = {
        "name": "http",
        "port": 80,
        "targetPort": "http",
        "protocol": "TCP",
        "appProtocol": "http",
    }
    spec = {"type": "ClusterIP", "selector": site.selector(digest), "ports": [port]}
    return site.manifest("v1", "Service", spec, digest)


def _budget(site: Site, digest: str) -> Manifest:
    spec = {
        "maxUnavailable": 1,
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
        "selector": {"matchLabels": site.selector(digest)},
    }
    return site.manifest("policy/v1", "PodDisruptionBudget", spec, digest)
