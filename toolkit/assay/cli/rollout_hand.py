"""What a person at the controller's host does with a rollout."""

from __future__ import annotations

from pathlib import Path

import click

from assay.cli.chosen import dry_run_option, state_folder, state_option, target_option
from assay.cli.options import json_option, model_option
from assay.cli.status import status as _status

_reason = click.option("--reason", default=None, metavar="TEXT", help="Stands in the decision.")


@click.command()
@target_option
@model_option
@state_option
@json_option
@click.pass_context
def status(
    context: click.Context,
    target: str | None,
    model: str | None,
    state: Path | None,
    as_json: bool,
) -> None:
    """Show what is on its way, as `assay status` does."""
    context.invoke(_status, target=target, model=model, state=state, as_json=as_json)


def _hand(kind: str, what: str) -> click.Command:
    @click.command(name=kind, help=what)
    @_reason
    @target_option
    @model_option
    @state_option
    @dry_run_option
    def command(
        reason: str | None,
        target: str | None,
        model: str | None,
        state: Path | None,
        dry_run: bool,
    ) -> None:
        from assay.cli.hand import order

        order(state_folder(state, model, target), kind, reason=reason, dry_run=dry_run)

    return command


pause = _hand("pause", "Hold the rollout where it is; guards stay awake, baking does not count.")
resume = _hand("resume", "Let a paused rollout go on.")
abort = _hand("abort", "Take the rollout back; its version is barred until a person clears it.")
