"""``assay plan``: which models a change touches, and what each is compared with."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.console import console, printable
from assay.cli.options import config_option, evidence_option, json_option

if TYPE_CHECKING:
    from assay.evidence import Plan


@click.command("plan")
@config_option
@evidence_option
@click.option(
    "--base",
    default=None,
    metavar="REF",
    help="Compare with this commit. Default: what the event names, or the merge base with the "
    "default branch.",
)
@click.option(
    "--working-directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default=True,
    help="The folder that --config and --evidence count from.",
)
@json_option
def plan(
    config: Path, evidence: Path, base: str | None, working_directory: Path, as_json: bool
) -> None:
    """Say which models a change touches and what it is compared with.

    Writes plan.json into the evidence folder. Under GitHub Actions it also sets the step's
    outputs: models (a JSON list of {name, path} of the touched ones, for a matrix), any,
    base-commit and head-commit.
    """
    from assay.git import Repository
    from assay.github.outputs import append_outputs
    from assay.github.settings import read_settings
    from assay.training.revisions import local_ends, named_ends, read_plan

    settings = read_settings(os.environ)
    repository = Repository.find(working_directory, os.environ)
    local = settings.revisions is None or base is not None
    if settings.revisions is None or base is not None:
        ends = local_ends(repository, base=base, dirty=repository.is_dirty())
    else:
        names = settings.revisions
        ends = named_ends(
            repository, head=names.head, base=names.base, merge_base_with=names.merge_base_with
        )
    made = read_plan(
        repository, settings.event, ends, config=working_directory / config, from_work_tree=local
    )
    made.write(working_directory / evidence)
    if settings.output_file is not None:
        append_outputs(settings.output_file, outputs_of(made))
    if as_json:
        click.echo(made.to_json(), nl=False)
    else:
        _print(made)


def outputs_of(plan: Plan) -> dict[str, str]:
    """Return the step outputs of a plan, by name."""
    touched = [{"name": model.name, "path": model.path} for model in plan.models if model.touched]
    return {
        "models": json.dumps(touched, separators=(",", ":")),
        "any": "true" if touched else "false",
        "base-commit": "" if plan.base is None else plan.base.commit,
        "head-commit": plan.head.commit,
    }


def _print(plan: Plan) -> None:
    from rich.table import Table

    out = console()
    base = plan.base.commit[:12] if plan.base else f"none: {plan.why_no_base}"
    out.print(f"head {plan.head.commit[:12]}, base {printable(base)}")
    out.print(f"{plan.change.files} changed files, rules from the {plan.config_rules_from}")
    table = Table("model", "path", "runs", "rules", "why")
    for model in plan.models:
        runs = "yes" if model.touched else "no"
        table.add_row(model.name, model.path, runs, model.rules_from, printable(model.reason))
    out.print(table)
