"""Options that several commands share, so that they are named and explained once."""

from __future__ import annotations

from pathlib import Path

import click

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("assay.yaml"),
    show_default=True,
    help="The configuration file.",
)

model_option = click.option(
    "--model", default=None, metavar="NAME", help="Which model; needed where there are several."
)

evidence_option = click.option(
    "--evidence",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".assay/evidence"),
    show_default=True,
    help="The folder that evidence is kept in; each model has a folder in it.",
)

exit_zero_option = click.option(
    "--exit-zero",
    is_flag=True,
    help="Exit 0 whatever was measured, and leave the judgement to `assay gate`.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
