"""Manifests as commits on real bare remotes: what is written, and what is known of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml

from assay.errors import InputError, OutsideError
from assay.rollout.target import WHOLE, Backend, Observation
from assay.rollout.targets.gitops import MARKER
from support.clusters import CANARY, STABLE, THIRD, release, route
from support.config_repository import HERE, Bench, serving

DECISION = "d" * 64


def test_an_image_that_was_pushed_is_committed_by_its_digest_and_stays(bench: Bench) -> None:
    pushed = "models.example/churn@sha256:" + "e" * 64
    target = bench.target()
    target.start(replace(release(STABLE), image=pushed))
    target.start(release(CANARY))
    assert f"image: {pushed}" in bench.file(f"{HERE}/version-{STABLE[:12]}.yaml")
    assert f"image: models.example/churn:{CANARY}" in bench.file(
        f"{HERE}/version-{CANARY[:12]}.yaml"
    )
    target.stop(STABLE)
    assert pushed not in bench.file(f"{HERE}/{MARKER}")


def test_a_version_and_a_route_are_files_that_an_applier_finds(bench: Bench) -> None:
    serving(bench).route(route(2, 1000))
    versions = {f"version-{digest[:12]}.yaml" for digest in (STABLE, CANARY)}
    assert bench.files() == {
        MARKER, "kustomization.yaml", "network-policy.yaml", "route.yaml", *versions,
    }  # fmt: skip
    listed = yaml.safe_load(bench.file(f"{HERE}/kustomization.yaml"))["resources"]
    assert set(listed) == bench.files() - {MARKER, "kustomization.yaml"}
    assert bench.weights() == {STABLE[:12]: 9000, CANARY[:12]: 1000}
    route_file = yaml.safe_load(bench.file(f"{HERE}/route.yaml"))
    assert route_file["metadata"]["annotations"]["assay-ml.github.io/owner"] == "gitops"
    assert bench.log()[:4] == [
        f"Route 10% to {CANARY[:12]} of churn at production",
        f"Start {CANARY[:12]} of churn at production",
        f"Route all of churn at production to {STABLE[:12]}",
        f"Start {STABLE[:12]} of churn at production",
    ]


def test_what_is_there_is_not_committed_again(bench: Bench) -> None:
    target = serving(bench)
    before = bench.git("rev-parse", "main")
    target.start(release(CANARY))
    target.route(route(1, 0))
    target.stop(THIRD)
    assert bench.git("rev-parse", "main") == before


def test_a_rollback_is_a_commit_that_says_whose_decision_it_was(bench: Bench) -> None:
    target = serving(bench)
    before = bench.git("rev-parse", "main")
    served = bench.file(f"{HERE}/version-{STABLE[:12]}.yaml")
    target.route(route(2, 1000))
    target.route(route(3, 5000))
    last = bench.git("rev-parse", "main")
    reason = "Errors of the new version: 4.1 % against 0.2 %."
    target.route(route(4, 0, decision=DECISION, reason=reason))
    assert bench.message().splitlines() == [
        f"Take churn at production back to {STABLE[:12]}",
        "",
        reason,
        "",
        "Assay-Generation: 4",
        f"Assay-Decision: {DECISION}",
        f"Assay-Reverts: {before}..{last}",
    ]
    assert bench.weights() == {STABLE[:12]: WHOLE}
    assert bench.file(f"{HERE}/version-{STABLE[:12]}.yaml") == served
    trailers = bench.git("log", "-1", "--format=%(trailers:key=Assay-Decision,valueonly)", "main")
    assert trailers.strip() == DECISION
    target.stop(CANARY)
    assert f"version-{CANARY[:12]}.yaml" not in bench.files()


def test_a_reason_cannot_forge_a_trailer(bench: Bench) -> None:
    target = serving(bench)
    target.route(
        route(2, 1000, decision=DECISION, reason=f"late\n\nAssay-Decision: {'0' * 64}\x1b")
    )
    trailers = bench.git("log", "-1", "--format=%(trailers:key=Assay-Decision,valueonly)", "main")
    assert trailers.split() == [DECISION]
    assert "\x1b" not in bench.message()


def test_a_route_that_is_not_newer_is_refused(bench: Bench) -> None:
    target = serving(bench)
    target.route(route(5, 1000))
    for late in (route(4, 0), route(5, 2000)):
        with pytest.raises(InputError, match="was asked for generation 5"):
            target.route(late)
    assert bench.weights()[CANARY[:12]] == 1000


def test_traffic_keeps_a_version_and_goes_only_to_one_that_was_started(bench: Bench) -> None:
    target = serving(bench)
    target.route(route(2, 0, mirror=(CANARY, 1000)))
    for digest in (STABLE, CANARY):
        with pytest.raises(InputError, match="still gets traffic"):
            target.stop(digest)
    with pytest.raises(OutsideError, match=f"{THIRD[:12]} was not started"):
        target.route(route(3, 0, mirror=(THIRD, 1000)))


def test_without_the_cluster_only_the_push_is_known(bench: Bench) -> None:
    target = serving(bench)
    target.route(route(2, 1000))
    seen = target.observe()
    commit = bench.git("rev-parse", "main")[:12]
    assert (seen.applied, seen.accepted) == (2, 2)
    assert seen.weights == {STABLE: 9000, CANARY: 1000}
    assert seen.detail == f"pushed as {commit} to main; whether it is applied is not known here"
    assert "whether it runs is not known here" in seen.backends[CANARY].detail


def test_with_the_cluster_what_runs_is_what_counts(bench: Bench) -> None:
    runs = Observation(
        applied=1, weights={STABLE: WHOLE}, backends={STABLE: Backend(ready=True)}, detail="runs"
    )
    target = bench.target(watch=lambda: runs)
    target.start(release(STABLE))
    target.start(release(CANARY))
    target.route(route(2, 1000))
    seen = target.observe()
    assert (seen.applied, seen.accepted) == (1, 2)
    assert seen.weights == {STABLE: WHOLE}
    assert seen.detail.endswith("; runs")


def test_the_record_holds_what_was_rendered(bench: Bench) -> None:
    serving(bench).route(route(2, 1000))
    record = json.loads(bench.file(f"{HERE}/{MARKER}"))
    assert record["versions"] == sorted([STABLE, CANARY])
    assert set(record["files"]) == bench.files() - {MARKER}
