"""Targets on Kubernetes: applied by the controller itself, or as commits that others apply."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from assay.config.types import RelativePath, Strict, Switch, Text, Whole

ClusterName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63)
]
HostName = Annotated[
    str, StringConstraints(pattern=r"^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=253)
]
Quantity = Annotated[
    str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$", max_length=20)
]


class Cluster(Strict):
    """What is the same wherever Kubernetes serves, whoever applies the manifests."""

    namespace: ClusterName = Field(default="default", description="Of everything that is applied.")
    gateway: ClusterName = Field(
        default="assay", description="The Gateway that the HTTPRoute hangs on."
    )
    gateway_namespace: ClusterName | None = Field(
        default=None,
        description="Where the Gateway and its proxies run, who alone may call the pods. "
        "Default: the same namespace.",
    )
    hostnames: tuple[HostName, ...] = Field(
        default=(), description="That the route answers; none: all of the Gateway's."
    )
    image: Text = Field(
        description="What serves: with `{digest}` (the version's artifact digest) an image for "
        "each version; without, one server by its own digest (`name@sha256:…`), and `bundles`."
    )
    bundles: ClusterName | None = Field(
        default=None,
        description="A PersistentVolumeClaim with a folder for each bundle, named by its digest.",
    )
    replicas: Whole = Field(default=2, ge=1, description="The least of a version.")
    most_replicas: Whole = Field(
        default=10, ge=1, description="The most that the HPA may start; the least: no HPA."
    )
    cpu: Quantity = Field(default="500m", description="Requested for each pod.")
    memory: Quantity = Field(default="1Gi", description="Requested for each pod, and its limit.")

    context: Text | None = Field(
        default=None,
        description="Of the kubeconfig. Default: the pod's own service account, or else the "
        "current context.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Cluster:
        if self.most_replicas < self.replicas:
            raise ValueError("most_replicas: must be replicas or more")
        each = "{digest}" in self.image
        if each == (self.bundles is not None):
            raise ValueError(
                "image: write {digest} in it (an image for each version), or name the claim that "
                "holds the bundles: one of both"
            )
        if not each and not re.search(r"@sha256:[0-9a-f]{64}$", self.image):
            raise ValueError("image: name the server's image by digest: name@sha256:…")
        return self


class KubernetesTarget(Cluster):
    """Deployments, Services and an HTTPRoute, applied by the controller."""

    kind: Literal["kubernetes"]


class GitOpsTarget(Cluster):
    """The same manifests as commits to a branch that Argo CD or Flux applies."""

    kind: Literal["gitops"]
    repository: Text = Field(description="Address of the configuration repository.")
    branch: Text = Field(default="main", description="The branch that is applied; it must exist.")
    folder: RelativePath = Field(default="assay", description="Where the manifests are.")
    observe: Switch = Field(
        default=True,
        description="Read the cluster too (with `context`), so that guards have counts and a step "
        "waits until what was pushed runs. Off: pushed counts as done; never for the last target.",
    )
