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

    Under GitHub Actions a folder that holds `assay` alone is added to PATH; elsewhere the
    toolkit's folder is printed.
    """
    folder = Path(__file__).resolve().parents[2] / "bin"
    target, temporary = os.environ.get("GITHUB_PATH"), os.environ.get("RUNNER_TEMP")
    if target and temporary:
        # Not the toolkit's own folder: its uv would stand before the consumer's.
        folder = _link(folder / "assay", Path(temporary) / "assay" / "bin")
        with Path(target).open("a", encoding="utf-8") as stream:
            stream.write(f"{folder}\n")
    write_outputs("setup", version=__version__)
    click.echo(f"assay {__version__} in {folder}")


def _link(program: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / program.name
    link.unlink(missing_ok=True)
    link.symlink_to(program)
    return folder
