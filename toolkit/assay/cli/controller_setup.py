"""From the configuration to a controller's parts: target, bundles, trust, branches, callbacks."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import InputError

if TYPE_CHECKING:
    from assay.cli.chosen import Chosen
    from assay.config.delivery import DockerTarget, LocalTarget
    from assay.evidence import Intent
    from assay.packaging.keys import Trusted
    from assay.rollout.controller.intake import Rules
    from assay.rollout.controller.loop import Limits
    from assay.rollout.controller.releases import Download
    from assay.rollout.controller.retention import House
    from assay.rollout.controller.service import Setup
    from assay.rollout.labels import LabelReader
    from assay.rollout.target import Target

CHECKOUT = Path(__file__).resolve().parents[3]
"""The checkout of Assay that this runs from."""
RELEASES = "releases"


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the command line adds to the configuration."""

    chosen: Chosen
    remote: str = "origin"
    branch_token: str | None = None
    repository: str | None = None
    bundles: Path | None = None
    interval: float = 1.0
    poll: float = 10.0
    labels: Path | None = None
    json_log: bool = True
    monitored: Path | None = None
    """The configuration by which production is looked at from here; None: it is not."""


@contextmanager
def setup_of(given: Given) -> Iterator[Setup]:
    """Open what a controller needs for as long as the context lasts."""
    from assay.cli.callbacks import hooks_of
    from assay.cli.controller_watch import looking_of
    from assay.cli.records import open_records_of, repository_of
    from assay.rollout.controller.logs import Log
    from assay.rollout.controller.releases import Releases
    from assay.rollout.controller.service import Setup
    from assay.rollout.step import step

    chosen = given.chosen
    trusted = _trusted(chosen)
    repository = repository_of(chosen, given.repository, given.remote)
    releases = Releases(
        folder=chosen.state / RELEASES,
        download=_download(given),
        trusted=trusted,
        repository=repository,
    )
    reader = _label_reader(given)
    with ExitStack() as stack:
        branches = stack.enter_context(open_records_of(chosen, given.remote, given.branch_token))
        yield Setup(
            folder=chosen.state,
            rules=_rules(chosen, trusted, repository, reader),
            target=lambda: open_target(chosen, stack),
            step=step,
            fetch=releases.fetch,
            branches=branches,
            labels=reader or (lambda _: ()),
            trouble=lambda: {"labels": reader.trouble} if reader and reader.trouble else {},
            limits=_limits(chosen),
            house=_house(chosen),
            hooks=hooks_of(chosen, repository),
            interval=given.interval,
            poll=given.poll,
            looking=None if given.monitored is None else looking_of(chosen, given.monitored),
            log=Log(
                as_json=given.json_log,
                shared={"target": chosen.target_name, "model": chosen.model_name},
            ),
        )


def _trusted(chosen: Chosen) -> Trusted:
    """Whose signatures count; raises InputError where nobody's do."""
    from assay.packaging.keys import load_trust

    trusted = load_trust(chosen.delivery.trust, chosen.root)
    if not trusted.keys and trusted.keyless is None:
        raise InputError(
            "nobody's signature is trusted, so nothing could ever be deployed.",
            remedy="Name a public key under delivery.trust.keys (docs/delivery.md).",
        )
    return trusted


def _rules(chosen: Chosen, trusted: Trusted, repository: str, reader: LabelReader | None) -> Rules:
    """What an intent must be, to be taken."""
    from assay.rollout.controller.intake import Rules

    return Rules(
        place=chosen.place,
        trusted=trusted,
        repository=repository,
        approval=chosen.target_name in chosen.delivery.approval,
        unfit=lambda intent: _unfit(intent, reader),
    )


def _limits(chosen: Chosen) -> Limits:
    from assay.rollout.controller.freeze import freezing
    from assay.rollout.controller.loop import Limits

    return Limits(
        rollbacks_per_day=chosen.delivery.rollbacks_per_day,
        start_seconds=chosen.way.serving.start_seconds,
        freeze=freezing(chosen.delivery.freeze),
    )


