"""``assay rollback``: all traffic back to the previous or a named version, now."""

from __future__ import annotations

import time
from pathlib import Path

import click

from assay.cli.chosen import dry_run_option, state_folder, state_option, target_option
from assay.cli.options import model_option


@click.command()
@click.option(
    "--to",
    metavar="VERSION",
    default=None,
    help="The artifact digest, or how it begins. Default: the version that served before; with a "
    "rollout on its way, the one that serves.",
)
@click.option("--reason", default=None, metavar="TEXT", help="Stands in the decision.")
@target_option
@model_option
@state_option
@dry_run_option
def rollback(
    to: str | None,
    reason: str | None,
    target: str | None,
    model: str | None,
    state: Path | None,
    dry_run: bool,
) -> None:
    """Take the traffic back: first the traffic, then the journal, then everything else.

    The version that is taken back is barred until a person clears it with a signed intent. With
    the controller at hand it takes milliseconds, and works with GitHub, the registry and the disk
    in any state. Exits 2 where there is no version to go back to.

    \b
    Examples:
      assay rollback --reason "complaints about prices"
      assay rollback --to 4f2a91 --dry-run
    """
    from assay.cli.hand import await_settled, order

    folder = state_folder(state, model, target)
    began = time.monotonic()
    order(folder, "rollback", to=to, reason=reason, dry_run=dry_run)
    if dry_run:
        return
    found = await_settled(folder)
    took = (time.monotonic() - began) * 1000
    click.echo(f"{found['stable'][:12]} serves all traffic, acknowledged after {took:.0f} ms")
