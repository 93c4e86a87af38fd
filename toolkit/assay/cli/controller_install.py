"""The files that keep a controller and its watchdog running."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from assay.cli.chosen import Chosen
from assay.cli.controller_setup import CHECKOUT
from assay.errors import InputError

if TYPE_CHECKING:
    from assay.rollout.controller.install import Kind


def install(
    chosen: Chosen, kind: str | None, *, output: Path | None, config: Path, user: str, image: str
) -> None:
    """Print the files of one kind, or write them into a folder."""
    from assay.evidence import write_atomically
    from assay.rollout.controller.install import KINDS, Installation, rendered
    from assay.rollout.controller.talk import check_folder

    if kind is None:
        raise InputError("what to write is missing.", remedy=f"Name one of {', '.join(KINDS)}.")
    if kind != "kubernetes":  # Its manifest has a state folder of its own.
        check_folder(chosen.state)
    made = Installation(
        place=chosen.place,
        config=config.absolute().as_posix(),
        checkout=CHECKOUT.as_posix(),
        state=chosen.state.as_posix(),
        user=user,
        image=image,
        environment="kubernetes" if chosen.target.kind == "kubernetes" else "delivery",
    )
    for name, text in rendered(cast("Kind", kind), made).items():
        if output is None:
            click.echo(f"# {name}\n{text}")
        else:
            write_atomically(output / name, text)
            click.echo((output / name).as_posix())
