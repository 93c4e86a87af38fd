"""``assay delivery-plan``: which judged models this commit delivers, and where to."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.options import config_option, evidence_option

if TYPE_CHECKING:
    from assay.evidence import DeliveryPlan


@click.command("delivery-plan")
@config_option
@evidence_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".assay/delivery"),
    show_default=True,
    help="The folder for delivery.json, the configuration and the public keys.",
)
def delivery_plan(config: Path, evidence: Path, output: Path) -> None:
    """Say which models of the gate's evidence are delivered, from which run, to which targets.

    The evidence must be of this commit's tree and pass. The model's files are those that the run
    which judged the tree uploaded; that run must be of this repository's own code. Where they are
    gone, it is said, and nothing is delivered.
    """
    from assay.cli.outputs import write_outputs
    from assay.config import load_config
    from assay.errors import InputError
    from assay.gate.delivery import Checkout, plan_delivery, write_folder
    from assay.git import Repository
    from assay.github.settings import read_settings

    settings = read_settings(os.environ)
    if not settings.in_actions or settings.token is None:
        raise InputError(
            "a delivery is planned in a GitHub job: the runs that count are found there.",
            remedy="By hand: assay package, assay register, assay deploy --bundle.",
        )
    repository = Repository.find(Path.cwd(), os.environ)
    head = repository.resolve("HEAD")
    checkout = Checkout(
        root=repository.root,
        commit=head.commit,
        tree=head.tree,
        config_file=config.absolute().resolve().relative_to(repository.root.resolve()).as_posix(),
        config=load_config(config),
    )
    made = plan_delivery(evidence, settings, checkout)
    write_folder(made, checkout, output)
    write_outputs("delivery-plan", **outputs_of(made))
    for model in made.models:
        click.echo(f"{model.name}: from run {model.run}, to {', '.join(model.targets)}")
    if not made.models:
        click.echo("No model that is delivered changed: nothing to do.")


def outputs_of(plan: DeliveryPlan) -> dict[str, str]:
    """Return the step outputs of a delivery's plan, by name."""
    models = [
        {"name": model.name, "run": model.run, "artifact": model.artifact} for model in plan.models
    ]
    before = [
        {"model": model.name, "target": target}
        for model in plan.models
        for target in model.targets[:-1]
    ]
    last = [{"model": model.name, "target": model.targets[-1]} for model in plan.models]
    return {
        "any": "true" if models else "false",
        "models": _dumped(models),
        "stages": _dumped(before) if before else "",
        "last": _dumped(last),
    }


def _dumped(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
