"""What the pods of each version counted, asked of each pod.

A Gateway API route reports no counts. So the pods count, by the generation that the route writes
into each request; what a gateway answers itself, without a pod, is not in it.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import urllib3

from assay.rollout.target import Counts
from assay.rollout.targets.kubernetes.api import Object
from assay.rollout.targets.manifests import HEALTH, PREFIX, VERSION

_SECONDS = 1.0
_AT_ONCE = 8
_LARGEST = 64 * 1024
Ask = Callable[[str], bytes]
"""Given an address, what a pod answers. Raises OSError or urllib3's HTTPError."""


class Counter:
    """Adds up the counts of pods, those that are gone since included: counts only grow."""

    def __init__(self, ask: Ask | None = None) -> None:
        self._ask = ask or _asker()
        self._known: dict[tuple[str, int, str, int], tuple[int, int, int]] = {}
        """By pod, its restarts, version and generation: requests, errors, slow answers."""

    def read(
        self, pods: Sequence[Object], generation: int, digests: Sequence[str]
    ) -> dict[str, Counts]:
        """Return the counts of each version at one generation; no entry where nothing was heard."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for found in pool.map(self._asked, [pod for pod in pods if _address(pod)]):
                self._known.update(found)
        self._known = {key: value for key, value in self._known.items() if key[3] >= generation}
        by_digest = {}
        for digest in digests:
            parts = [
                counts
                for (_, _, version, of), counts in self._known.items()
                if version == digest[:PREFIX] and of == generation
            ]
            if parts:
                requests, errors, slow = (sum(each) for each in zip(*parts, strict=True))
                # Each request is drawn anew: it is a unit of its own.
                by_digest[digest] = Counts(
                    requests=requests, errors=errors, slow=slow, units=requests
                )
        return by_digest

    def _asked(self, pod: Object) -> Mapping[tuple[str, int, str, int], tuple[int, int, int]]:
        try:
            answered = json.loads(self._ask(f"http://{_address(pod)}{HEALTH}"))
            counts = dict(answered["counts"])
            restarts = sum(
                int(each.get("restartCount", 0))
                for each in pod["status"].get("containerStatuses") or []
            )
            version = str((pod["metadata"].get("labels") or {}).get(VERSION))
            place = (str(pod["metadata"]["uid"]), restarts, version)
            return {(*place, int(of)): _three(each) for of, each in counts.items()}
        except (OSError, urllib3.exceptions.HTTPError, ValueError, TypeError, KeyError):
            # Not up yet, gone, or no server of ours: what it said last still counts.
            return {}


def _three(counts: Sequence[int]) -> tuple[int, int, int]:
    requests, errors, slow = (int(each) for each in counts)
    if not 0 <= errors <= slow <= requests:
        raise ValueError("these are no counts")
    return requests, errors, slow


def _address(pod: Object) -> str | None:
    """Where a pod answers; None for one that has no address yet."""
    try:
        address = ipaddress.ip_address((pod.get("status") or {}).get("podIP", ""))
    except ValueError:
        return None
    ports = [
        port["containerPort"]
        for container in pod["spec"].get("containers") or []
        for port in container.get("ports") or []
        if port.get("name") == "http"
    ]
    host = f"[{address}]" if address.version == 6 else str(address)
    return f"{host}:{ports[0]}" if ports else None


def _asker() -> Ask:
    pool = urllib3.PoolManager(retries=False, timeout=_SECONDS, maxsize=_AT_ONCE, num_pools=256)

    def ask(address: str) -> bytes:
        answer = pool.request("GET", address, preload_content=False, redirect=False)
        try:
            body: bytes = answer.read(_LARGEST)
        finally:
            answer.release_conn()
        return body

    return ask
