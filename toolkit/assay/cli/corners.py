"""``assay train --side attribution``: one side's code on the other's data, in work trees."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.consumer import Consumer, chosen_model

if TYPE_CHECKING:
    from assay.config import Config
    from assay.evidence import Plan


def train_corners(consumer: Consumer, config: Path, model: str | None, evidence: Path) -> None:
    """Run both mixed corners and keep what they predict; nothing of it fails the command."""
    from assay.cli.outputs import write_outputs
    from assay.cli.train import planned_model, print_training
    from assay.evidence import StageState
    from assay.training.attribution import MIXED, CornerRequest, train_corner

    plan, planned = planned_model(consumer, config, model, evidence)
    if not planned.attribution:
        click.echo(f"{planned.name}: the plan asks for no attribution to code and data.")
        return
    passed = True
    for corner in MIXED:
        target = evidence / planned.name / corner
        target.mkdir(parents=True, exist_ok=True)
        request = CornerRequest(
            planned=planned,
            plan=plan,
            head=chosen_model(consumer.config, planned.name)[1],
            configs=(consumer.config, *_base_config(consumer, plan)),
            corner=corner,
            target=target,
            scratch=consumer.base_folder,
        )
        made = train_corner(request, consumer.repository, consumer.tools)
        made.write(target)
        print_training(made)
        passed = passed and made.state is StageState.PASSED
    write_outputs("train", state="passed" if passed else "not-measured")


def _base_config(consumer: Consumer, plan: Plan) -> tuple[Config, ...]:
    """The base's configuration, which may name other files as data."""
    from assay.config import parse_config
    from assay.errors import AssayError

    if plan.base is None:
        return ()
    content = consumer.repository.show_file(plan.base.commit, plan.config_file)
    try:
        text = (content or b"").decode(errors="replace")
        return (parse_config(text, file=plan.config_file),)
    except AssayError:
        return ()