def _house(chosen: Chosen) -> House:
    from assay.config.delivery import DockerTarget, LocalTarget
    from assay.rollout.controller.retention import House
    from assay.rollout.controller.service import INTENTS

    here = isinstance(chosen.target, LocalTarget | DockerTarget)
    return House(
        releases=chosen.state / RELEASES,
        intents=chosen.state / INTENTS,
        target=chosen.state / "target" if here else None,
        limits=chosen.delivery.retention,
    )


def _on_this_host(target: LocalTarget | DockerTarget, chosen: Chosen, latency_ms: float) -> Target:
    """Envoy here, and scoring servers as processes or in containers."""
    from assay.config.delivery import LocalTarget
    from assay.rollout.targets.docker import setup_docker
    from assay.rollout.targets.local import Local, setup_local

    serving, folder = chosen.way.serving, chosen.state / "target"
    if isinstance(target, LocalTarget):
        setup = setup_local(
            target, serving, folder=folder, latency_ms=latency_ms, checkout=CHECKOUT,
            environ=os.environ,
        )  # fmt: skip
    else:
        setup = setup_docker(
            target, serving, folder=folder, latency_ms=latency_ms, checkout=CHECKOUT,
            environ=os.environ,
        )  # fmt: skip
    return Local(setup)


def environment_of(chosen: Chosen) -> str:
    """The environment that a controller of the target runs in."""
    from assay.config.clusters import Cluster

    return "kubernetes" if isinstance(chosen.target, Cluster) else "delivery"


def check_client(chosen: Chosen) -> None:
    """Raise InputError where the target's client is not in this environment."""
    target = chosen.target
    try:
        import_module(f"assay.rollout.targets.{target.kind}")
    except ImportError as error:
        raise InputError(
            f"this environment has no client of a {target.kind} target ({error.name}).",
            remedy=f"Run it as ASSAY_ENVIRONMENT={environment_of(chosen)} assay controller.",
        ) from None


def open_target(chosen: Chosen, stack: ExitStack) -> Target:
    """Make the target that the configuration names.

    Raises InputError where its client is not in this environment.
    """
    from assay.config.clusters import KubernetesTarget
    from assay.config.delivery import DockerTarget, LocalTarget

    target, serving, name = chosen.target, chosen.way.serving, chosen.target_name
    latency_ms = chosen.way.strategy.guards.latency_ms
    check_client(chosen)
    if isinstance(target, LocalTarget | DockerTarget):
        return _on_this_host(target, chosen, latency_ms)
    if isinstance(target, KubernetesTarget):
        from assay.rollout.targets.kubernetes import open_kubernetes

        holder = f"{socket.gethostname()}/{chosen.state.as_posix()}"
        cluster = open_kubernetes(
            target,
            model=chosen.model_name,
            target=name,
            serving=serving,
            latency_ms=latency_ms,
            holder=holder,
        )
        stack.callback(cluster.close)
        return cluster
    from assay.rollout.targets.gitops import open_gitops
    from assay.state import Remote

    remote = Remote(address=target.repository, environment=dict(os.environ))
    opened = open_gitops(
        target,
        remote,
        model=chosen.model_name,
        target=name,
        serving=serving,
        latency_ms=latency_ms,
    )
    return stack.enter_context(opened)


def _label_reader(given: Given) -> LabelReader | None:
    """Labels are joined with the prediction log of a local target; others have none here."""
    from assay.config.delivery import DockerTarget, LocalTarget
    from assay.rollout.labels import LabelReader

    if not isinstance(given.chosen.target, LocalTarget | DockerTarget):
        if given.labels is not None:
            raise InputError("--labels is for a target whose prediction log lies on this host.")
        return None
    return LabelReader(log=given.chosen.state / "target" / "predictions", labels=given.labels)


def _unfit(intent: Intent, reader: LabelReader | None) -> str | None:
    from assay.rollout.labels import unjudged

    return None if intent.strategy is None else unjudged(intent.strategy, reader)


def _download(given: Given) -> Download:
    """From a folder of bundles where one is named, else from the registry."""
    from assay.rollout.controller.releases import from_folder

    if given.bundles is not None:
        return from_folder(given.bundles)
    from assay.cli.register import open_registry

    registry, name = open_registry(), registered(given.chosen)
    return lambda digest, to: registry.fetch(name, digest, to)


def registered(chosen: Chosen) -> str:
    """Return what the model is called in the registry."""
    return chosen.way.registered_name or chosen.model_name
