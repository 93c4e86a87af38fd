"""``assay deploy``: ask a target's controller for a registered version."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.asking import (
    Office,
    asking_token_option,
    author_of,
    author_option,
    open_office,
    report,
    signing_key_option,
)
from assay.cli.chosen import dry_run_option
from assay.cli.options import config_option

if TYPE_CHECKING:
    from assay.evidence import DeliveryPlan
    from assay.rollout.asking import Answered, Ask, Written


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The command line."""

    model: str
    target: str
    digest: str | None
    bundle: Path | None
    author: str | None
    approver: str | None
    delivery: Path
    image: Path | None = None


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


def wanted_of(office: Office, asked: Asked) -> Ask:
    """Return what the command line asks for; in a job, who asks and who agreed is GitHub's word."""
    from assay.rollout.asking import Ask

    plan = _plan(asked.delivery)
    author = plan.author if plan else author_of(office.settings, asked.author)
    digest = _digest(asked)
    return Ask(
        kind="deploy",
        model=asked.model,
        target=asked.target,
        repository=plan.repository if plan else office.whose(),
        author=author,
        approver=_approver(office, asked, author),
        artifact_digest=digest,
        image=_image(asked, digest),
        strategy=office.way(asked.model, asked.target).strategy_at(asked.target),
        pull_request=plan.pull_request if plan else None,
    )


def _plan(path: Path) -> DeliveryPlan | None:
    from assay.evidence import DeliveryPlan

    return DeliveryPlan.read(path.parent) if path.is_file() else None


def _digest(asked: Asked) -> str:
    from assay.errors import InputError
    from assay.packaging.bundle import Bundle

    if asked.bundle is not None:
        folder = asked.bundle if asked.bundle.is_dir() else asked.bundle.parent
        found = Bundle.read(folder)
        if found.model != asked.model:
            raise InputError(f"the bundle is of {found.model}, not of {asked.model[:80]!r}.")
        return found.digest()
    if asked.digest is None:
        raise InputError(
            "no version is named.", remedy="Name it with --bundle or --artifact-digest."
        )
    return asked.digest


def _image(asked: Asked, digest: str) -> str | None:
    from assay.errors import IntegrityError, Location
    from assay.evidence import PushedImage

    if asked.image is None or not asked.image.is_file():
        return None
    found = PushedImage.read(asked.image.parent)
    if (found.model, found.artifact_digest) != (asked.model, digest):
        raise IntegrityError(
            f"the image is of {found.model} {found.artifact_digest[:12]}, and {asked.model} "
            f"{digest[:12]} is asked for.",
            where=Location(file=asked.image.as_posix()),
            remedy="Make it again: assay image --bundle with the bundle of this version.",
        )
    return found.reference


def _approver(office: Office, asked: Asked, author: str) -> str | None:
    """Who agreed: a reviewer of the environment in a job, else who is named."""
    from assay.github.approvals import approver_of
    from assay.github.publish import client_of
    from assay.rollout.asking import refuse_own_approval

    settings = office.settings
    if not settings.in_actions:
        if asked.approver is not None:
            refuse_own_approval(author, asked.approver)
        return asked.approver
    run = settings.event.run_id
    if run is None or settings.token is None or settings.event.repository is None:
        return None
    client = client_of(settings)
    try:
        found = approver_of(client, run, asked.target)
    finally:
        client.close()
    return None if found is None or found.casefold() == author.casefold() else found


def agreed(office: Office, asked: Asked) -> Ask:
    """What waits at the target, in the name of whoever approves it now."""
    from assay.cli.waiting import chosen_request
    from assay.rollout.asking import approved

    request = chosen_request(office, asked.target, asked.model, asked.digest)
    by = author_of(office.settings, asked.approver or asked.author)
    return approved(request, by, now=datetime.now(UTC))


def come_onward(office: Office, asked: Asked) -> Ask:
    """What waits at the target for the one before it; who agreed is asked of this job."""
    from assay.cli.waiting import chosen_request
    from assay.rollout.asking import approved

    request = chosen_request(office, asked.target, asked.model, asked.digest)
    by = _approver(office, asked, request.author)
    return approved(request, by, now=datetime.now(UTC))


def _serves(office: Office, wanted: Ask) -> bool:
    from assay.rollout.asking import serves_alone

    digest = wanted.artifact_digest
    return digest is not None and serves_alone(office.chain(wanted.target, wanted.model), digest)


def _is_last(office: Office, asked: Asked) -> bool:
    return office.way(asked.model, asked.target).targets[-1] == asked.target


def judge(found: Answered, written: Written, *, decided: bool, waited: bool) -> None:
    """Turn an answer into the exit: raises VerdictFailed or OutsideError where it is no pass."""
    from assay.cli.console import print_error
    from assay.errors import OutsideError, VerdictFailed
    from assay.rollout.asking import Answer

    intent, answer = written.intent, found.answer
    if answer in (Answer.REJECTED, Answer.ROLLED_BACK):
        failed = VerdictFailed(
            f"{intent.model} at {intent.target}: {found.decisions[-1]['sentence']}"
        )
        # The edge says nothing of a failed verdict, because the gate has said it all.
        print_error(failed)
        raise failed
    late = answer is Answer.UNANSWERED or (decided and answer is Answer.UNDER_WAY)
    if late and waited:
        raise OutsideError(
            f"the controller of {intent.target} has not "
            f"{'answered' if answer is Answer.UNANSWERED else 'decided'} yet.",
            remedy=f"The intent counts until {intent.expires}. Look at the controller's host: "
            "assay status.",
        )
