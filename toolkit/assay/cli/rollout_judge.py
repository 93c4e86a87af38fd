"""``assay rollout judge``: our verdict on a step whose traffic another program moves."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.chosen import target_option
from assay.cli.options import config_option, model_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.rollout.targets.kubernetes import Judge
    from assay.rollout.targets.kubernetes.judge_web import Make


@click.command()
@config_option
@model_option
@target_option
@click.option("--candidate", default=None, metavar="DIGEST", help="The new version's artifact.")
@click.option("--step", type=click.IntRange(min=0), default=0, help="Of the strategy, from 0.")
@click.option(
    "--listen",
    default=None,
    metavar="HOST:PORT",
    help="Answer /verdict, /gate and /rollback there instead, for any candidate and step.",
)
@click.option(
    "--interval",
    type=click.FloatRange(min=0.1, max=600),
    default=5.0,
    show_default=True,
    help="Seconds between two looks.",
)
def judge(
    config: Path,
    model: str | None,
    target: str | None,
    candidate: str | None,
    step: int,
    listen: str | None,
    interval: float,
) -> None:
    """Judge a canary step that Argo Rollouts, Flagger or KServe routes.

    Looks at what the pods of both versions answered since it began, until the step may be left
    (exit 0) or the version must go back (exit 1). It moves nothing. See docs/kubernetes.md.

    \b
    assay rollout judge --model churn --target production --candidate 3f1c... --step 0
    assay rollout judge --model churn --target production --listen 0.0.0.0:8081
    """
    from assay.errors import InputError

    make = _maker(config, model, target)
    if listen is not None:
        from assay.rollout.targets.kubernetes.judge_web import Judges, serve

        host, _, port = listen.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65535:
            raise InputError(f"--listen {listen[:80]!r} is no HOST:PORT.")
        server = serve(host, int(port), Judges(make))
        click.echo(f"Judging on http://{host}:{server.server_address[1]}/verdict")
        server.serve_forever()
        return
    if candidate is None or len(candidate) != 64:
        raise InputError(
            "the candidate is missing.", remedy="Name its artifact digest with --candidate."
        )
    _until_decided(lambda: make(candidate, step), interval)


def _until_decided(begin: Callable[[], Judge], interval: float) -> None:
    """Look until there is a verdict; what the cluster does not answer is asked again."""
    from assay.errors import OutsideError, VerdictFailed

    said, made = "", None
    while True:
        try:
            made = made or begin()
            found = made.look()
        except OutsideError as error:
            click.echo(str(error), err=True)
        else:
            if found.sentence != said:
                said = found.sentence
                click.echo(said)
            if found.state == "pass":
                return
            if found.state == "fail":
                raise VerdictFailed(said)
        time.sleep(interval)


def _maker(config: Path, model: str | None, target: str | None) -> Make:
    """What makes judges of the configured model and cluster."""
    from assay.cli.chosen import choose
    from assay.config.clusters import Cluster
    from assay.errors import InputError
    from assay.rollout.targets.manifests import Site

    chosen = choose(config, model, target, None)
    if not isinstance(chosen.target, Cluster):
        raise InputError(
            f"{chosen.target_name} is a {chosen.target.kind} target, and no cluster.",
            remedy="Its own controller judges: assay rollout status.",
        )
    strategy = chosen.way.strategy
    site = Site(
        model=chosen.model_name,
        target=chosen.target_name,
        cluster=chosen.target,
        serving=chosen.way.serving,
        latency_ms=strategy.guards.latency_ms,
    )
    try:
        from assay.rollout.targets.kubernetes import Api, Counter, Judge, connect, reader
    except ImportError as error:
        raise InputError(
            f"this environment has no client of a cluster ({error.name}).",
            remedy="Run it as ASSAY_ENVIRONMENT=kubernetes assay rollout judge.",
        ) from None
    api = Api(connect(chosen.target.context), chosen.target.namespace)
    return lambda candidate, step: Judge(strategy, candidate, step, reader(site, api, Counter()))
