"""``assay ask``: order something of a target's controller from anywhere, by a signed intent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from assay.cli.asking import (
    asking_token_option,
    author_of,
    author_option,
    judge,
    open_office,
    report,
    signing_key_option,
)
from assay.cli.options import config_option

if TYPE_CHECKING:
    from assay.evidence import IntentKind
    from assay.rollout.asking import Ask

OPERATIONS = ("pause", "resume", "abort", "advance", "rollback", "clear")


@click.command()
@click.argument("operation", type=click.Choice(OPERATIONS), envvar="ASSAY_OPERATION")
@config_option
@click.option("--model", required=True, metavar="NAME", help="Which model.")
@click.option("--target", required=True, metavar="NAME", help="Which target.")
@click.option(
    "--artifact-digest",
    metavar="SHA256",
    help="rollback: to this version; default the previous one. clear: the version that is barred.",
)
@click.option("--reason", metavar="TEXT", help="Why; it stands in the decision.")
@click.option(
    "--ticket",
    metavar="ID",
    help="With --reason: breaks the glass. A freeze then holds nothing back, for an hour.",
)
@signing_key_option
@asking_token_option
@author_option
@click.option(
    "--wait-minutes",
    type=click.FloatRange(0, 24 * 60),
    default=5,
    show_default=True,
    help="Wait no longer for the controller's answer; 0: write and leave.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
def ask(
    operation: str,
    config: Path,
    model: str,
    target: str,
    artifact_digest: str | None,
    reason: str | None,
    ticket: str | None,
    signing_key: str | None,
    branch_token: str | None,
    author: str | None,
    wait_minutes: float,
    dry_run: bool,
) -> None:
    """Pause, resume, abort or advance a rollout, roll back, or clear a barred version.

    Writes a signed intent to assay/desired and reports the controller's decision. It takes as long
    as the controller's polls; at the controller's host `assay rollout` and `assay rollback` take
    milliseconds, and need neither git nor a key. Exits 1 where the controller rejects it, and 3
    where none answers.

    \b
    assay ask rollback --model churn --target production --reason "complaints" --signing-key key.pem
    """
    from assay.cli.outputs import write_outputs
    from assay.rollout.asking import Ask

    office = open_office(config, signing_key, branch_token)
    office.way(model, target)
    wanted = Ask(
        kind=cast("IntentKind", operation),
        model=model,
        target=target,
        repository=office.whose(),
        author=author_of(office.settings, author),
        artifact_digest=artifact_digest,
        reason=reason,
        ticket=ticket,
    )
    _refuse_nonsense(wanted)
    if dry_run:
        click.echo(f"Would ask {target} to {operation} {model}, in the name of {wanted.author}.")
        return
    written = office.ask(wanted)
    click.echo(f"Intent {written.intent.generation} for {model} at {target}: {operation}")
    found = office.answer(written.intent, decided=False, seconds=wait_minutes * 60)
    report(found, written.intent, office.settings)
    write_outputs("ask", state=found.answer.value, intent=written.intent.id)
    judge(found, written, decided=False, waited=wait_minutes > 0)


def _refuse_nonsense(wanted: Ask) -> None:
    from assay.errors import InputError

    if wanted.kind == "clear" and wanted.artifact_digest is None:
        raise InputError(
            "clear lifts the bar of one version, and none is named.",
            remedy="Name it with --artifact-digest; the rollback's decision says which.",
        )
    if wanted.artifact_digest is not None and wanted.kind not in ("rollback", "clear"):
        raise InputError(f"{wanted.kind} is about what is on its way, and takes no version.")
    if wanted.ticket is not None and wanted.reason is None:
        raise InputError("a ticket breaks the glass, and that takes a --reason.")
