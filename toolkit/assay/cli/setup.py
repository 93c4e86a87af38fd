"""``assay setup``: what an action runs first in a job."""

from __future__ import annotations

import os
from pathlib import Path

import click

from assay import __version__
from assay.cli.outputs import write_outputs


@click.command()
def setup() -> None:
    """Prepare a job: fill the toolkit's environment, and let later steps call `assay`.

    Under GitHub Actions the toolkit's folder is added to PATH; elsewhere the folder is printed.
    """
    folder = Path(__file__).resolve().parents[2] / "bin"
    target = os.environ.get("GITHUB_PATH")
    if target:
        with Path(target).open("a", encoding="utf-8") as stream:
            stream.write(f"{folder}\n")
    write_outputs("setup", version=__version__)
    click.echo(f"assay {__version__} in {folder}")
