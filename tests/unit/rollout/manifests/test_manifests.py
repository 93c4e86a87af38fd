"""What is rendered for a cluster: held to golden files, and to what must never be in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from assay.rollout.target import WHOLE
from assay.rollout.targets.manifests import (
    as_yaml,
    http_route,
    read_route,
    version,
    written,
)
from support.clusters import ARGO, CANARY, CLAIM, FIXED, RENDERED, route, site

GOLDEN = Path(__file__).parent / "golden"


ALL = {**RENDERED, **ARGO}


@pytest.mark.parametrize("name", ALL)
def test_what_is_rendered_is_what_was_read_through(name: str) -> None:
    """Set ASSAY_UPDATE_GOLDEN=1 to write the files anew, and read their diff."""
    file = GOLDEN / f"{name}.yaml"
    made = as_yaml(ALL[name])
    if os.environ.get("ASSAY_UPDATE_GOLDEN") == "1":
        file.write_text(made)
    assert made == file.read_text()
    assert list(yaml.safe_load_all(made)) == ALL[name]


def deployment(**cluster: Any) -> Any:
    return version(site(**cluster), CANARY, minimum=3)[0]


def test_an_autoscaler_and_a_number_of_replicas_never_meet() -> None:
    assert "replicas" not in deployment()["spec"]
    kinds = [each["kind"] for each in version(site(), CANARY, minimum=2)]
    assert "HorizontalPodAutoscaler" in kinds
    assert deployment(**FIXED)["spec"]["replicas"] == 3
    kinds = [each["kind"] for each in version(site(**FIXED), CANARY, minimum=3)]
    assert "HorizontalPodAutoscaler" not in kinds


def test_a_pod_has_longer_to_leave_than_its_requests_take() -> None:
    pod = deployment()["spec"]["template"]["spec"]
    pause = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > pause + site().serving.drain_seconds


def test_an_image_is_named_by_the_version_or_mounts_its_bundle() -> None:
    (container,) = deployment()["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"models.example/churn:{CANARY}"
    (container,) = deployment(**CLAIM)["spec"]["template"]["spec"]["containers"]
    mounted = [each for each in container["volumeMounts"] if each["name"] == "bundles"]
    assert [each["subPath"] for each in mounted] == [CANARY]
    assert {"name": "ASSAY_ARTIFACT_DIGEST", "value": CANARY} in container["env"]


PUSHED = "models.example/churn@sha256:" + "e" * 64


@pytest.mark.parametrize(
    ("configured", "pushed", "runs"),
    [
        ("models.example/churn:{digest}", PUSHED, PUSHED),
        ("models.example/churn:{digest}", None, f"models.example/churn:{CANARY}"),
        (
            "other.example:5000/churn:{digest}",
            PUSHED,
            f"other.example:5000/churn:{CANARY}",
        ),
        (
            "other.example:5000/churn:{digest}",
            PUSHED.replace("models.example", "other.example:5000"),
            None,
        ),
    ],
    ids=["pushed", "by-tag", "another-repository", "with-port"],
)
def test_the_image_that_was_pushed_runs_by_its_digest(
    configured: str, pushed: str | None, runs: str | None
) -> None:
    made = version(site(image=configured), CANARY, minimum=1, image=pushed)[0]
    (container,) = made["spec"]["template"]["spec"]["containers"]  # type: ignore[index]
    assert container["image"] == (runs or pushed)


MODEL = st.from_regex(r"\A[a-z0-9][a-z0-9._-]{0,62}\Z")
TARGET = st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,62}\Z")


@given(st.tuples(MODEL, TARGET), st.tuples(MODEL, TARGET))
def test_names_are_labels_of_dns_and_tell_sites_apart(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    names = []
    for model, target in (one, other):
        made = site(model=model, target=target)
        name = made.name(CANARY)
        assert len(name) <= 63
        assert name[0].isalpha()
        assert name[-1].isalnum()
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        names.append(name)
    assert (names[0] == names[1]) == (one == other)


def test_sites_whose_names_run_together_are_told_apart() -> None:
    pairs = [("a-b", "c"), ("a", "b-c"), ("a.b", "c"), ("a_b", "c"), ("1a", "c"), ("m1a", "c")]
    assert len({site(model=model, target=target).base for model, target in pairs}) == len(pairs)


@given(st.integers(1, 10**6), st.integers(0, WHOLE), st.none() | st.integers(0, WHOLE))
def test_a_route_comes_back_from_its_annotation(
    generation: int, canary: int, mirrored: int | None
) -> None:
    mirror = None if mirrored is None else (CANARY, mirrored)
    made = route(generation, canary, mirror=mirror, sticky=bool(canary % 2))
    assert read_route(written(made)) == made


@pytest.mark.parametrize(
    "text",
    [None, "", "{}", "[]", "null", '{"generation":1,"weights":{"a":5},"stable":"a"}', "{"],
)
def test_an_annotation_that_is_no_route_is_none(text: str | None) -> None:
    assert read_route(text) is None


def test_weights_are_all_there_and_add_up() -> None:
    made: Any = http_route(site(), route(1, 1))
    (rule,) = made["spec"]["rules"]
    assert sorted(each["weight"] for each in rule["backendRefs"]) == [1, WHOLE - 1]
    made = http_route(site(), route(2, 0))
    assert [each["weight"] for each in made["spec"]["rules"][0]["backendRefs"]] == [WHOLE]
