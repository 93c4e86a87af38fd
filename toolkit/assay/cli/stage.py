"""``assay stage``: what a served version must show before it goes to the next target."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.chosen import state_option, target_option
from assay.cli.consumer import environment_options
from assay.cli.options import config_option, evidence_option, model_option

if TYPE_CHECKING:
    from assay.cli.stage_parts import Found, Sought

PARTS = ("smoke", "tests", "load")


@click.command()
@config_option
@model_option
@target_option
@state_option
@evidence_option
@click.option(
    "--url", default=None, help="Where the version is served. Default: the local target's router."
)
@click.option(
    "--serving-url",
    default=None,
    help="Where the version that it is compared with under load is served. Default, at a local "
    "target: the other one that runs there; both are then asked at ports of their own.",
)
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="The version's bundle; at a local target a folder with its bundle.json is enough. "
    "Default: the newest one that this host's controller runs.",
)
@click.option(
    "--features",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Test rows as the model takes them, with their ids. Default: delivery.staging.features, "
    "else data.test.",
)
@click.option(
    "--predictions",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="What was predicted for them offline. Default: the gate's, in the evidence folder.",
)
@click.option(
    "--parts",
    default=",".join(PARTS),
    show_default=True,
    help="Which parts to run. One that cannot be measured fails; one left out here does not.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".assay/staging"),
    show_default=True,
    help="Where staging.json, smoke.json, tests.json and load.json go, below the model's name.",
)
@environment_options
def stage(output: Path, parts: str, **given: object) -> None:
    """Test a served version: smoke test, integration tests, load test.

    Smoke: every answer names the version, its signature's contract holds, and test rows are served
    the predictions that the gate judged. Load: both versions by turns in an open loop. Moves no
    traffic. Exits 1 where a part fails or cannot be measured, 3 where nothing answers.

    \b
    assay stage --model churn --target staging
    assay stage --model churn --target staging --url http://host:8081 --bundle bundle --parts smoke
    """
    from assay.cli.stage_parts import found_of, sought_of
    from assay.errors import InputError

    wanted = tuple(part.strip() for part in parts.split(","))
    if not set(wanted) <= set(PARTS):
        raise InputError(
            f"--parts {parts[:80]!r} names parts that there are not.",
            remedy=f"Write some of {', '.join(PARTS)}.",
        )
    sought = sought_of(wanted, output, **given)
    conclude("stage", sought, found_of(sought))


def conclude(command: str, sought: Sought, found: Found) -> None:
    """Show what was found, hand it on, and end as it says.

    Raises VerdictFailed, or what kept a part from being measured.
    """
    from assay.errors import VerdictFailed
    from assay.evidence import Outcome

    _show(command, sought, found)
    if found.trouble is not None:
        raise found.trouble
    if found.report.state is Outcome.FAIL:
        raise VerdictFailed("the version may not go on.")


def _show(command: str, sought: Sought, found: Found) -> None:
    from assay.cli.console import printable
    from assay.cli.outputs import write_outputs
    from assay.github.outputs import write_summary
    from assay.github.settings import read_settings
    from assay.report.staging import staging_summary

    report = found.report
    for part in report.parts:
        click.echo(printable(f"{part.name}: {part.state}: {part.sentence}"))
    for check in found.smoke.checks if found.smoke else ():
        listed = f" ({', '.join(check.examples)})" if check.examples else ""
        click.echo(printable(f"  {check.name}: {check.state.value}: {check.sentence}{listed}"))
    for look in found.load.looks if found.load else ():
        click.echo(printable(f"  {look.name}: {look.state.value}"))
    click.echo(printable(f"{report.model} {report.artifact_digest[:12]}: {report.state.value}"))
    write_outputs(command, state=report.state.value)
    page = staging_summary(report, smoke=found.smoke, tests=found.tests, load=found.load)
    (sought.folder / "report.md").write_text(page, encoding="utf-8")
    settings = read_settings(os.environ)
    if settings.summary_file is not None:
        write_summary(settings.summary_file, page)
