"""``assay rollout manifests``: a canary as YAML, for who lets Argo Rollouts move it."""

from __future__ import annotations

from pathlib import Path

import click

from assay.cli.chosen import target_option
from assay.cli.options import config_option, model_option


@click.command()
@config_option
@model_option
@target_option
@click.option("--candidate", required=True, metavar="DIGEST", help="The version's artifact.")
@click.option(
    "--toolkit-image", required=True, metavar="IMAGE", help="An image with assay in it, for Jobs."
)
@click.option(
    "--provider",
    type=click.Choice(["job", "web"]),
    default="job",
    show_default=True,
    help="How the analysis asks: a Job for each step, or requests to a judge that listens.",
)
def manifests(
    config: Path,
    model: str | None,
    target: str | None,
    candidate: str,
    toolkit_image: str,
    provider: str,
) -> None:
    """Print a canary for Argo Rollouts whose analysis is Assay's verdict.

    Argo Rollouts then owns the traffic, and no controller of Assay's may run for that target. See
    docs/kubernetes.md.

    \b
    assay rollout manifests --model churn --target production --candidate 3f1c... \\
      --toolkit-image registry.example/assay@sha256:... | kubectl apply -f -
    """
    from typing import cast

    from assay.cli.chosen import choose
    from assay.config.clusters import Cluster
    from assay.errors import InputError
    from assay.rollout.targets.manifests import Site, argo_rollout, as_yaml
    from assay.rollout.targets.manifests.argo import Provider

    chosen = choose(config, model, target, None)
    if not isinstance(chosen.target, Cluster):
        raise InputError(
            f"{chosen.target_name} is a {chosen.target.kind} target, and no cluster.",
            remedy="Name a target of kind kubernetes or gitops.",
        )
    if len(candidate) != 64 or set(candidate) - set("0123456789abcdef"):
        raise InputError(f"--candidate {candidate[:80]!r} is no artifact digest (64 hex digits).")
    site = Site(
        model=chosen.model_name,
        target=chosen.target_name,
        cluster=chosen.target,
        serving=chosen.way.serving,
        latency_ms=chosen.way.strategy.guards.latency_ms,
        owner="argo-rollouts",
    )
    made = argo_rollout(
        site,
        chosen.way.strategy,
        candidate,
        toolkit_image=toolkit_image,
        provider=cast("Provider", provider),
    )
    click.echo(as_yaml(made), nl=False)
