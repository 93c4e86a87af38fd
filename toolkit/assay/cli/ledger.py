"""``assay ledger``: what each test set has decided, and how a decision is added."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.console import say_aside
from assay.cli.options import json_option, model_option

if TYPE_CHECKING:
    from assay.cli.desired import Place
    from assay.gate.ledger import Written

PENDING = Path(".assay/ledger")


@click.command()
@click.argument(
    "operation", type=click.Choice(("show", "append")), default="show", envvar="ASSAY_OPERATION"
)
@click.option(
    "--evidence",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="append: a judged evidence folder. Default: the artifact of the run that started this one "
    "(workflow_run).",
)
@click.option(
    "--config",
    default="assay.yaml",
    show_default=True,
    metavar="PATH",
    help="append: the configuration file, from the repository's root; read from the default "
    "branch over REST.",
)
@click.option(
    "--workflow",
    default=".github/workflows/pull-request.yml",
    show_default=True,
    metavar="PATH",
    help="append: the workflow whose runs count.",
)
@click.option(
    "--remote",
    default="origin",
    show_default=True,
    metavar="NAME",
    help="Outside a job: the remote that keeps the branch assay/desired.",
)
@click.option(
    "--branch-token",
    metavar="TOKEN",
    default=None,
    help="append: a token that may write assay/desired past its ruleset. Default: the job's.",
)
@model_option
@json_option
def ledger(
    operation: str,
    evidence: Path | None,
    config: str,
    workflow: str,
    remote: str,
    branch_token: str | None,
    model: str | None,
    as_json: bool,
) -> None:
    """Show how often each test set has decided, or append a run's decisions.

    The ledger is kept on the branch assay/desired, one small file for each model and test set.
    `show` reads it from the remote, or as this clone last fetched it. `append` adds the heads that
    an evidence folder, or the run that started this one, decided about; a head that is there
    already is free. It never forces a push: where another writer was first it begins again.

    \b
    Examples:
      assay ledger show
      assay ledger show --model churn --json
      assay ledger append --evidence .assay/evidence
    """
    from assay.cli.desired import Place, reader
    from assay.git import Repository
    from assay.github.settings import read_settings

    settings = read_settings(os.environ)
    in_run = operation == "append" and evidence is None
    repository = None if in_run else Repository.find(Path.cwd(), os.environ)
    place = Place(
        settings=settings,
        environment=os.environ,
        repository=repository,
        remote=remote,
        branch_token=branch_token,
    )
    if operation == "show":
        from assay.cli.ledger_table import print_ledger, uses

        found = uses(reader(place, say_aside), model)
        if as_json:
            click.echo(json.dumps(found, indent=2, sort_keys=True))
        else:
            print_ledger(found)
    elif evidence is not None:
        _print(_append_folder(place, evidence, model), as_json=as_json)
    else:
        _print(_append_run(place, config, workflow), as_json=as_json)


def _append_folder(place: Place, evidence: Path, model: str | None) -> Written | None:
    from assay.cli.desired import opened
    from assay.evidence import Plan
    from assay.gate.ledger import append_decisions, asked_by, decisions_of
    from assay.gate.verify import verify

    plan = Plan.read(evidence)
    verify(evidence)
    models = [name for name in asked_by(plan) if model in (None, name)]
    commit = plan.event.head_sha or plan.head.commit
    decisions = decisions_of(
        evidence, models, at=datetime.now(UTC), run=plan.event.run_id, commit=commit
    )
    if not decisions:
        return None
    with opened(place) as branch:
        return append_decisions(branch, decisions)


def _append_run(place: Place, config: str, workflow: str) -> Written | None:
    from assay.cli.desired import opened
    from assay.config import parse_config
    from assay.gate.ledger_run import Wanted, append_run

    wanted = Wanted(
        config=config,
        workflow=workflow,
        pending=PENDING,
        parse=lambda text: parse_config(text, file=config),
    )
    return append_run(
        place.settings, wanted, lambda: opened(place), at=datetime.now(UTC), say=say_aside
    )


def _print(written: Written | None, *, as_json: bool) -> None:
    from assay.cli.outputs import write_outputs

    new = written.new if written else ()
    write_outputs("ledger", added=str(len(new)))
    if as_json:
        full = [found.reason for found in written.full] if written else []
        commit = written.appended.commit if written else None
        click.echo(json.dumps({"added": len(new), "commit": commit, "full": full}, indent=2))
        return
    if not new:
        say_aside("No new decision: the ledger stays as it is.")
    for decision in new:
        say_aside(
            f"Counted: {decision.model} decided about {decision.head[:12]} on the test set "
            f"{decision.test_set[:12]}."
        )
    for found in written.full if written else ():
        _warn(f"Not counted, {found.decision.model}: {found.reason}.")


def _warn(text: str) -> None:
    from assay.cli.console import on_github
    from assay.github.commands import Annotation, annotation_line

    if on_github():
        click.echo(annotation_line(Annotation(level="warning", title="The ledger", message=text)))
    else:
        say_aside(text)
