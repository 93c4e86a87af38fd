"""Counts of pods: what is added up, what is left out, and what a pod that is gone leaves behind."""

from __future__ import annotations

from typing import Any

import pytest

from assay.act.ports import free_port
from assay.rollout.target import Counts
from assay.rollout.targets.kubernetes import Counter
from support.clusters import CANARY, STABLE, site
from support.counting import serving_counts


def pod(digest: str, port: int, *, restarts: int = 0, ip: str = "127.0.0.1") -> Any:
    """A pod as the API lists it."""
    ports = [{"name": "other", "containerPort": 1}, {"name": "http", "containerPort": port}]
    return {
        "metadata": {"uid": "a", "labels": site().selector(digest)},
        "spec": {"containers": [{"ports": ports}]},
        "status": {"podIP": ip, "containerStatuses": [{"restartCount": restarts}]},
    }


def read(counter: Counter, *pods: Any, generation: int = 5) -> dict[str, Counts]:
    return counter.read(pods, generation, [STABLE, CANARY])


def test_a_pod_that_is_gone_or_began_anew_still_counts() -> None:
    counter = Counter()
    with serving_counts({"5": [10, 1, 2]}) as port:
        read(counter, pod(STABLE, port))
    expected = {STABLE: Counts(requests=10, errors=1, slow=2, units=10)}
    assert read(counter) == expected
    assert read(counter, pod(STABLE, free_port())) == expected
    with serving_counts({"5": [3, 0, 0]}) as port:
        found = read(counter, pod(STABLE, port, restarts=1))
    assert found == {STABLE: Counts(requests=13, errors=1, slow=2, units=13)}


def test_only_the_generation_that_is_asked_for_counts() -> None:
    counter = Counter()
    with serving_counts({"4": [10, 1, 2], "5": [6, 0, 0], "6": [1, 1, 1]}) as port:
        assert read(counter, pod(CANARY, port))[CANARY].requests == 6
        assert read(counter, pod(CANARY, port), generation=6)[CANARY].errors == 1
    assert read(counter, generation=7) == {}


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"[]", b"{}", b'{"counts": []}', b"<html>", b'{"counts": {"5": [1, 2]}}',
        b'{"counts": {"5": [1, 2, 2]}}', b'{"counts": {"5": [-1, 0, 0]}}',
        b'{"counts": {"five": [1, 0, 0]}}', b"x" * 200_000,
    ],
)  # fmt: skip
def test_an_answer_that_holds_no_counts_is_none(answer: bytes) -> None:
    with serving_counts(answer) as port:
        assert read(Counter(), pod(STABLE, port)) == {}


@pytest.mark.parametrize("ip", ["", "evil.example/x?", "127.0.0.1:80@evil", "999.0.0.1"])
def test_only_an_address_is_asked(ip: str) -> None:
    def ask(address: str) -> bytes:
        raise AssertionError(address)

    assert read(Counter(ask), pod(STABLE, 80, ip=ip)) == {}


def test_an_ipv6_address_is_asked_in_brackets() -> None:
    asked = []

    def ask(address: str) -> bytes:
        asked.append(address)
        return b'{"counts": {"5": [1, 0, 0]}}'

    assert read(Counter(ask), pod(STABLE, 80, ip="fd00::1"))[STABLE].requests == 1
    assert asked == ["http://[fd00::1]:80/assay/health"]
