"""What commands that write intents share: the branches, the key, who asks, and the answer."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.errors import InputError, Location

if TYPE_CHECKING:
    from assay.config import Config, ModelDelivery
    from assay.evidence import Intent
    from assay.git import Repository
    from assay.github.settings import Settings
    from assay.rollout.asking import Answered, Ask, Written
    from assay.state import Link, StateBranch

signing_key_option = click.option(
    "--signing-key",
    metavar="PEM",
    help="The private key that signs the intent: a file, or the PEM text itself as the variable "
    "ASSAY_SIGNING_KEY.",
)
asking_token_option = click.option(
    "--branch-token",
    metavar="TOKEN",
    help="A token that may write assay/desired past its ruleset. Default: the job's.",
)
author_option = click.option("--author", metavar="LOGIN", help="Outside a job: who asks.")


@dataclass(frozen=True, kw_only=True)
class Office:
    """Where intents are written and answers read: one remote with both branches.

    ``private_key`` is PEM; ``token`` writes the branches in place of the job's own.
    """

    config: Config
    settings: Settings
    private_key: bytes = field(repr=False)
    token: str | None = field(default=None, repr=False)
    repository: Repository | None = None

    @contextmanager
    def branch(self, name: str) -> Iterator[StateBranch]:
        """Open ``assay/desired`` or ``assay/journal``."""
        from assay.state import Remote, open_records

        settings = self.settings
        address = self._address()
        token = self.token or settings.token
        remote = Remote(
            address=address,
            environment=os.environ,
            server_url=settings.server_url if settings.in_actions else None,
            token=token if settings.in_actions else None,
        )
        with open_records(remote, name, temporary=settings.temporary) as branch:
            yield branch

    def _address(self) -> str:
        settings, delivery = self.settings, self.config.delivery
        if delivery is not None and delivery.state_repository is not None:
            return delivery.state_repository
        if settings.in_actions and settings.event.repository:
            return f"{settings.server_url}/{settings.event.repository}.git"
        known = self.repository
        address = known.remote_url("origin", as_used=True) if known else None
        if address is None:
            raise InputError(
                "this clone has no remote origin, and intents are written to one.",
                remedy="Add it, or name delivery.state_repository in assay.yaml.",
            )
        return address

    def way(self, model: str, target: str) -> ModelDelivery:
        """Return how a model is delivered; raises InputError where it never gets to the target."""
        from assay.config import model_named

        found = model_named(self.config, model).delivery
        if found is None or target not in found.targets:
            known = ", ".join(found.targets) if found else "none"
            raise InputError(
                f"{model} is not delivered to {target[:80]!r}.",
                remedy=f"Its targets are: {known}.",
            )
        return found

    def whose(self) -> str:
        """Return the repository whose intents these are; raises InputError where nothing says."""
        found = self.settings.event.repository
        if found is None:
            raise InputError(
                "nothing says whose model it is.", remedy="Set GITHUB_REPOSITORY to owner/name."
            )
        return found

    def chain(self, target: str, model: str) -> Sequence[Link]:
        """Fetch the decisions about a model on a target."""
        from assay.state import JOURNAL, read_chain

        with self.branch(JOURNAL) as journal:
            return read_chain(journal, target, model)

    def ask(self, wanted: Ask) -> Written:
        """Write one intent upon the newest decision."""
        from assay.packaging.keys import sign
        from assay.rollout import asking
        from assay.rollout.controller.chain import basis
        from assay.state import DESIRED

        based_on = basis(self.chain(wanted.target, wanted.model))
        with self.branch(DESIRED) as desired:
            return asking.ask(
                desired,
                wanted,
                based_on=based_on,
                sign=lambda data: sign(data, self.private_key),
                now=datetime.now(UTC),
            )

    def answer(self, intent: Intent, *, decided: bool, seconds: float) -> Answered:
        """Wait for what becomes of an intent."""
        from assay.rollout.asking import await_answer
        from assay.state import JOURNAL, read_chain

        with self.branch(JOURNAL) as journal:
            return await_answer(
                lambda: read_chain(journal, intent.target, intent.model),
                intent,
                decided=decided,
                seconds=seconds,
                sleep=time.sleep,
                running=time.monotonic,
            )


def open_office(
    config: Path, signing_key: str | None, token: str | None, *, signs: bool = True
) -> Office:
    """Read what an intent needs; raises InputError for a missing key or delivery section."""
    from assay.git import Repository
    from assay.github.settings import read_settings

    settings = read_settings(os.environ)
    refuse_other_branches(settings)
    loaded = configuration_of(config, settings)
    if loaded.delivery is None:
        raise InputError(
            "it has no section `delivery`.",
            where=Location(file=config.as_posix()),
            remedy="See docs/delivery.md.",
        )
    here = None if settings.in_actions else Repository.find(Path.cwd(), os.environ)
    return Office(
        config=loaded,
        settings=settings,
        private_key=private_key(signing_key) if signs else b"",
        token=token,
        repository=here,
    )


def refuse_other_branches(settings: Settings) -> None:
    """A branch's own workflow file could ask for anything: intents come from the default one."""
    event, asked = settings.event, settings.revisions
    elsewhere = (event.name == "push" and event.head_branch != settings.default_branch) or (
        event.name == "workflow_dispatch" and (asked is None or asked.merge_base_with is not None)
    )
    if settings.in_actions and (elsewhere or event.name == "pull_request"):
        raise InputError(
            f"intents are written from the default branch ({settings.default_branch}) alone.",
            remedy="Run the workflow on that branch.",
        )


