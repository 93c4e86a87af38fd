"""The real controller takes versions through a rollout on a real API server, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.rollout.target import WHOLE
from assay.rollout.targets.kubernetes import Counter, Kubernetes
from support.cluster_statuses import Cluster
from support.controllers import V1, V2, V3, Rig

A_ROUND = 4_000
"""Requests that are answered between two looks."""


class Traffic:
    """What a gateway, a kubelet and the controllers of a cluster would do between two looks."""

    def __init__(self, cluster: Cluster, *, bad: str, gateway: bool = True) -> None:
        self.cluster = cluster
        self.bad = bad
        self.gateway = gateway
        self.counts: dict[str, dict[int, list[int]]] = {}
        self.ports: dict[int, str] = {}

    def target(self) -> Kubernetes:
        return self.cluster.controller(counter=Counter(self._ask))

    def flow(self, digests: tuple[str, ...]) -> None:
        """Every started version gets pods, the route is reported on, and requests are answered."""
        for digest in digests:
            name = self.cluster.site.name(digest)
            if f"Deployment/{name}" in self.cluster.names() and digest not in self.counts:
                self.cluster.run(digest, 2)
                port = 20_000 + len(self.ports)
                self.ports[port] = digest
                self.counts[digest] = {}
                self.cluster.pod(digest, port)
        if not self.cluster.has_route():
            return
        if self.gateway:
            self.cluster.report()
        annotations = self.cluster.http_route()["metadata"]["annotations"]
        asked = json.loads(annotations["assay-ml.github.io/route"])
        for digest, share in asked["weights"].items():
            counted = self.counts[digest].setdefault(asked["generation"], [0, 0, 0])
            answered = A_ROUND * share // WHOLE
            failed = answered // 5 if digest == self.bad else 0
            for place, more in enumerate((answered, failed, failed)):
                counted[place] += more

    def _ask(self, address: str) -> bytes:
        port = int(address.removeprefix("http://127.0.0.1:").partition("/")[0])
        return json.dumps({"counts": self.counts[self.ports[port]]}).encode()


def rig(cluster: Cluster, folder: Path, **settings: Any) -> tuple[Rig, Traffic]:
    traffic = Traffic(cluster, bad=V3, **settings)
    made: Any = traffic.target()
    return Rig(folder, made), traffic


def go(made: Rig, traffic: Traffic, digest: str, *, rounds: int = 30) -> None:
    made.send("deploy", digest)
    for _ in range(rounds):
        made.ticks()
        traffic.flow((V1, V2, V3))
        if made.controller.settled():
            return
    raise AssertionError(f"still on its way: {made.sentences()[-3:]} {made.log.getvalue()[-900:]}")


def test_a_good_version_is_promoted_and_a_bad_one_taken_back(
    cluster: Cluster, tmp_path: Path
) -> None:
    made, traffic = rig(cluster, tmp_path)
    go(made, traffic, V1)
    go(made, traffic, V2)
    assert cluster.weights() == {cluster.site.name(V2): WHOLE}
    go(made, traffic, V3)
    assert cluster.weights() == {cluster.site.name(V2): WHOLE}
    kinds = made.kinds()
    assert kinds.count("promoted") == 2
    assert kinds[-1] == "rolled-back"
    assert f"Deployment/{cluster.site.name(V3)}" not in cluster.names()
    assert cluster.minimum(V2) == 2


def test_without_a_gateway_that_reports_nothing_is_promoted(
    cluster: Cluster, tmp_path: Path
) -> None:
    made, traffic = rig(cluster, tmp_path)
    go(made, traffic, V1)
    traffic.gateway = False
    with pytest.raises(AssertionError, match="still on its way"):
        go(made, traffic, V2, rounds=8)
    assert made.kinds().count("promoted") == 1
    assert cluster.weights()[cluster.site.name(V2)] == 1000


def test_an_api_that_is_killed_under_a_rollout_only_delays_it(
    cluster: Cluster, tmp_path: Path
) -> None:
    made, traffic = rig(cluster, tmp_path)
    go(made, traffic, V1)
    made.send("deploy", V2)
    for _ in range(3):
        made.ticks()
        traffic.flow((V1, V2))
    cluster.plane.kill()
    try:
        made.ticks(2)
    finally:
        cluster.plane.start()
    for _ in range(30):
        made.ticks()
        traffic.flow((V1, V2))
        if made.controller.settled():
            break
    assert made.kinds()[-1] == "promoted"
    assert cluster.weights() == {cluster.site.name(V2): WHOLE}
