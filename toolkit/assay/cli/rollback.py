"""``assay rollback``: all traffic back to the previous or a named version, now."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from assay.cli.chosen import dry_run_option, state_folder, state_option, target_option
from assay.cli.options import config_option, model_option


@click.command()
@click.option(
    "--to",
    metavar="VERSION",
    default=None,
    help="The artifact digest, or how it begins. Default: the version that served before; with a "
    "rollout on its way, the one that serves.",
)
@click.option(
    "--local",
    is_flag=True,
    help="Over the socket of this host alone: where no controller answers here, fail.",
)
@click.option(
    "--signing-key",
    metavar="PEM",
    default=None,
    help="Where no controller answers here: sign an intent with this key and write it to "
    "assay/desired, as `assay ask rollback` does. A file, or the PEM text in ASSAY_SIGNING_KEY.",
)
@click.option("--author", metavar="LOGIN", default=None, help="With --signing-key: who asks.")
@config_option
@click.option("--reason", default=None, metavar="TEXT", help="Stands in the decision.")
@target_option
@model_option
@state_option
@dry_run_option
@click.pass_context
def rollback(
    context: click.Context,
    to: str | None,
    local: bool,
    signing_key: str | None,
    author: str | None,
    config: Path,
    reason: str | None,
    target: str | None,
    model: str | None,
    state: Path | None,
    dry_run: bool,
) -> None:
    """Take the traffic back: first the traffic, then the journal, then everything else.

    At the controller's host it takes milliseconds, over its socket, and works with GitHub, the
    registry and the disk in any state. From elsewhere a signed intent does the same within a poll.
    The version that is taken back is barred until a person clears it. Exits 2 where there is no
    version to go back to, and 3 where no controller answers.

    \b
    Examples:
      assay rollback --reason "complaints about prices"
      assay rollback --to 4f2a91 --dry-run
    """
    from assay.cli.hand import await_settled, order

    if signing_key and not local and not _answers(state, model, target):
        _ask(
            context, config=config, model=model, target=target, state=state, author=author,
            artifact_digest=to, reason=reason, signing_key=signing_key, dry_run=dry_run,
        )  # fmt: skip
        return
    folder = state_folder(state, model, target)
    began = time.monotonic()
    order(folder, "rollback", to=to, reason=reason, dry_run=dry_run)
    if dry_run:
        return
    found = await_settled(folder)
    took = (time.monotonic() - began) * 1000
    click.echo(f"{found['stable'][:12]} serves all traffic, acknowledged after {took:.0f} ms")


def _answers(state: Path | None, model: str | None, target: str | None) -> bool:
    """Whether a controller of this host answers."""
    from assay.errors import InputError, OutsideError
    from assay.rollout.controller.talk import ask

    try:
        ask(state_folder(state, model, target), {"do": "status"})
    except (InputError, OutsideError):
        return False
    return True


def _ask(
    context: click.Context,
    *,
    config: Path,
    model: str | None,
    target: str | None,
    state: Path | None,
    **wanted: Any,
) -> None:
    """Write a signed intent, as from any other host."""
    from assay.cli.ask import ask
    from assay.cli.chosen import choose

    chosen = choose(config, model, target, state)
    context.invoke(
        ask,
        operation="rollback",
        config=config,
        model=chosen.model_name,
        target=chosen.target_name,
        ticket=None,
        branch_token=None,
        wait_minutes=5.0,
        **wanted,
    )
