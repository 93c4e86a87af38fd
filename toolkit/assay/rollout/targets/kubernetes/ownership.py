"""Whose an object is: Assay changes and deletes only what it made for this model and target."""

from __future__ import annotations

from collections.abc import Mapping

from assay.errors import InputError
from assay.rollout.targets.kubernetes.api import Object
from assay.rollout.targets.manifests import (
    DIGEST,
    MANAGED_BY,
    MANAGER,
    Manifest,
    Site,
)

_DELIVERED = {
    "argocd.argoproj.io/tracking-id": "Argo CD",
    "argocd.argoproj.io/instance": "Argo CD",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
    "helm.toolkit.fluxcd.io/name": "Flux",
}


def check_ours(found: Object, wanted: Manifest, site: Site) -> None:
    """Raise InputError unless ``found`` was made by Assay to be what ``wanted`` is."""
    metadata: Mapping[str, Mapping[str, str]] = wanted["metadata"]  # type: ignore[assignment]
    _check(found, site, metadata["annotations"].get(DIGEST))


def check_ours_to_delete(found: Object, site: Site, digest: str) -> None:
    """Raise InputError unless Assay made ``found`` for this version."""
    _check(found, site, digest)


def appliers(found: Object) -> set[str]:
    """Return which other programs apply fields of the object (GitOps tools among them)."""
    fields = found["metadata"].get("managedFields") or []
    return {str(each.get("manager")) for each in fields if each.get("operation") == "Apply"} - {
        MANAGER
    }


def _check(found: Object, site: Site, digest: str | None) -> None:
    metadata = found["metadata"]
    labels = metadata.get("labels") or {}
    annotations = metadata.get("annotations") or {}
    what = f"{found.get('kind', 'object')} {metadata['name']} in {site.cluster.namespace}"
    for key, who in _DELIVERED.items():
        if key in labels or key in annotations:
            raise InputError(
                f"{what} is delivered by {who}, and would be put back.",
                remedy="One owner of a route: make this a gitops target, or take it out of there.",
            )
    if labels.get(MANAGED_BY) != MANAGER or not _applied(found):
        raise InputError(
            f"{what} exists and was not made by Assay.",
            remedy="Remove it, or give the target a namespace of its own.",
        )
    wanted = {**site.annotations, **({DIGEST: digest} if digest else {})}
    other = {key: annotations.get(key) for key in wanted if annotations.get(key) != wanted[key]}
    if other:
        raise InputError(
            f"{what} is another's: " + ", ".join(f"{key} is {other[key]}" for key in other) + ".",
            remedy="Let its owner remove it first, or give the target a namespace of its own.",
        )


def _applied(found: Object) -> bool:
    fields = found["metadata"].get("managedFields") or []
    return any(
        each.get("manager") == MANAGER and each.get("operation") == "Apply" for each in fields
    )
