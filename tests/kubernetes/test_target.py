"""The Kubernetes target against a real API server: what is applied, refused, and observed."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from assay.act.ports import free_port
from assay.errors import InputError, OutsideError
from assay.rollout.target import WHOLE, Counts
from assay.rollout.targets.kubernetes import Api, Conflict, Counter, reader
from assay.rollout.targets.manifests import http_route
from support.cluster_statuses import SPEAKS, Cluster
from support.clusters import ARGO, CANARY, RENDERED, STABLE, THIRD, release, route
from support.counting import serving_counts


def started(cluster: Cluster, *digests: str, **settings: Any) -> Any:
    target = cluster.controller(**settings)
    for digest in digests:
        target.start(release(digest))
    return target


def test_a_version_is_applied_whole_and_again_without_a_change(cluster: Cluster) -> None:
    target = started(cluster, CANARY)
    name = cluster.site.name(CANARY)
    assert cluster.names() == {
        *(f"{kind}/{name}" for kind in ("Deployment", "Service", "PodDisruptionBudget")),
        f"HorizontalPodAutoscaler/{name}",
        f"NetworkPolicy/{cluster.site.base}",
    }
    target.route(route(1, WHOLE))
    before = cluster.http_route()["metadata"]
    target.start(release(CANARY))
    target.route(route(1, WHOLE))
    after = cluster.http_route()["metadata"]
    assert before["resourceVersion"] == after["resourceVersion"]
    assert before["generation"] == after["generation"] == 1


def test_without_a_gateway_controller_nothing_is_said_to_be_acknowledged(
    cluster: Cluster,
) -> None:
    target = started(cluster, STABLE, CANARY)
    target.route(route(1, 1000))
    seen = target.observe()
    assert (seen.accepted, seen.applied, seen.weights, seen.router) == (1, 0, {}, False)
    assert seen.detail == "accepted by the API; no gateway controller has reported on it"


def test_what_the_gateway_acknowledged_stays_known_while_the_next_is_under_way(
    cluster: Cluster,
) -> None:
    target = started(cluster, STABLE, CANARY)
    target.route(route(1, 1000))
    cluster.report()
    seen = target.observe()
    assert (seen.applied, seen.weights) == (1, {STABLE: 9000, CANARY: 1000})
    assert seen.detail == f"acknowledged by {SPEAKS}"
    target.route(route(2, 5000))
    seen = target.observe()
    assert (seen.accepted, seen.applied, seen.weights) == (2, 1, {STABLE: 9000, CANARY: 1000})
    assert "has not said Accepted of it yet" in seen.detail
    cluster.report(accepted=False, message="no such listener")
    assert "not Accepted: no such listener" in target.observe().detail
    assert target.observe().applied == 1
    cluster.report()
    assert target.observe().applied == 2


def test_a_backend_is_ready_once_its_least_pods_are_available(cluster: Cluster) -> None:
    target = started(cluster, CANARY)
    assert not target.observe().backends[CANARY].ready
    cluster.run(CANARY, 1)
    seen = target.observe().backends[CANARY]
    assert (seen.ready, seen.detail) == (False, "1 of 2 pods are available")
    cluster.run(CANARY, 2)
    assert target.observe().backends[CANARY].ready


def test_a_rollback_takes_all_traffic_back_and_then_removes_the_version(cluster: Cluster) -> None:
    target = started(cluster, STABLE, CANARY)
    target.route(route(1, 5000))
    with pytest.raises(InputError, match="still gets traffic of production"):
        target.stop(CANARY)
    target.route(route(2, 0))
    assert cluster.weights() == {cluster.site.name(STABLE): WHOLE}
    target.stop(CANARY)
    target.stop(CANARY)
    assert {name.rpartition("-")[2] for name in cluster.names()} == {STABLE[:12], "production"}
    target.start(release(CANARY))
    assert f"Deployment/{cluster.site.name(CANARY)}" in cluster.names()


def test_a_route_that_is_not_newer_is_refused(cluster: Cluster) -> None:
    target = started(cluster, STABLE, CANARY)
    target.route(route(5, 1000))
    for late in (route(4, 0), route(5, 2000)):
        with pytest.raises(InputError, match="was asked for generation 5"):
            target.route(late)
    assert cluster.weights()[cluster.site.name(CANARY)] == 1000


def test_a_route_to_a_version_that_was_not_started_is_refused(cluster: Cluster) -> None:
    target = started(cluster, STABLE)
    with pytest.raises(OutsideError, match=f"{CANARY[:12]} was not started on production"):
        target.route(route(1, 1000))
    with pytest.raises(OutsideError, match=f"{THIRD[:12]} was not started"):
        target.route(route(1, 0, mirror=(THIRD, 100)))


def test_a_mirror_is_what_the_gateway_api_takes(cluster: Cluster) -> None:
    target = started(cluster, STABLE, CANARY)
    target.route(route(1, 0, mirror=(CANARY, 2500)))
    _, found = cluster.http_route()["spec"]["rules"][0]["filters"]
    assert found["requestMirror"]["fraction"] == {"numerator": 2500, "denominator": WHOLE}
    cluster.report()
    assert target.observe().weights == {STABLE: WHOLE}
    with pytest.raises(InputError, match="still gets traffic"):
        target.stop(CANARY)


def test_the_stable_minimum_is_held_until_the_bake_ends(cluster: Cluster) -> None:
    target = started(cluster, STABLE)
    target.route(route(1, 0))
    cluster.run(STABLE, 6)
    target.start(release(CANARY))
    assert cluster.minimum(CANARY) == 6
    target.route(route(2, 1000))
    assert cluster.minimum(STABLE) == 6
    cluster.run(STABLE, 9)
    target.route(route(3, 5000))
    assert cluster.minimum(STABLE) == 6
    target.route(route(4, 0))
    assert (cluster.minimum(STABLE), cluster.minimum(CANARY)) == (2, 2)


def test_a_hand_on_the_weights_is_seen_and_taken_back(cluster: Cluster) -> None:
    target = started(cluster, STABLE, CANARY)
    target.route(route(1, 1000))
    cluster.report()
    rules = cluster.http_route()["spec"]["rules"]
    rules[0]["backendRefs"][0]["weight"] = 7
    cluster.edit({"spec": {"rules": rules}})
    cluster.report()
    seen = target.observe()
    assert seen.applied == 0
    assert seen.detail.endswith("; its weights were changed")
    target.route(route(2, 1000))
    assert sorted(cluster.weights().values()) == [1000, 9000]


def test_what_another_program_applies_is_left_to_it(cluster: Cluster) -> None:
    target = started(cluster, STABLE, CANARY)
    target.route(route(1, 1000))
    theirs: Any = http_route(cluster.site, route(2, 3000))
    del theirs["metadata"]["annotations"]
    cluster.apply(theirs, manager="argocd-controller", force=True)
    with pytest.raises(Conflict, match="argocd-controller"):
        target.route(route(2, 2000))
    assert cluster.weights()[cluster.site.name(CANARY)] == 3000


@pytest.mark.parametrize(
    ("marks", "who"),
    [
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}, "delivered by Flux"),
        ({"annotations": {"argocd.argoproj.io/tracking-id": "x"}}, "delivered by Argo CD"),
    ],
)
def test_a_route_that_gitops_delivers_has_one_owner(
    cluster: Cluster, marks: dict[str, Any], who: str
) -> None:
    target = started(cluster, STABLE, CANARY)
    target.route(route(1, 1000))
    cluster.edit({"metadata": marks})
    with pytest.raises(InputError, match=who):
        target.route(route(2, 0))


def test_an_object_that_assay_did_not_make_is_left_alone(cluster: Cluster) -> None:
    target = started(cluster, STABLE)
    theirs: Any = http_route(cluster.site, route(9, 0))
    cluster.apply(theirs, manager="somebody")
    before = cluster.http_route()["metadata"]["resourceVersion"]
    with pytest.raises(InputError, match="was not made by Assay"):
        target.route(route(10, 0))
    assert cluster.http_route()["metadata"]["resourceVersion"] == before


def test_a_version_with_the_same_name_is_not_taken_for_it(cluster: Cluster) -> None:
    target = started(cluster, CANARY)
    twin = CANARY[:12] + "0" * 52
    with pytest.raises(InputError, match="is another's"):
        target.start(release(twin))
    with pytest.raises(InputError, match="is another's"):
        target.stop(twin)


def test_what_the_server_refuses_is_said_in_its_words(cluster: Cluster) -> None:
    target = started(cluster, STABLE, hostnames=("a..b",))
    with pytest.raises(InputError, match=r"refuses it: .*spec\.hostnames\[0\]"):
        target.route(route(1, 0))


@pytest.mark.parametrize("name", [*RENDERED, *ARGO])
def test_every_golden_manifest_passes_the_servers_schema(cluster: Cluster, name: str) -> None:
    api = Api(cluster.plane.client(), cluster.namespace)
    for each in {**RENDERED, **ARGO}[name]:
        made: Any = copy.deepcopy(each)
        made["metadata"]["namespace"] = cluster.namespace
        assert api.apply(made, version=None)["metadata"]["uid"]
    made["spec"]["replicasses"] = 3
    # Server-side apply knows every field of a kind: a misspelt one is an error, not dropped.
    with pytest.raises(OutsideError, match="replicasses: field not declared in schema"):
        api.apply(made, version=None)


def test_rights_that_are_missing_are_named(cluster: Cluster) -> None:
    cluster.token = "nobody"
    with pytest.raises(OutsideError, match="does not allow it") as caught:
        cluster.controller().start(release(CANARY))
    assert "docs/kubernetes.md" in str(caught.value)


def test_the_pods_counts_of_the_applied_generation_are_added_up(cluster: Cluster) -> None:
    target = started(cluster, STABLE, CANARY)
    target.route(route(3, 1000, sticky=True))
    with (
        serving_counts({"3": [40, 1, 2], "2": [9, 9, 9]}) as one,
        serving_counts({"3": [60, 0, 5]}) as two,
        serving_counts({"3": [7, 7, 7]}) as canary,
    ):
        for digest, port in ((STABLE, one), (STABLE, two), (CANARY, canary)):
            cluster.pod(digest, port)
        cluster.pod(STABLE, free_port())
        assert target.observe().counts == {}
        cluster.report()
        counted = target.observe().counts
    assert counted[STABLE] == Counts(requests=100, errors=1, slow=7, units=100)
    assert counted[CANARY] == Counts(requests=7, errors=7, slow=7, units=7)
    assert target.observe().counts == counted


def test_a_judge_reads_the_pods_that_another_program_started(cluster: Cluster) -> None:
    api = Api(cluster.plane.client(cluster.token), cluster.namespace)
    read = reader(cluster.site, api, Counter())
    with serving_counts({"1": [50, 2, 3]}) as stable, serving_counts({"1": [5, 0, 0]}) as canary:
        cluster.pod(STABLE, stable)
        cluster.pod(CANARY, canary)
        assert {digest: each.requests for digest, each in read().items()} == {
            STABLE: 50,
            CANARY: 5,
        }
