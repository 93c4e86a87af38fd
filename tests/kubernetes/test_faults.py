"""Faults of the Kubernetes target: two controllers, an API that is killed, a watch that is lost."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

import pytest

from assay.errors import OutsideError
from assay.rollout.targets.kubernetes import DURATION, Api, Held, Kubernetes, Lease
from support.cluster_statuses import Cluster
from support.clusters import CANARY, STABLE, release, route
from support.control_plane import ControlPlane


def test_two_controllers_cannot_both_hold_a_target(cluster: Cluster) -> None:
    one = cluster.controller("one")
    one.start(release(STABLE))
    one.route(route(1, 0))
    other = cluster.controller("other")
    with pytest.raises(Held, match="one holds production"):
        other.route(route(2, 0))
    assert other.observe().accepted == 1
    cluster.now += DURATION - 1
    one.observe()
    cluster.now += DURATION - 1
    with pytest.raises(Held):
        other.route(route(2, 0))


def test_a_silent_controller_is_taken_over_and_kept_out(cluster: Cluster) -> None:
    one = cluster.controller("one")
    for digest in (STABLE, CANARY):
        one.start(release(digest))
    one.route(route(1, 5000))
    other = cluster.controller("other")
    with pytest.raises(Held):
        other.route(route(2, 0))
    cluster.now += DURATION
    other.route(route(2, 0))
    with pytest.raises(Held, match="other holds production"):
        one.route(route(3, 9000))
    # Even one that believes that its lease is fresh: the route carries the later epoch.
    one._lease._renewed = cluster.now
    with pytest.raises(OutsideError, match="a later controller"):
        one.route(route(3, 9000))
    assert list(cluster.weights()) == [cluster.site.name(STABLE)]


def test_a_lease_that_is_given_back_is_free_at_once(cluster: Cluster) -> None:
    one = cluster.controller("one")
    one.start(release(STABLE))
    one.close()
    cluster.controller("other").start(release(STABLE))


def test_a_controller_that_starts_again_has_its_lease_still(cluster: Cluster) -> None:
    cluster.controller("one").start(release(STABLE))
    cluster.controller("one").start(release(STABLE))


def test_a_killed_api_is_an_error_that_ends_with_it(cluster: Cluster, plane: ControlPlane) -> None:
    target = cluster.controller()
    for digest in (STABLE, CANARY):
        target.start(release(digest))
    target.route(route(1, 1000))
    cluster.report()
    plane.kill()
    try:
        for call in (
            target.observe,
            lambda: target.route(route(2, 0)),
            lambda: target.start(release(CANARY)),
            lambda: target.stop(CANARY),
        ):
            begun = time.monotonic()
            with pytest.raises(OutsideError, match="does not answer"):
                call()
            assert time.monotonic() - begun < 10
    finally:
        plane.start()
    assert target.observe().applied == 1
    target.route(route(2, 0))
    assert list(cluster.weights()) == [cluster.site.name(STABLE)]


def test_a_lost_watch_costs_a_moment(cluster: Cluster, plane: ControlPlane) -> None:
    target = cluster.controller()
    target.start(release(CANARY))
    cluster.run(CANARY, 1)

    def crash() -> None:
        time.sleep(0.5)
        plane.kill()
        plane.start()
        cluster.run(CANARY, 2)

    other = threading.Thread(target=crash)
    other.start()
    try:
        seen = target.wait(lambda found: found.backends[CANARY].ready, seconds=60)
    finally:
        other.join()
    assert seen.backends[CANARY].ready


def test_waiting_ends_when_it_was_told_to(cluster: Cluster) -> None:
    target = cluster.controller()
    target.start(release(CANARY))
    begun = time.monotonic()
    assert (
        not target.wait(lambda found: found.backends[CANARY].ready, seconds=2)
        .backends[CANARY]
        .ready
    )
    assert time.monotonic() - begun < 5


def test_an_api_that_hangs_is_given_up(cluster: Cluster, plane: ControlPlane) -> None:
    target = cluster.controller()
    target.start(release(CANARY))
    process = plane.processes["api"]
    process.send_signal(signal.SIGSTOP)
    try:
        begun = time.monotonic()
        with pytest.raises(OutsideError, match="does not answer"):
            target.observe()
        assert time.monotonic() - begun < 8
    finally:
        process.send_signal(signal.SIGCONT)
    assert CANARY in target.observe().backends


def meddled(cluster: Cluster, times: int) -> Kubernetes:
    """A target under whose hands somebody edits the route, between its reading and its writing."""
    left = [times]

    class Meddled(Api):
        def apply(self, manifest: Any, **how: Any) -> Any:
            if manifest["kind"] == "HTTPRoute" and left[0]:
                left[0] -= 1
                cluster.edit({"metadata": {"annotations": {"somebody": str(left[0])}}})
            return super().apply(manifest, **how)

    api = Meddled(cluster.plane.client(cluster.token), cluster.namespace, seconds=3)
    return Kubernetes(cluster.site, api, Lease(api, cluster.site, "one"))


def test_an_object_that_moved_since_it_was_read_is_read_again(cluster: Cluster) -> None:
    target = cluster.controller()
    for digest in (STABLE, CANARY):
        target.start(release(digest))
    target.route(route(1, 1000))
    meddled(cluster, 1).route(route(2, 0))
    assert list(cluster.weights()) == [cluster.site.name(STABLE)]
    annotations = cluster.http_route()["metadata"]["annotations"]
    assert annotations["somebody"] == "0"


def test_an_object_that_always_moves_is_said(cluster: Cluster) -> None:
    target = cluster.controller()
    for digest in (STABLE, CANARY):
        target.start(release(digest))
    target.route(route(1, 1000))
    with pytest.raises(OutsideError, match=r"was changed by others \d times in a row"):
        meddled(cluster, 99).route(route(2, 0))
    assert cluster.weights()[cluster.site.name(CANARY)] == 1000
