"""``assay deploy``: ask a target's controller for a registered version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.asking import (
    Office,
    asking_token_option,
    author_option,
    judge,
    open_office,
    report,
    signing_key_option,
)
from assay.cli.chosen import dry_run_option
from assay.cli.deploy_asks import Asked, agreed, come_onward, wanted_of
from assay.cli.options import config_option

if TYPE_CHECKING:
    from assay.rollout.asking import Ask


@click.command()
@config_option
@click.option("--model", required=True, metavar="NAME", help="Which model.")
@click.option("--target", required=True, metavar="NAME", help="Which target of delivery.targets.")
@click.option(
    "--bundle",
    type=click.Path(path_type=Path),
    help="The bundle, or its bundle.json: the version that is asked for.",
)
@click.option("--artifact-digest", metavar="SHA256", help="The version, where there is no bundle.")
@click.option(
    "--delivery",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("delivery.json"),
    show_default=True,
    help="What `assay delivery-plan` wrote: whose change it is. It need not be there.",
)
@click.option(
    "--image-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="What `assay image` wrote: the version's container image by digest, which stands in the "
    "intent. It need not be there.",
)
@signing_key_option
@asking_token_option
@author_option
@click.option("--approver", metavar="LOGIN", help="Outside a job: who agreed.")
@click.option(
    "--approve",
    is_flag=True,
    help="Agree to what was asked for at this target; not for the change's author.",
)
@click.option(
    "--onward",
    is_flag=True,
    help="Ask for what waits at this target since the one before it had to be approved.",
)
@click.option(
    "--staging",
    type=click.Path(path_type=Path, file_okay=False),
    help="Demand here, in staging.json files of `assay stage`, that each target before was tested.",
)
@click.option(
    "--until",
    type=click.Choice(("accepted", "decided")),
    help="Wait for this. Default: decided, and for the model's last target accepted.",
)
@click.option(
    "--wait-minutes",
    type=click.FloatRange(0, 24 * 60),
    default=15,
    show_default=True,
    help="Wait no longer; 0: write and leave.",
)
@dry_run_option
def deploy(
    config: Path,
    model: str,
    target: str,
    bundle: Path | None,
    artifact_digest: str | None,
    delivery: Path,
    image_file: Path | None,
    signing_key: str | None,
    branch_token: str | None,
    author: str | None,
    approver: str | None,
    approve: bool,
    onward: bool,
    staging: Path | None,
    until: str | None,
    wait_minutes: float,
    dry_run: bool,
) -> None:
    """Write a signed intent to assay/desired, and report what the target's controller decides.

    Nothing moves here: the controller beside the traffic verifies signature, bundle and chain, and
    then moves traffic by the model's strategy. A version goes to a target only after the one
    before it was promoted. Where delivery.approval names the target, somebody other than the
    author must agree: a reviewer of the job's environment, or a person who runs this with
    --approve. Exits 1 where the controller rejects it or takes it back, 3 where none answers.

    \b
    assay deploy --model churn --target staging --bundle .assay/bundle --signing-key key.pem
    """
    from assay.cli.outputs import write_outputs
    from assay.cli.waiting import hold

    asked = Asked(
        model=model,
        target=target,
        digest=artifact_digest,
        bundle=bundle,
        author=author,
        approver=approver,
        delivery=delivery,
        image=image_file,
    )
    office = open_office(config, signing_key, branch_token)
    wanted = (agreed if approve else come_onward if onward else wanted_of)(office, asked)
    if _serves(office, wanted):
        click.echo(f"{model} at {target}: this version was promoted already, nothing is asked for.")
        _hand_on(office, wanted, "promoted")
        return
    if hold(office, wanted, reports=staging, dry_run=dry_run):
        write_outputs("deploy", state="awaiting-approval", intent="", onward="")
        return
    if dry_run:
        version = (wanted.artifact_digest or "none")[:12]
        click.echo(f"Would ask {target} for {model} {version}, in the name of {wanted.author}.")
        return
    written = office.ask(wanted)
    intent = written.intent
    click.echo(f"Intent {intent.generation} for {model} at {target} is written: {intent.id}")
    decided = until == "decided" or (until is None and not _is_last(office, asked))
    found = office.answer(intent, decided=decided, seconds=wait_minutes * 60)
    report(found, intent, office.settings)
    _hand_on(office, wanted, found.answer.value, intent.id)
    judge(found, written, decided=decided, waited=wait_minutes > 0)


def _hand_on(office: Office, wanted: Ask, state: str, intent: str = "") -> None:
    """Write the outputs; with a promotion, which targets after this one wait for it."""
    from assay.cli.outputs import write_outputs
    from assay.cli.waiting import onward_from

    later = onward_from(office, wanted) if state == "promoted" else ()
    listed = json.dumps(later) if later else ""
    write_outputs("deploy", state=state, intent=intent, onward=listed)


def _serves(office: Office, wanted: Ask) -> bool:
    from assay.rollout.asking import serves_alone

    digest = wanted.artifact_digest
    return digest is not None and serves_alone(office.chain(wanted.target, wanted.model), digest)


def _is_last(office: Office, asked: Asked) -> bool:
    return office.way(asked.model, asked.target).targets[-1] == asked.target
