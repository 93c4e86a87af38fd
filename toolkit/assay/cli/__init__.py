"""The ``assay`` command: one group whose commands are imported only when they run."""

from __future__ import annotations

import os
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

from assay import __version__

COMMANDS: dict[str, str] = {
    "plan": "Say which models a change touches and what it is compared with.",
    "test": "Run the model's own tests and keep the outcome as evidence.",
    "check-data": "Check every row of the data: schema, rules, leakage, drift.",
    "train": "Run the pipeline, or resolve the base's predictions.",
    "compare": "Compare two prediction files, with intervals and a verdict.",
    "power": "Plan a test set: rows, margins, and how often equal models pass.",
    "gate": "Judge the evidence of every model, report, and publish.",
    "report": "Render the report of an evidence folder, and publish it.",
    "ledger": "Show how often each test set has decided, or append a run's decisions.",
    "retrain": "Decide about training anew, propose what came of it, close what is no better.",
    "feedback": "Draw mistakes and doubts from production as a dataset for labelling.",
    "publish-report": "Publish the report of a run that could not write (workflow_run).",
    "delivery-plan": "Say which models this commit delivers, from which run, and where to.",
    "package": "Bundle a model that passed: card, SBOM, evidence, signature.",
    "register": "Put a bundle into MLflow's registry, one version for each tree.",
    "image": "Build the container image of a bundle and push it, named by digest.",
    "reference": "Profile a version's test set: what production is later compared with.",
    "trial": "Try a bundle on this host: smoke test, integration tests, load test.",
    "deploy": "Ask a target's controller for a version: a signed intent on assay/desired.",
    "stage": "Test a served version: smoke test, integration tests, load test.",
    "ask": "Order something of a target's controller from anywhere: a signed intent.",
    "reconcile": "Compare what was asked of every target with what was decided and seen.",
    "preview": "Show a report as GitHub would render it.",
    "verify": "Check that evidence or a bundle is what it says it is.",
    "schema": "Print a JSON Schema: assay.yaml's, or an evidence document's.",
    "controller": "Run the controller of a model on a target, or write its unit.",
    "status": "Show what serves here and what is on its way.",
    "history": "Say what served when, on whose word, with which evidence.",
    "rollout": "Look at a rollout, hold it, let it go on, take it back.",
    "rollback": "Take the traffic back to the previous or a named version.",
    "drill": "Roll back and forward on purpose, and time it.",
    "monitor": "Look at a model in production: late labels, live quality, silence.",
    "notify": "Tell people and Prometheus what a look at production found.",
    "silence": "Tell nobody of a problem until a time; nothing else changes.",
    "ack": "Say that somebody acts on a problem; it is not told again.",
    "rules": "Print alert and recording rules for Prometheus, from assay.yaml.",
    "setup": "Prepare a job: later steps can call `assay`.",
    "act": "Run a workflow file locally with act, against this toolkit.",
}
"""Every command by name, with its one line of help; ``check-data`` is ``check_data.py``."""


class Commands(click.Group):
    """A group that imports a command's module on first use.

    Every option also reads the variable ``ASSAY_<OPTION>``: that is how an action's inputs
    arrive. An empty variable counts as not set.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click
        """Return the command names in the order in which they are used."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        attribute = cmd_name.replace("-", "_")
        module = import_module(f"assay.cli.{attribute}")
        command: click.Command = getattr(module, attribute)
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.envvar is None and parameter.name:
                parameter.envvar = f"ASSAY_{parameter.name.upper()}"
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click
        """Write the list of commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command named first in ``args``, or say which one was probably meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            close = get_close_matches(args[0][:80], COMMANDS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            ctx.fail(f"There is no command {args[0][:80]!r}.{hint}")
        return super().resolve_command(ctx, args)


SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=Commands, context_settings=SETTINGS)
@click.version_option(__version__, prog_name="assay", message="%(prog)s %(version)s")
@click.option(
    "--debug", is_flag=True, envvar="ASSAY_DEBUG", help="Show the traceback of any error."
)
@click.option(
    "--working-directory",
    type=click.Path(exists=True, file_okay=False),
    envvar="ASSAY_WORKING_DIRECTORY",
    help="Run in this folder.",
)
def assay(debug: bool, working_directory: str | None) -> None:  # noqa: ARG001 -- the edge reads debug
    """Decide whether a change to a machine-learning model may ship, and show why.

    Exit codes: 0 passes; 1 the verdict says no; 2 your input is wrong; 3 something outside
    failed (git, DVC, MLflow, GitHub); 4 evidence does not match its digest; 70 a defect of Assay.

    Begin with two prediction files: `assay compare base.csv head.csv`. In a repository with an
    assay.yaml, `assay act` runs the whole workflow on this machine.
    """
    if working_directory:
        os.chdir(working_directory)
