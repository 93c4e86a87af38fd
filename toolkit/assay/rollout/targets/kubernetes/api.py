"""The few calls of the Kubernetes API that a target needs, through the official client.

Every failure is told as what it is: the API is away, it refuses, or somebody else was there.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from kubernetes import client, config, dynamic, watch

from assay.errors import InputError, OutsideError
from assay.rollout.targets.manifests import MANAGER

SECONDS = 10.0
"""A call that takes longer has failed; the controller asks again in its next round."""
Object = dict[str, Any]
"""One object as the API has it."""


class Conflict(OutsideError):
    """Somebody else changed the object, or owns a field of it.

    ``stale`` says that it moved since it was read: read it again. ``managers`` own the fields.
    """

    def __init__(self, message: str, *, stale: bool, managers: frozenset[str]) -> None:
        self.stale = stale
        self.managers = managers
        super().__init__(message, remedy="Look at `kubectl get -o yaml --show-managed-fields`.")


class _Undiscovered:
    """A discoverer that asks nothing: the paths are known, and no cache file is written."""

    def __init__(self, _client: object, _cache_file: object) -> None:
        pass


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of object, as paths name it."""

    api: str
    kind: str

    def path(self, namespace: str, name: str = "") -> str:
        """Return the path of the objects, or of one."""
        root = "/apis/" if "/" in self.api else "/api/"
        plural = f"{self.kind.lower()}s".replace("policys", "policies")
        where = f"{root}{self.api}/namespaces/{namespace}/{plural}"
        return f"{where}/{name}" if name else where


DEPLOYMENT = Kind(api="apps/v1", kind="Deployment")
SERVICE = Kind(api="v1", kind="Service")
POD = Kind(api="v1", kind="Pod")
BUDGET = Kind(api="policy/v1", kind="PodDisruptionBudget")
AUTOSCALER = Kind(api="autoscaling/v2", kind="HorizontalPodAutoscaler")
HTTP_ROUTE = Kind(api="gateway.networking.k8s.io/v1", kind="HTTPRoute")
LEASE = Kind(api="coordination.k8s.io/v1", kind="Lease")


def connect(context: str | None = None) -> client.ApiClient:
    """Return a client of the cluster: the pod's own service account, or the kubeconfig's context.

    Raises InputError where there is neither.
    """
    configuration = client.Configuration()
    try:
        if context is None and os.environ.get("KUBERNETES_SERVICE_HOST"):
            config.load_incluster_config(client_configuration=configuration)
        else:
            # The client would take the variable as it was when it was imported.
            file = os.environ.get("KUBECONFIG") or None
            config.load_kube_config(file, context=context, client_configuration=configuration)
    except (config.ConfigException, OSError) as error:
        raise InputError(
            f"no cluster to speak to: {error}",
            remedy="Give a kubeconfig (KUBECONFIG) with that context, or run it in the cluster.",
        ) from error
    configuration.retries = False
    return client.ApiClient(configuration)


