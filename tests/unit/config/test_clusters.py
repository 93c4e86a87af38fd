"""Targets in a cluster: what `assay.yaml` may ask of them, refused where they could never do it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from assay.config import GitOpsTarget, parse_config
from assay.errors import AssayError

IMAGE = "models.example/churn:{digest}"
GITOPS = {"kind": "gitops", "repository": "../config.git", "image": IMAGE}
BY_DIGEST = f"models.example/server@sha256:{'ab' * 32}"


def parsed(
    target: dict[str, Any],
    strategy: str = "canary",
    quality: Any = None,
    agreement: float = 0.0,
    **delivery: Any,
) -> Any:
    found = parse_config(
        yaml.safe_dump(
            {
                "version": 1,
                "models": {
                    "churn": {
                        "predictions": "p.csv",
                        "artifact": "model",
                        "tests": None,
                        "gates": {"accuracy": {"margin": 0.05}},
                        "delivery": {
                            "targets": ["there"],
                            "strategy": {
                                "kind": strategy, "quality": quality, "agreement": agreement,
                            },
                            **delivery,
                        },
                    }
                },
                "delivery": {"targets": {"there": target, "local": {"kind": "local"}}},
            }
        ).encode(),
        file="assay.yaml",
    )  # fmt: skip
    assert found.delivery is not None
    return found.delivery.targets["there"]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"image": "models.example/churn:latest"}, "name the claim that holds the bundles"),
        ({"image": IMAGE, "bundles": "claim"}, "one of both"),
        ({"image": "models.example/server:1", "bundles": "claim"}, "by digest: name@sha256:"),
        ({"image": IMAGE, "replicas": 5, "most_replicas": 4}, "must be replicas or more"),
        ({"image": IMAGE, "namespace": "Not_One"}, "namespace"),
        ({"image": IMAGE, "memory": "much"}, "memory"),
        ({"image": IMAGE, "hostnames": ["a b"]}, "hostnames"),
    ],
)
def test_what_no_cluster_takes_is_refused(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(AssayError, match=words):
        parsed({"kind": "kubernetes", **keys})


@pytest.mark.parametrize("strategy", ["ab", "bandit"])
@pytest.mark.parametrize("target", [{"kind": "kubernetes", "image": IMAGE}, GITOPS])
def test_a_gateway_keeps_no_unit_with_its_version(target: dict[str, Any], strategy: str) -> None:
    with pytest.raises(AssayError, match="no standard way to do"):
        parsed(target, strategy, quality={"margin": 0.02})


@pytest.mark.parametrize("target", [{"kind": "kubernetes", "image": IMAGE}, GITOPS])
def test_without_a_prediction_log_nothing_is_judged_by_it(target: dict[str, Any]) -> None:
    with pytest.raises(AssayError, match=r"strategy\.quality: .* so it could never be judged"):
        parsed(target, quality={"margin": 0.02})
    with pytest.raises(AssayError, match=r"strategy\.agreement: .* there is none"):
        parsed(target, "shadow", agreement=0.9)


def test_without_counts_nothing_could_be_promoted() -> None:
    with pytest.raises(AssayError, match="write observe: true"):
        parsed({**GITOPS, "observe": False})
    before = parsed({**GITOPS, "observe": False}, targets=["there", "local"])
    assert isinstance(before, GitOpsTarget)


def test_a_server_by_digest_takes_its_bundles_from_a_claim() -> None:
    made = parsed({"kind": "kubernetes", "image": BY_DIGEST, "bundles": "bundles"})
    assert (made.bundles, made.replicas, made.most_replicas) == ("bundles", 2, 10)
