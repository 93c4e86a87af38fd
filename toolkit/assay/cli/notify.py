"""``assay notify``: issues, webhook, metrics and pages of a look at production."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.console import say_aside
from assay.cli.options import config_option, evidence_option, model_option

if TYPE_CHECKING:
    from assay.alerting.news import Told
    from assay.alerting.telling import Channels, Result
    from assay.config import Config
    from assay.github.settings import Settings
    from assay.report.exposition import Family
    from assay.state import Entry


@click.command()
@evidence_option
@config_option
@model_option
@click.option(
    "--issues",
    type=click.Choice(("auto", "yes", "no")),
    default="auto",
    show_default=True,
    help="One issue for each problem, kept up to date. auto: in a job, where `alerts.issue` is on.",
)
@click.option(
    "--webhook",
    metavar="ADDRESS",
    default=None,
    help="Also tell this webhook (Slack's format). A secret: hand it over as ASSAY_WEBHOOK.",
)
@click.option("--pushgateway", metavar="ADDRESS", default=None, help="Also push the metrics there.")
@click.option(
    "--textfile",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Also write the metrics to this file, for node_exporter's textfile collector.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".assay/monitor"),
    show_default=True,
    help="The folder that keeps what the webhook was told, and what waits for it.",
)
def notify(
    evidence: Path,
    config: Path,
    model: str | None,
    issues: str,
    webhook: str | None,
    pushgateway: str | None,
    textfile: Path | None,
    state: Path,
) -> None:
    """Tell people and Prometheus what a look at production found.

    Reads `<model>/monitor.json` below the evidence folder and writes look.md, look.html and
    metrics.prom beside it. One channel that is away stops no other: messages to the webhook wait in
    the state folder, issues and metrics follow from the next look, and the command exits 3.
    Silenced problems (`assay silence`) are not told.

    \b
    Examples:
      assay notify --issues no --textfile /var/lib/node_exporter/assay.prom
      assay notify --issues yes
    """
    from assay.alerting.telling import tell, write_pages
    from assay.cli.asking import configuration_of
    from assay.cli.outputs import write_outputs
    from assay.github.settings import read_settings

    settings = read_settings(os.environ)
    loaded = configuration_of(config, settings)
    looks = _looks(loaded, evidence, model, settings)
    pages = [write_pages(told, evidence / told.look.model) for told in looks]
    _summarise(pages, settings)
    channels = _channels(
        settings, issues=issues, webhook=webhook, pushgateway=pushgateway, textfile=textfile,
        state=state,
    )  # fmt: skip
    result = tell(looks, channels)
    found = sum(len(told.look.problems) for told in looks)
    write_outputs("notify", problems=str(found))
    _report(result, found)


def _looks(
    config: Config, evidence: Path, model: str | None, settings: Settings
) -> tuple[Told, ...]:
    from assay.alerting.news import Told
    from assay.alerting.rules import watched
    from assay.errors import InputError
    from assay.evidence import Look

    found = []
    for one in watched(config):
        if model in (None, one.model) and (evidence / one.model / Look.FILE).is_file():
            found.append(
                Told(
                    look=Look.read(evidence / one.model),
                    alerts=one.alerts,
                    target=one.target,
                    silences=_silences(one.model, settings),
                )
            )
    if not found:
        raise InputError(
            f"{evidence} has no {Look.FILE} of a model with `monitoring.alerts`.",
            remedy="`assay monitor` writes it.",
        )
    return tuple(found)


def _silences(model: str, settings: Settings) -> tuple[Entry, ...]:
    """Read them where they are kept; where that cannot be read, everything is told."""
    from assay.cli.desired import Place, opened
    from assay.errors import AssayError
    from assay.git import Repository
    from assay.state import read_silences

    try:
        repository = None if settings.in_actions else Repository.find(Path.cwd(), os.environ)
        place = Place(settings=settings, environment=os.environ, repository=repository)
        with opened(place) as branch:
            return read_silences(branch, model)
    except AssayError as error:
        say_aside(f"Silences are not known, so every problem is told: {error.message}")
        return ()


def _channels(
    settings: Settings,
    *,
    issues: str,
    webhook: str | None,
    pushgateway: str | None,
    textfile: Path | None,
    state: Path,
) -> Channels:
    from assay.alerting.telling import Channels
    from assay.github.issues import Issues
    from assay.github.publish import client_of

    wanted = issues == "yes" or (issues == "auto" and settings.in_actions)
    push = None
    if pushgateway is not None:
        from assay.alerting import push as pushing

        def push(model: str, families: tuple[Family, ...]) -> None:
            pushing.push(pushgateway, model, families)

    return Channels(
        state=state,
        issues=(lambda: Issues(client_of(settings))) if wanted else None,
        webhook=webhook,
        push=push,
        textfile=textfile,
    )


def _summarise(pages: list[str], settings: Settings) -> None:
    if settings.summary_file is not None:
        from assay.github.outputs import write_summary

        write_summary(settings.summary_file, "\n".join(pages))


def _report(result: Result, problems: int) -> None:
    from assay.errors import OutsideError
    from assay.report.numbers import plural

    say_aside(f"{plural(problems, 'problem')} in production.")
    for done in result.issues:
        say_aside(f"Issue #{done.number} {done.change.value}: {done.title}")
    if result.sent or result.waiting:
        say_aside(f"Webhook: {result.sent} sent, {result.waiting} waiting.")
    if result.troubles:
        raise OutsideError(
            " ".join(result.troubles), remedy="The next run tells what this one could not."
        )
