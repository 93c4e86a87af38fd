"""GitOps as a target: manifests as commits that Argo CD or Flux applies."""

from assay.rollout.targets.gitops.opening import open_gitops
from assay.rollout.targets.gitops.record import MARKER
from assay.rollout.targets.gitops.target import REFRESH, GitOps

__all__ = ["MARKER", "REFRESH", "GitOps", "open_gitops"]
