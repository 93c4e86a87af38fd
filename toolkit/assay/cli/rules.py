"""``assay rules``: alert and recording rules for Prometheus, from ``assay.yaml``."""

from __future__ import annotations

from pathlib import Path

import click

from assay.cli.console import say_aside
from assay.cli.options import config_option


@click.command()
@config_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Write the rules to this file, whole or not at all. Default: print them.",
)
def rules(config: Path, output: Path | None) -> None:
    """Print alert and recording rules for Prometheus, for every model with `monitoring.alerts`.

    Each alert carries its severity (page or ticket), the owner, the runbook, the version that
    serves and the command that takes the traffic back. Burn rates are there for local and docker
    targets with a `metrics_port`, whose router counts requests. docs/alerts.md lists the metrics
    that the rules read, and the labels that the scrape must add.

    \b
    Example:
      assay rules --output /etc/prometheus/rules/assay.yml
    """
    from assay.alerting.rules import rules_text, unmeasured, watched
    from assay.config import load_config
    from assay.evidence import write_atomically

    loaded = load_config(config)
    text = rules_text(loaded)
    for one in watched(loaded):
        missing = unmeasured(one)
        if missing is not None:
            say_aside(missing)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_atomically(output, text.encode())
        click.echo(output)
