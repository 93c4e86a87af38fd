"""Credentials of a job that holds some: dotenv lines, and the job's own identity as a file."""

from __future__ import annotations

import os
from pathlib import Path

import click

credentials_option = click.option(
    "--registry-credentials",
    metavar="DOTENV",
    help="NAME=value lines for MLflow and its artifact store; masked. Give them as the variable "
    "ASSAY_REGISTRY_CREDENTIALS, never on a command line.",
)
audience_option = click.option(
    "--identity-audience",
    metavar="NAME",
    help="In a job with id-token: write: put the job's identity token for this audience into a "
    "file, and name it in AWS_WEB_IDENTITY_TOKEN_FILE and AZURE_FEDERATED_TOKEN_FILE.",
)


data_option = click.option(
    "--data-credentials",
    metavar="DOTENV",
    help="NAME=value lines for the buckets that data is read from; masked. Give them as the "
    "variable ASSAY_DATA_CREDENTIALS, never on a command line.",
)


def masked(*values: str) -> None:
    """Have GitHub's log hide the values; elsewhere nothing is printed."""
    from assay.cli.console import on_github
    from assay.github.commands import mask_lines

    if on_github():
        for value in values:
            for line in mask_lines(value):
                click.echo(line)


def read_credentials(dotenv: str | None, *, name: str) -> dict[str, str]:
    """Read dotenv lines, each value masked in the log first; nothing where there are none."""
    from assay.training.variables import parse_dotenv

    found = parse_dotenv(dotenv, name=name) if dotenv else {}
    masked(*found.values())
    return found


def take_credentials(
    dotenv: str | None, audience: str | None, *, name: str = "registry-credentials"
) -> None:
    """Put both into this process's environment, each value masked in the log first."""
    os.environ.update(read_credentials(dotenv, name=name))
    if audience:
        from assay.github.identity import identity_token

        token = identity_token(os.environ, audience)
        masked(token)
        file = Path(os.environ.get("RUNNER_TEMP") or ".") / "assay-identity-token"
        file.touch(mode=0o600)
        file.write_text(token)
        for variable in ("AWS_WEB_IDENTITY_TOKEN_FILE", "AZURE_FEDERATED_TOKEN_FILE"):
            os.environ.setdefault(variable, str(file.resolve()))
