"""``assay rollout advance``: a round of the controller where none runs."""

from __future__ import annotations

import time
from pathlib import Path

import click

from assay.cli.chosen import state_option, target_option
from assay.cli.options import config_option, model_option
from assay.cli.records import (
    branch_token_option,
    bundles_option,
    remote_option,
    whose_option,
)


@click.command()
@config_option
@model_option
@target_option
@state_option
@remote_option
@branch_token_option
@whose_option
@bundles_option
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, max=3600),
    default=30.0,
    show_default=True,
    help="At most so long, until nothing is on its way.",
)
def advance(
    config: Path,
    model: str | None,
    target: str | None,
    state: Path | None,
    remote: str,
    branch_token: str | None,
    repository: str | None,
    bundles: Path | None,
    seconds: float,
) -> None:
    """Read the intents, observe, decide, act and record, once, where no controller runs.

    Refuses (exit 2) while a controller holds the target. Bakes begin anew at each call: what needs
    more of them than fits into --seconds needs a controller.
    """
    from assay.cli.chosen import choose
    from assay.cli.controller_setup import Given, setup_of
    from assay.cli.status import described
    from assay.rollout.controller.service import Service

    given = Given(
        chosen=choose(config, model, target, state),
        remote=remote,
        branch_token=branch_token,
        repository=repository,
        bundles=bundles,
    )
    with setup_of(given) as setup:
        service = Service(setup, role="advance")
        try:
            service.controller.started()
            service.push()
            ends = time.monotonic() + seconds
            while True:
                service.round()
                if service.controller.settled() or time.monotonic() > ends:
                    break
                time.sleep(0.05)
            service.push()
            click.echo(described(service.status()))
        finally:
            service.close()
