"""Sites, releases and routes for the tests of Kubernetes and GitOps."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from assay.config import Serving, Step, Strategy
from assay.config.clusters import KubernetesTarget
from assay.rollout.target import WHOLE, Release, Route
from assay.rollout.targets.manifests import (
    Manifest,
    Site,
    argo_rollout,
    http_route,
    network_policy,
    version,
)
from assay.rollout.targets.manifests.argo import Provider

STABLE = hashlib.sha256(b"stable").hexdigest()
CANARY = hashlib.sha256(b"canary").hexdigest()
THIRD = hashlib.sha256(b"third").hexdigest()
PROVIDERS: tuple[Provider, ...] = ("job", "web")
IMAGE = "models.example/churn:{digest}"
CLAIM = {"image": f"models.example/server@sha256:{'ab' * 32}", "bundles": "bundles"}
FIXED = {"replicas": 3, "most_replicas": 3}
ELSEWHERE = {"gateway_namespace": "edge", "hostnames": ("churn.example",)}


def site(
    *, model: str = "churn", target: str = "production", owner: str = "kubernetes", **cluster: Any
) -> Site:
    """A model's place in a cluster; ``cluster`` are keys of the target's configuration."""
    given = {"kind": "kubernetes", "image": IMAGE, **cluster}
    return Site(
        model=model,
        target=target,
        cluster=KubernetesTarget.model_validate(given),
        serving=Serving(),
        owner=owner,
    )


def route(generation: int, canary: int, **more: Any) -> Route:
    """A split of all requests between two versions; ``canary`` is in ten-thousandths."""
    weights = {STABLE: WHOLE - canary, CANARY: canary}
    return Route(
        generation=generation,
        weights={digest: share for digest, share in weights.items() if share},
        stable=STABLE,
        **more,
    )


def release(digest: str) -> Release:
    """A version as a target starts it; a cluster reads nothing from its folder."""
    return Release(digest=digest, folder=Path("/nowhere"))


RENDERED: dict[str, list[Manifest]] = {
    "version": version(site(), CANARY, minimum=2),
    "version-held": version(site(), STABLE, minimum=6, held=2),
    "version-fixed-with-claim": version(site(**FIXED, **CLAIM), CANARY, minimum=3),
    "shared": [network_policy(site()), http_route(site(), route(7, 1000))],
    "shared-elsewhere": [
        network_policy(site(**ELSEWHERE)),
        http_route(site(**ELSEWHERE), route(8, 0, mirror=(CANARY, 2500))),
    ],
}
"""Manifests of every shape, by the name of their golden file."""

ARGO: dict[str, list[Manifest]] = {
    f"argo-{provider}": argo_rollout(
        site(owner="argo-rollouts"),
        Strategy(steps=(Step(weight=0.01, bake=600), Step(weight=0.5))),
        CANARY,
        toolkit_image="tools.example/assay:1",
        provider=provider,
    )
    for provider in PROVIDERS
}
"""The rendering for Argo Rollouts, by the name of its golden file."""
