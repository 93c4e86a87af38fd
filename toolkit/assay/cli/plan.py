"""``assay plan``: which models a change touches, and what each is compared with."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.console import console, printable
from assay.cli.desired import Place
from assay.cli.options import config_option, evidence_option, json_option
from assay.errors import InputError

if TYPE_CHECKING:
    from assay.evidence import ModelPlan, Plan
    from assay.git import Repository


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
@json_option
def plan(config: Path, evidence: Path, base: str | None, as_json: bool) -> None:
    """Say which models a change touches and what it is compared with.

    Writes plan.json into the evidence folder. The rules are those of the base's configuration;
    what the head's says differently is kept beside them.
    """
    from assay.cli.outputs import write_outputs
    from assay.git import Repository
    from assay.github.settings import read_settings
    from assay.training.earlier import refuse_committed

    repository = Repository.find(Path.cwd(), os.environ)
    if repository.try_resolve("HEAD") is None:
        raise InputError(
            "the repository has no commit yet, so there is nothing to compare.",
            remedy="Commit your files first: git add --all && git commit.",
        )
    refuse_committed(repository, evidence)
    made = make(repository, config, base=base, environ=os.environ)
    settings = read_settings(os.environ)
    if settings.in_actions:
        from assay.gate.earlier import bring_earlier

        made = bring_earlier(made, settings, evidence, say=click.echo)
    _seal_ledger(
        made, Place(settings=settings, environment=os.environ, repository=repository), evidence
    )
    made.write(evidence)
    write_outputs("plan", **outputs_of(made))
    if as_json:
        click.echo(made.to_json(), nl=False)
    else:
        _print(made)


def _seal_ledger(plan: Plan, place: Place, evidence: Path) -> None:
    """Write ledger.json where a touched model's rules ask for it, and take an older one away."""
    from assay.cli.desired import reader
    from assay.evidence import Ledger
    from assay.gate.ledger import asked_by, sealed_ledger

    (evidence / Ledger.FILE).unlink(missing_ok=True)
    models = asked_by(plan)
    if models:
        sealed_ledger(models, reader(place, click.echo)).write(evidence)


def make(
    repository: Repository, config: Path, *, base: str | None, environ: Mapping[str, str]
) -> Plan:
    """Return the plan of this run: of the event in a job, of the work tree elsewhere."""
    from assay.github.settings import read_settings
    from assay.training.revisions import local_ends, named_ends, read_plan

    settings = read_settings(environ)
    names = settings.revisions
    if names is None:
        ends = local_ends(repository, base=base, dirty=repository.is_dirty())
    elif base is not None:
        ends = named_ends(repository, head=names.head, base=base)
    else:
        ends = named_ends(
            repository, head=names.head, base=names.base, merge_base_with=names.merge_base_with
        )
        ends = replace(ends, every=names.every)
    return read_plan(repository, settings.event, ends, config=config, from_work_tree=names is None)


def outputs_of(plan: Plan) -> dict[str, str]:
    """Return the step outputs of a plan, by name."""
    touched = [
        {"name": model.name, "path": model.path, **_asked(model)}
        for model in plan.models
        if model.touched
    ]
    return {
        "any": "true" if touched else "false",
        "models": json.dumps(touched, separators=(",", ":")),
        "tree": plan.head.tree,
        "publisher": plan.comment.publisher.value,
        "environment": _environment(plan),
    }


def _environment(plan: Plan) -> str:
    """Return what the gate's comparisons are made in: one environment for all models."""
    engines = {model.rules.engine for model in plan.models if model.touched}
    return "spark" if "spark" in engines else "toolkit"


def _asked(model: ModelPlan) -> dict[str, bool | str]:
    """What the model's job does beside the base and the head."""
    from assay.gate.delivered import artifact_of
    from assay.gate.reference import is_watched

    more = {
        "anchor": model.anchor is not None,
        "attribution": model.attribution,
        "reference": is_watched(model),
    }
    artifact = artifact_of(model)
    kept: dict[str, bool | str] = {} if artifact is None else {"artifact": artifact}
    return {**{name: True for name, asked in more.items() if asked}, **kept}


def _print(plan: Plan) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    out = console()
    base = plan.base.commit[:12] if plan.base else f"none: {plan.why_no_base}"
    head = "the work tree at " if plan.event.name == "local" else ""
    out.print(f"head {head}{plan.head.commit[:12]}, base {printable(base)}")
    files = plan.change.files
    out.print(
        f"{files:,} changed {'file' if files == 1 else 'files'}, "
        f"rules from the {plan.config_rules_from}"
    )
    table = Table("Model", "Path", "Runs", "Rules", "Why", box=SIMPLE_HEAD, pad_edge=False)
    for model in plan.models:
        runs = "yes" if model.touched else "no"
        table.add_row(model.name, model.path, runs, model.rules_from, printable(model.reason))
    out.print(table)
