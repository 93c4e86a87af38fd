"""``assay drill``: go back and forth on purpose, so that it works on the day it must."""

from __future__ import annotations

import time
from pathlib import Path

import click

from assay.cli.chosen import dry_run_option, state_folder, state_option, target_option
from assay.cli.options import model_option
from assay.errors import InputError


@click.command()
@click.argument("what", type=click.Choice(("rollback",)), default="rollback", expose_value=False)
@target_option
@model_option
@state_option
@dry_run_option
def drill(target: str | None, model: str | None, state: Path | None, dry_run: bool) -> None:
    """Roll back to the previous version for real, and forward again, and say how long each took.

    Both are decisions of the journal, with the cause `drill`; nothing is barred. Refused while a
    rollout is on its way, and where there is no previous version.

    \b
    assay drill rollback --target staging
    """
    from assay.cli.hand import await_settled, order
    from assay.rollout.controller.talk import ask

    folder = state_folder(state, model, target)
    before = ask(folder, {"do": "status"})
    if before["rollout"] is not None or not before["settled"]:
        raise InputError(
            "something is on its way.", remedy="Drill when assay status says nothing is."
        )
    if before["previous"] is None:
        raise InputError(
            "there is no previous version to go back to.", remedy="Drill after the next promotion."
        )
    for to in (before["previous"], before["stable"]):
        began = time.monotonic()
        order(folder, "rollback", to=to, drill=True, dry_run=dry_run, reason="drill")
        if dry_run:
            return
        await_settled(folder, seconds=600)
        took = time.monotonic() - began
        click.echo(f"{to[:12]} serves all traffic, acknowledged after {took * 1000:.0f} ms")
