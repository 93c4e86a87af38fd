"""What objects are called, and the labels and annotations that say whose they are."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from assay.config.clusters import Cluster
from assay.config.delivery import Serving

Manifest = dict[str, object]
"""One Kubernetes object, as JSON has it."""

DOMAIN = "assay-ml.github.io"
MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "assay"
VERSION = f"{DOMAIN}/version"
DIGEST = f"{DOMAIN}/artifact-digest"
OWNER = f"{DOMAIN}/owner"
MODEL = f"{DOMAIN}/model"
TARGET = f"{DOMAIN}/target"
ROUTE = f"{DOMAIN}/route"
ACKNOWLEDGED = f"{DOMAIN}/acknowledged-route"
EPOCH = f"{DOMAIN}/epoch"
HELD = f"{DOMAIN}/minimum-before"
PREFIX = 12
"""Hexadecimal digits of an artifact digest in a name; the whole of it stands in an annotation."""
_LONGEST_BASE = 63 - 1 - PREFIX
PORT = 8080


@dataclass(frozen=True, kw_only=True)
class Site:
    """One model at one target in a cluster: all that manifests are rendered from, but versions.

    ``latency_ms`` is the guards' objective: a slower answer counts as slow. ``owner`` is who
    writes the route's weights: the controller's target, or commits.
    """

    model: str
    target: str
    cluster: Cluster
    serving: Serving
    latency_ms: float = 500
    owner: str = "kubernetes"

    def image(self, digest: str, pushed: str | None = None) -> str:
        """Return the image of a version's pods.

        ``pushed`` is what its intent names, by digest: it counts where the configuration has an
        image for each version, of the same repository.
        """
        configured = self.cluster.image
        place, _, tagged = configured.rpartition("/")
        repository = "/".join(filter(None, (place, re.split("[:@]", tagged)[0])))
        if pushed and "{digest}" in tagged and pushed.partition("@")[0] == repository:
            return pushed
        return configured.replace("{digest}", digest)

    @property
    def base(self) -> str:
        """The name of what all versions share: a DNS label that no other model or target has."""
        plain = f"{self.model}-{self.target}"
        if re.fullmatch(r"[a-z][a-z0-9]*", self.model) and len(plain) <= _LONGEST_BASE:
            return plain
        told_apart = hashlib.sha256(f"{self.model}/{self.target}".encode()).hexdigest()[:6]
        short = re.sub(r"[^a-z0-9]+", "-", plain)[: _LONGEST_BASE - 8].strip("-")
        return f"{'' if short[0].isalpha() else 'm'}{short}-{told_apart}"

    def name(self, digest: str) -> str:
        """The name of a version's objects."""
        return f"{self.base}-{digest[:PREFIX]}"

    @property
    def labels(self) -> dict[str, str]:
        """What every object of this site carries."""
        return {
            "app.kubernetes.io/name": self.base,
            MANAGED_BY: MANAGER,
        }

    @property
    def annotations(self) -> dict[str, str]:
        """Whose every object is, in full: labels are too short for some names."""
        return {OWNER: self.owner, MODEL: self.model, TARGET: self.target}

    def selector(self, digest: str) -> dict[str, str]:
        """The labels of one version's pods; they never change."""
        return {"app.kubernetes.io/name": self.base, VERSION: digest[:PREFIX]}

    def manifest(
        self, api: str, kind: str, spec: object, digest: str | None = None
    ) -> dict[str, object]:
        """One object of this site, of one version where ``digest`` is given."""
        own = {VERSION: digest[:PREFIX]} if digest else {}
        about = {DIGEST: digest} if digest else {}
        metadata = {
            "name": self.name(digest) if digest else self.base,
            "namespace": self.cluster.namespace,
            "labels": {**self.labels, **own},
            "annotations": {**self.annotations, **about},
        }
        return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec}