class Api:
    """The objects of one namespace."""

    def __init__(self, made: client.ApiClient, namespace: str, *, seconds: float = SECONDS) -> None:
        self._client = dynamic.DynamicClient(made, discoverer=_Undiscovered)
        self.host = str(made.configuration.host)
        self.namespace = namespace
        self._seconds = seconds

    def get(self, kind: Kind, name: str) -> Object | None:
        """Return one object, or None."""
        try:
            return self._call("get", kind, name)
        except _Missing:
            return None

    def list(self, kind: Kind, labels: Mapping[str, str]) -> list[Object]:
        """Return the objects with these labels; none where the cluster has no such kind."""
        try:
            found = self._call("get", kind, label_selector=_selector(labels))
        except _Missing:
            return []
        return list(found.get("items", []))

    def apply(self, manifest: Object, *, version: str | None, force: bool = False) -> Object:
        """Apply one object upon the ``version`` of it that was read (None: there was none)."""
        kind = Kind(api=manifest["apiVersion"], kind=manifest["kind"])
        metadata = dict(manifest["metadata"])
        if version is not None:
            metadata["resourceVersion"] = version
        try:
            return self._call(
                "patch", kind, metadata["name"], body={**manifest, "metadata": metadata},
                content_type="application/apply-patch+yaml", field_manager=MANAGER,
                force_conflicts="true" if force else "false",
            )  # fmt: skip
        except _Missing as error:
            if version is not None:
                raise Conflict(
                    f"{_named(manifest)} is gone.", stale=True, managers=frozenset()
                ) from error
            raise OutsideError(
                f"{self.host} has no {kind.api} {kind.kind}, or no namespace {self.namespace}.",
                remedy="Create the namespace, and install the Gateway API's standard resources.",
            ) from error

    def write(self, manifest: Object, *, new: bool) -> Object:
        """Create an object that must not exist, or replace the version that it names."""
        kind = Kind(api=manifest["apiVersion"], kind=manifest["kind"])
        name = "" if new else manifest["metadata"]["name"]
        try:
            return self._call(
                "post" if new else "put", kind, name, body=manifest, field_manager=MANAGER
            )
        except _Missing as error:
            raise OutsideError(f"{self.host} has no namespace {self.namespace}.") from error

    def delete(self, kind: Kind, found: Object) -> None:
        """Delete the very object that was read; one that is gone is as good."""
        metadata = found["metadata"]
        only = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
        body = {"preconditions": only, "propagationPolicy": "Background"}
        with contextlib.suppress(_Missing):
            self._call("delete", kind, metadata["name"], body=body)

    def changes(self, kind: Kind, labels: Mapping[str, str], seconds: float) -> Iterator[None]:
        """Yield whenever an object changes, for at most ``seconds``; ends early if it is lost.

        Nothing is read from a watch, so nothing is missed with one: it says when to look again.
        """
        watcher = watch.Watch()
        with contextlib.suppress(_Missing, OutsideError), _told(self.host):
            for _ in watcher.stream(
                self._stream, kind, label_selector=_selector(labels),
                timeout_seconds=max(1, int(seconds)), _request_timeout=seconds + 1,
            ):  # fmt: skip
                yield

    def _stream(self, kind: Kind, **params: object) -> object:
        path = kind.path(self.namespace)
        return self._client.request("get", path, serialize=False, **params)

    def _call(self, method: str, kind: Kind, name: str = "", **params: object) -> Object:
        path = kind.path(self.namespace, name)
        with _told(self.host):
            done = self._client.request(
                method, path, serialize=False, _request_timeout=self._seconds, **params
            )
            found: Object = json.loads(done.data)
            return found


class _Missing(Exception):
    """Not found: the object, its kind, or its namespace."""


@contextlib.contextmanager
def _told(host: str) -> Iterator[None]:
    """Turn what the client raises into what a person can act on."""
    try:
        yield
    except dynamic.exceptions.DynamicApiError as error:
        raise _meaning(host, error) from error
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise OutsideError(
            f"the Kubernetes API at {host} does not answer: {_short(error)}.",
            remedy="Versions go on serving as they do; the controller asks again.",
        ) from error


def _meaning(host: str, error: dynamic.exceptions.DynamicApiError) -> Exception:
    said = _status(error)
    message = str(said.get("message") or error.reason or error.status)[:500]
    if error.status == 404:
        return _Missing(message)
    if error.status == 409:
        causes = (said.get("details") or {}).get("causes") or []
        owned = [each for each in causes if each.get("reason") == "FieldManagerConflict"]
        managers = frozenset(str(each.get("message", "")) for each in owned)
        return Conflict(message, stale=not owned, managers=managers)
    if error.status in {400, 422}:
        return InputError(f"the Kubernetes API at {host} refuses it: {message}")
    if error.status in {401, 403}:
        return OutsideError(
            f"the Kubernetes API at {host} does not allow it: {message}",
            remedy="Give the controller's service account the role in docs/kubernetes.md.",
        )
    return OutsideError(f"the Kubernetes API at {host} failed ({error.status}): {message}")


def _status(error: dynamic.exceptions.DynamicApiError) -> Object:
    try:
        found = json.loads(error.body)
    except (ValueError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _selector(labels: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))


def _named(manifest: Object) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
