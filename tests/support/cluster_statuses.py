"""What controllers of a cluster would write, written by the tests: there are none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kubernetes import client

from assay.rollout.targets.kubernetes import Api, Counter, Kubernetes, Lease
from assay.rollout.targets.manifests import DIGEST, Site
from support.clusters import site
from support.control_plane import ControlPlane

GATEWAY = "gateway.networking.k8s.io"
SPEAKS = "gateway.example/controller"


@dataclass(kw_only=True)
class Cluster:
    """A namespace as its owner sees it; ``token`` is the controller's, and ``now`` its clock."""

    plane: ControlPlane
    namespace: str
    token: str
    now: float = 0.0
    site: Site = field(init=False)

    def __post_init__(self) -> None:
        self.site = site(namespace=self.namespace)

    def controller(
        self, holder: str = "one", *, counter: Counter | None = None, **settings: Any
    ) -> Kubernetes:
        """The target as the controller ``holder`` has it."""
        self.site = site(namespace=self.namespace, **settings)
        api = Api(self.plane.client(self.token), self.namespace, seconds=3)
        lease = Lease(api, self.site, holder, clock=lambda: self.now)
        return Kubernetes(self.site, api, lease, counter)

    def run(self, digest: str, available: int) -> None:
        """Report pods of a version, as the Deployment's controller does."""
        apps = client.AppsV1Api(self.plane.client())
        name = self.site.name(digest)
        found = apps.read_namespaced_deployment(name, self.namespace)
        apps.patch_namespaced_deployment_status(
            name, self.namespace,
            {"status": {
                "observedGeneration": found.metadata.generation, "replicas": available,
                "readyReplicas": available, "availableReplicas": available,
            }},
        )  # fmt: skip

    def pod(self, digest: str, port: int) -> None:
        """Make a pod of a version that answers on a port of this machine."""
        core = client.CoreV1Api(self.plane.client())
        ports = [{"name": "http", "containerPort": port}]
        body = {
            "metadata": {
                "generateName": "pod-",
                "labels": {**self.site.labels, **self.site.selector(digest)},
                "annotations": {DIGEST: digest},
            },
            "spec": {
                "serviceAccountName": "assay-controller",
                "automountServiceAccountToken": False,
                "containers": [{"name": "scoring-server", "image": "x", "ports": ports}],
            },
        }  # fmt: skip
        made = core.create_namespaced_pod(self.namespace, body)
        core.patch_namespaced_pod_status(
            made.metadata.name, self.namespace,
            {"status": {"podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}]}},
        )  # fmt: skip

    def http_route(self) -> dict[str, Any]:
        """The route as it is stored."""
        api = client.CustomObjectsApi(self.plane.client())
        found: dict[str, Any] = api.get_namespaced_custom_object(
            GATEWAY, "v1", self.namespace, "httproutes", self.site.base
        )
        return found

    def has_route(self) -> bool:
        """Whether a route was applied."""
        api = client.CustomObjectsApi(self.plane.client())
        found = api.list_namespaced_custom_object(GATEWAY, "v1", self.namespace, "httproutes")
        return bool(found["items"])

    def weights(self) -> dict[str, int]:
        """The weights as they are stored, by the Service's name."""
        (rule,) = self.http_route()["spec"]["rules"]
        return {each["name"]: each["weight"] for each in rule["backendRefs"]}

    def report(self, *, accepted: bool = True, message: str = "") -> None:
        """Report on the route's newest generation, as a gateway's controller does."""
        route = self.http_route()
        condition = {
            "lastTransitionTime": "2026-01-01T00:00:00Z",
            "message": message,
            "observedGeneration": route["metadata"]["generation"],
            "reason": "Accepted",
        }
        parent = {
            "controllerName": SPEAKS,
            "parentRef": {"group": GATEWAY, "kind": "Gateway", "name": "assay"},
            "conditions": [
                {**condition, "type": "Accepted", "status": "True" if accepted else "False"},
                {**condition, "type": "ResolvedRefs", "status": "True"},
            ],
        }
        route["status"] = {"parents": [parent]}
        client.CustomObjectsApi(self.plane.client()).replace_namespaced_custom_object_status(
            GATEWAY, "v1", self.namespace, "httproutes", self.site.base, route
        )

    def apply(self, body: dict[str, Any], *, manager: str, force: bool = False) -> None:
        """Server-side apply some object as another program."""
        plurals = {"HTTPRoute": (GATEWAY, "v1", "httproutes")}
        group, version, plural = plurals[body["kind"]]
        client.CustomObjectsApi(self.plane.client()).patch_namespaced_custom_object(
            group, version, self.namespace, plural, body["metadata"]["name"], body,
            field_manager=manager, force=force,
            _content_type="application/apply-patch+yaml",
        )  # fmt: skip

    def edit(self, patch: dict[str, Any]) -> None:
        """Change the route as `kubectl edit` does."""
        client.CustomObjectsApi(self.plane.client()).patch_namespaced_custom_object(
            GATEWAY, "v1", self.namespace, "httproutes", self.site.base, patch,
            field_manager="kubectl-edit", _content_type="application/merge-patch+json",
        )  # fmt: skip

    def names(self) -> set[str]:
        """Every object of Assay's in the namespace, as kind/name."""
        owner = self.plane.client()
        here = self.namespace
        listed = {
            "Deployment": client.AppsV1Api(owner).list_namespaced_deployment(here),
            "Service": client.CoreV1Api(owner).list_namespaced_service(here),
            "HorizontalPodAutoscaler": client.AutoscalingV2Api(
                owner
            ).list_namespaced_horizontal_pod_autoscaler(here),
            "PodDisruptionBudget": client.PolicyV1Api(owner).list_namespaced_pod_disruption_budget(
                here
            ),
            "NetworkPolicy": client.NetworkingV1Api(owner).list_namespaced_network_policy(here),
        }
        return {
            f"{kind}/{one.metadata.name}" for kind, all_ in listed.items() for one in all_.items
        }

    def minimum(self, digest: str) -> int:
        """The autoscaler's minimum of a version."""
        found = client.AutoscalingV2Api(
            self.plane.client()
        ).read_namespaced_horizontal_pod_autoscaler(self.site.name(digest), self.namespace)
        return int(found.spec.min_replicas)