def configuration_of(config: Path, settings: Settings) -> Config:
    """Read the file; in a job that checked nothing out, the default branch's over REST."""
    from assay.config import load_config, parse_config
    from assay.github.fork import file_at
    from assay.github.publish import client_of

    branch = settings.default_branch
    if not settings.in_actions or config.is_file() or branch is None:
        return load_config(config)
    client = client_of(settings)
    try:
        text = file_at(client, config.as_posix(), branch)
    finally:
        client.close()
    if text is None:
        raise InputError(
            f"the branch {branch} has no such file.", where=Location(file=config.as_posix())
        )
    return parse_config(text, file=config.as_posix())


def private_key(given: str | None) -> bytes:
    """Read a signing key from a file's name or from the PEM text itself."""
    from assay.packaging.keys import public_key_of, read_private_key

    if not given:
        raise InputError(
            "an intent is signed, and there is no key.",
            remedy="Name its file with --signing-key; in a job hand over the secret signing_key.",
        )
    if not given.lstrip().startswith("-----BEGIN"):
        return read_private_key(Path(given))
    pem = given.encode()
    public_key_of(pem, name="ASSAY_SIGNING_KEY")
    return pem


def author_of(settings: Settings, given: str | None) -> str:
    """Return who asks: in a job whoever GitHub says, elsewhere who is named."""
    found = settings.event.author if settings.in_actions else given
    if not found:
        raise InputError("nobody is named as the one who asks.", remedy="Name them with --author.")
    return found


def report(answered: Answered, intent: Intent, settings: Settings) -> None:
    """Print the decisions that answer an intent, and add them to the job's summary."""
    for decision in answered.decisions:
        click.echo(_line(f"{decision['wall_time']} {decision['kind']}: {decision['sentence']}"))
    if not answered.decisions:
        click.echo("No controller has answered yet.")
    if settings.summary_file is not None:
        from assay.github.outputs import write_summary

        write_summary(settings.summary_file, _summary(answered, intent))


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


def _summary(answered: Answered, intent: Intent) -> str:
    from assay.report.escape import text

    head = f"### {text(intent.kind)} {text(intent.model)} at {text(intent.target)}"
    digest = (intent.artifact_digest or "none")[:12]
    said = f"Version `{digest}`, intent {intent.generation}: **{answered.answer.value}**."
    rows = [_row(decision) for decision in answered.decisions]
    table = ["| when | decision | why |", "| --- | --- | --- |", *rows] if rows else []
    return "\n".join([head, "", said, "", *table, ""])


def _row(decision: dict[str, Any]) -> str:
    from assay.report.escape import text

    parts = (decision["wall_time"], decision["kind"], decision["sentence"])
    return "| " + " | ".join(text(str(part), most=400) for part in parts) + " |"


def _line(text: str) -> str:
    from assay.github.commands import log_line

    return log_line(text)
