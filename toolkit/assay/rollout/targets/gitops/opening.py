"""A GitOps target from its configuration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from assay.config.clusters import GitOpsTarget
from assay.config.delivery import Serving
from assay.rollout.targets.gitops.record import MARKER
from assay.rollout.targets.gitops.target import GitOps
from assay.rollout.targets.manifests import Site
from assay.state import Remote, open_folder


@contextmanager
def open_gitops(
    cluster: GitOpsTarget,
    remote: Remote,
    *,
    model: str,
    target: str,
    serving: Serving,
    latency_ms: float,
) -> Iterator[GitOps]:
    """Open a model's folder ``<folder>/<target>/<model>`` of the configuration repository.

    ``remote`` is that repository with the means to write it. Raises InputError where the cluster
    is to be observed and there is none to speak to.
    """
    site = Site(
        model=model,
        target=target,
        cluster=cluster,
        serving=serving,
        latency_ms=latency_ms,
        owner="gitops",
    )
    path = f"{cluster.folder}/{target}/{model}"
    watch = None
    if cluster.observe:
        # The client of a cluster is an environment of its own, and most commit without one.
        from assay.rollout.targets.kubernetes import (  # noqa: PLC0415
            Api,
            Counter,
            connect,
            read_cluster,
        )

        watch = partial(
            read_cluster, site, Api(connect(cluster.context), cluster.namespace), Counter()
        )
    with open_folder(remote, cluster.branch, path, MARKER) as folder:
        yield GitOps(site, folder, watch=watch)
