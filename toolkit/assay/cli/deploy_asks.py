"""From the command line of ``assay deploy`` to what is asked of a target, and in whose name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli.asking import author_of

if TYPE_CHECKING:
    from assay.cli.asking import Office
    from assay.evidence import DeliveryPlan
    from assay.rollout.asking import Ask


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
