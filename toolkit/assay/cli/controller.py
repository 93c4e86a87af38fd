"""``assay controller``: the process beside the traffic, its watchdog, and their units."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.chosen import dry_run_option, state_option, target_option
from assay.cli.log_format import log_format_option
from assay.cli.options import config_option, model_option
from assay.cli.records import (
    branch_token_option,
    bundles_option,
    remote_option,
    whose_option,
)
from assay.errors import InputError

if TYPE_CHECKING:
    from assay.cli.controller_setup import Given
    from assay.rollout.controller.metrics import Metrics
    from assay.rollout.controller.service import Service, Setup


@click.command()
@click.argument(
    "operation",
    type=click.Choice(("run", "watchdog", "install")),
    default="run",
    envvar="ASSAY_OPERATION",
)
@click.argument(
    "kind",
    type=click.Choice(("systemd", "container", "kubernetes")),
    required=False,
    envvar="ASSAY_KIND",
)
@config_option
@model_option
@target_option
@state_option
@remote_option
@branch_token_option
@whose_option
@bundles_option
@click.option(
    "--labels",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="run: a CSV, Parquet or JSON lines file to which labels are added as they come "
    "(request_id or unit, and label); for a strategy with `quality`.",
)
@click.option(
    "--listen",
    default="127.0.0.1:9464",
    show_default=True,
    metavar="HOST:PORT",
    help="run: where /healthz and /metrics are; port 0 is any free one, `off` none.",
)
@click.option(
    "--interval",
    type=click.FloatRange(min=0.02, max=60),
    default=1.0,
    show_default=True,
    help="Seconds between two rounds; fewer while a route waits for its acknowledgement.",
)
@click.option(
    "--poll",
    type=click.FloatRange(min=0.1, max=3600),
    default=10.0,
    show_default=True,
    help="Seconds between two looks at assay/desired.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="install: write the files into this folder. Default: print them.",
)
@click.option(
    "--user", default="assay", show_default=True, help="install systemd: who the processes are."
)
@click.option(
    "--image",
    default="assay-controller:local",
    show_default=True,
    help="install container, kubernetes: the image.",
)
@click.option(
    "--looks",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="run: also show the metrics of the looks below this folder (MODEL/monitor.json).",
)
@click.option(
    "--no-monitor",
    is_flag=True,
    help="run: take no look at production from here, though the model has `monitoring`.",
)
@log_format_option("json")
@dry_run_option
def controller(
    operation: str,
    kind: str | None,
    config: Path,
    model: str | None,
    target: str | None,
    state: Path | None,
    remote: str,
    branch_token: str | None,
    repository: str | None,
    bundles: Path | None,
    labels: Path | None,
    listen: str,
    looks: Path | None,
    no_monitor: bool,
    interval: float,
    poll: float,
    output: Path | None,
    user: str,
    image: str,
    log_format: str,
    dry_run: bool,
) -> None:
    """Run the controller of one model on one target, or its watchdog; or write their units.

    `run` reads signed intents from assay/desired, moves the traffic step by step, and keeps every
    decision in a journal of its own, pushed to assay/journal. It may be killed at any time and
    started again. Where the model has `monitoring`, it also takes a look at production each window,
    in a child of the lowest priority. `watchdog` is a process of its own: it takes a rollout back
    that no controller watches any more. `install` writes a systemd unit, a container or a
    Kubernetes manifest for both.

    \b
    Examples:
      assay controller --target production
      assay controller watchdog --target production
      assay controller install systemd --target production --output units
    """
    from assay.cli.chosen import choose
    from assay.cli.controller_setup import Given

    chosen = choose(config, model, target, state)
    if operation == "install":
        from assay.cli.controller_install import install

        install(chosen, kind, output=output, config=config, user=user, image=image)
        return
    if kind is not None:
        raise InputError(f"{kind!r} is for install.", remedy="assay controller install systemd")
    given = Given(
        chosen=chosen,
        remote=remote,
        branch_token=branch_token,
        repository=repository,
        bundles=bundles,
        interval=interval,
        poll=poll,
        labels=labels,
        json_log=log_format == "json",
        monitored=None if no_monitor or operation != "run" else config,
    )
    if operation == "watchdog":
        _watch(given, dry_run=dry_run)
    else:
        _run(given, listen, looks, dry_run=dry_run)


def _run(given: Given, listen: str, looks: Path | None, *, dry_run: bool) -> None:
    from assay.cli.controller_setup import check_client, environment_of, setup_of
    from assay.cli.telemetry import check_exporter
    from assay.rollout.controller.service import Service
    from assay.rollout.controller.talk import check_folder

    # What is wrong with the options or the environment is said before anything begins.
    address = _address_of(listen)
    check_folder(given.chosen.state)
    check_client(given.chosen)
    check_exporter(environment_of(given.chosen))
    with setup_of(given) as setup:
        if dry_run:
            _say_setup(given, setup)
            return
        service = Service(setup)
        with _shown(service, address, looks), _until_told(service) as stop:
            service.run(stop)
        setup.log.info("the controller ended; what serves goes on")


def _watch(given: Given, *, dry_run: bool) -> None:
    from assay.cli.controller_setup import setup_of
    from assay.rollout.controller.watchdog import Watch, Watchdog

    delivery = given.chosen.delivery
    watch = Watch(lost_after=delivery.lost_after, when_lost=delivery.when_lost)
    with setup_of(given) as setup:
        if dry_run:
            _say_setup(given, setup)
            return
        with _until_told(None) as stop:
            setup.log.info("the watchdog began", lost_after=watch.lost_after)
            Watchdog(setup, watch).run(stop)


def _say_setup(given: Given, setup: Setup) -> None:
    chosen = given.chosen
    keys = ", ".join(key.name for key in setup.rules.trusted.keys) or "keyless signatures"
    click.echo(
        f"Would control {chosen.model_name} on {chosen.target_name} ({chosen.target.kind}), "
        f"state in {chosen.state}, for {setup.rules.repository}, trusting {keys}."
    )


@contextlib.contextmanager
def _shown(service: Service, address: tuple[str, int] | None, looks: Path | None) -> Iterator[None]:
    """Answer /healthz and /metrics meanwhile, and export to a collector that is named."""
    from assay.alerting.push import looks_in
    from assay.cli.telemetry import observing
    from assay.rollout.controller.metrics import Metrics

    own = service.setup.looking
    folders = [folder for folder in (looks, own.folder if own else None) if folder is not None]
    beside = [looks_in(*folders)] if folders else []
    metrics = Metrics(service.controller, service.status, beside)
    say = service.setup.log.warning
    with _web(service, address, metrics), observing(service, [metrics, *beside], say):
        yield


def _address_of(listen: str) -> tuple[str, int] | None:
    """Read HOST:PORT; None for `off`."""
    if listen == "off":
        return None
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise InputError(
            f"--listen {listen[:60]!r} is no HOST:PORT.", remedy="Write 127.0.0.1:9464, or off."
        )
    return host, int(port)


@contextlib.contextmanager
def _web(service: Service, address: tuple[str, int] | None, metrics: Metrics) -> Iterator[None]:
    from assay.rollout.controller.web import Web

    if address is None:
        yield
        return
    host, port = address
    web = Web(host, port, status=service.status, metrics=metrics)
    web.start()
    service.setup.log.info("listening", host=host, port=web.port)
    try:
        yield
    finally:
        web.stop()


@contextlib.contextmanager
def _until_told(service: Service | None) -> Iterator[threading.Event]:
    """Yield what is set by SIGTERM and SIGINT."""
    stop = threading.Event()

    def told(*_: object) -> None:
        stop.set()
        if service is not None:
            service.wake()

    before = {one: signal.signal(one, told) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
