"""A rendering for Argo Rollouts: it moves the traffic, and its analysis asks for our verdict.

Each canary step is one analysis: a Job that ends with the verdict (``assay rollout judge``), or a
web request that is repeated until the judge's service has one. Argo's controller owns the weights.
"""

from __future__ import annotations

import math
from typing import Any, Literal

from assay.config import Strategy
from assay.errors import InputError
from assay.rollout.targets.manifests.names import DIGEST, Manifest, Site
from assay.rollout.targets.manifests.routes import CONTROLLER, network_policy, split
from assay.rollout.targets.manifests.versions import (
    HARDENED_CONTAINER,
    HARDENED_POD,
    pod_template,
    progress_seconds,
    scales,
    scaling,
)

API = "argoproj.io/v1alpha1"
GENERATION = 1
"""Of the one route that Argo Rollouts rewrites; a judge counts from when it began to look."""
CONFIG_MAP = "assay-config"
PLUGIN = "argoproj-labs/gatewayAPI"
JUDGE_PORT = 8081
_INTERVAL = 10
_SCALE_DOWN_SECONDS = 600
Provider = Literal["job", "web"]


def argo_rollout(
    site: Site, strategy: Strategy, digest: str, *, toolkit_image: str, provider: Provider
) -> list[Manifest]:
    """Return all objects of a model that Argo Rollouts takes to the version ``digest``.

    Raises InputError for what Argo Rollouts cannot do or our judge cannot know.
    """
    _check(strategy)
    stable, canary = f"{site.base}-stable", f"{site.base}-canary"
    route = split(site, {stable: 100, canary: 0}, generation=GENERATION)
    found = [
        network_policy(site),
        *(_named(_service(site), name) for name in (stable, canary)),
        site.manifest("gateway.networking.k8s.io/v1", "HTTPRoute", route),
        _budget(site),
        site.manifest(API, "AnalysisTemplate", _analysis(site, strategy, toolkit_image, provider)),
        _rollout(site, strategy, digest, stable=stable, canary=canary),
    ]
    if scales(site):
        what = {"apiVersion": API, "kind": "Rollout", "name": site.base}
        spec = scaling(site, what, site.cluster.replicas)
        found.append(site.manifest("autoscaling/v2", "HorizontalPodAutoscaler", spec))
    return found


def _check(strategy: Strategy) -> None:
    if strategy.kind != "canary":
        raise InputError(
            f"Argo Rollouts is rendered for a canary, not for {strategy.kind}.",
            remedy="Write strategy.kind: canary, or let Assay's controller deliver.",
        )
    if strategy.quality is not None:
        raise InputError(
            "strategy.quality needs labels, which Assay's controller reads and a judge does not.",
            remedy="Leave quality out here, or let Assay's controller deliver.",
        )
    broken = [step.weight for step in strategy.steps if round(step.weight * 100, 6) % 1]
    if broken:
        raise InputError(
            f"Argo Rollouts has whole percents; {broken[0]:.4g} is none.",
            remedy="Write weights such as 0.01, 0.1, 0.5.",
        )


def _rollout(site: Site, strategy: Strategy, digest: str, *, stable: str, canary: str) -> Manifest:
    steps: list[Manifest] = []
    for place, step in enumerate(strategy.steps):
        told = {"candidate": digest, "step": str(place)}
        analysis = {
            "templates": [{"templateName": site.base}],
            "args": [{"name": name, "value": value} for name, value in told.items()],
        }
        steps += [{"setWeight": round(step.weight * 100)}, {"analysis": analysis}]
    template: dict[str, Any] = pod_template(site, digest)
    del template["spec"]["topologySpreadConstraints"]
    spec: Manifest = {
        "revisionHistoryLimit": 2,
        "progressDeadlineSeconds": progress_seconds(site),
        "selector": {"matchLabels": {"app.kubernetes.io/name": site.base}},
        "template": template,
        "strategy": {
            "canary": {
                "stableService": stable,
                "canaryService": canary,
                # The stable version keeps all of its pods: all traffic may come back.
                "dynamicStableScale": False,
                "scaleDownDelaySeconds": _SCALE_DOWN_SECONDS,
                "trafficRouting": {
                    "plugins": {
                        PLUGIN: {"httpRoute": site.base, "namespace": site.cluster.namespace}
                    }
                },
                "steps": steps,
            }
        },
    }
    if not scales(site):
        spec["replicas"] = site.cluster.replicas
    made: dict[str, Any] = site.manifest(API, "Rollout", spec)
    made["metadata"]["annotations"][DIGEST] = digest
    return made


def _analysis(site: Site, strategy: Strategy, image: str, provider: Provider) -> Manifest:
    metric: Manifest = {"name": "verdict"}
    if provider == "job":
        metric |= {"count": 1, "provider": {"job": {"spec": _job(site, strategy, image)}}}
    else:
        where = f"{site.base}-judge.{site.cluster.namespace}.svc:{JUDGE_PORT}"
        asked = "candidate={{args.candidate}}&step={{args.step}}"
        metric |= {
            "interval": f"{_INTERVAL}s",
            "consecutiveSuccessLimit": 1,
            "failureLimit": 0,
            "inconclusiveLimit": math.ceil(strategy.deadline / _INTERVAL) + 1,
            "successCondition": 'result == "pass"',
            "failureCondition": 'result == "fail"',
            "provider": {
                "web": {
                    "url": f"http://{where}/verdict?{asked}",
                    "jsonPath": "{$.state}",
                    "timeoutSeconds": 10,
                }
            },
        }
    args = [{"name": name} for name in ("candidate", "step")]
    return {"args": args, "metrics": [metric]}


def _job(site: Site, strategy: Strategy, image: str) -> Manifest:
    """A Job that looks until there is a verdict; anything but a pass fails it, and the step."""
    command = [
        "assay", "rollout", "judge", "--config", "/config/assay.yaml", "--model", site.model,
        "--target", site.target, "--candidate", "{{args.candidate}}", "--step", "{{args.step}}",
    ]  # fmt: skip
    container = {
        "name": "judge",
        "image": image,
        "command": command,
        "securityContext": HARDENED_CONTAINER,
        "volumeMounts": [
            {"name": "config", "mountPath": "/config", "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108
        ],
    }
    pod = {
        "restartPolicy": "Never",
        "serviceAccountName": CONTROLLER,
        "securityContext": HARDENED_POD,
        "containers": [container],
        "volumes": [
            {"name": "config", "configMap": {"name": CONFIG_MAP}},
            {"name": "scratch", "emptyDir": {}},
        ],
    }
    return {
        "backoffLimit": 0,
        "activeDeadlineSeconds": math.ceil(strategy.deadline) + 60,
        "template": {
            "metadata": {"labels": {"app.kubernetes.io/name": CONTROLLER}},
            "spec": pod,
        },
    }


def _service(site: Site) -> Manifest:
    ports = [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]
    spec = {"selector": {"app.kubernetes.io/name": site.base}, "ports": ports}
    return site.manifest("v1", "Service", spec)


def _budget(site: Site) -> Manifest:
    selector = {"matchLabels": {"app.kubernetes.io/name": site.base}}
    spec = {"maxUnavailable": 1, "selector": selector}
    return site.manifest("policy/v1", "PodDisruptionBudget", spec)


def _named(manifest: Manifest, name: str) -> Manifest:
    metadata: dict[str, Any] = {**manifest["metadata"], "name": name}  # type: ignore[dict-item]
    return {**manifest, "metadata": metadata}
