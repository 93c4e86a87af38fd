"""``assay rollout``: rehearse one, look at what is on its way, and move it by hand."""

from __future__ import annotations

from importlib import import_module

import click

OPERATIONS: dict[str, str] = {
    "status": "Show what is on its way.",
    "pause": "Hold it where it is; guards stay awake.",
    "resume": "Let it go on.",
    "abort": "Take it back.",
    "advance": "Run one round without a controller.",
    "simulate": "Replay a log of requests through a strategy.",
    "replay": "Make decisions again from their evidence.",
    "judge": "Judge a step that another program routes.",
    "manifests": "Print a canary for Argo Rollouts.",
}
"""Every subcommand, with its line of help; each is imported when it runs."""
_APART = ("advance", "simulate", "replay", "judge", "manifests")


class Operations(click.Group):
    """Imports a subcommand's module on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click
        """Return the subcommands in the order in which they are used."""
        return list(OPERATIONS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click
        """Import and return one subcommand."""
        if cmd_name not in OPERATIONS:
            return None
        module = f"rollout_{cmd_name}" if cmd_name in _APART else "rollout_hand"
        command: click.Command = getattr(import_module(f"assay.cli.{module}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click
        """Write the list without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(OPERATIONS.items()))


@click.group(cls=Operations)
def rollout() -> None:
    """Look at a rollout, hold it, let it go on, or take it back.

    At the controller's host, over its socket. From elsewhere a signed intent does the same: the
    workflow rollout.yml writes one.

    \b
    assay rollout status
    """
