"""What a deployment waits for: a person's word, the target before it, the tests there.

What waits lies on the branch as a signed request, and becomes an intent when its time has come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.errors import InputError, IntegrityError

if TYPE_CHECKING:
    from assay.cli.asking import Office
    from assay.evidence import Intent
    from assay.rollout.asking import Ask


def waiting_at(office: Office, target: str, model: str) -> Intent | None:
    """Return what waits at a target; raises IntegrityError where another key signed it."""
    from assay.evidence import Intent
    from assay.packaging.keys import Trusted, public_key_of, verify
    from assay.state import DESIRED, read_request

    with office.branch(DESIRED) as desired:
        found = read_request(desired, target, model)
    if found is None:
        return None
    content, signature = found
    verify(content, signature, Trusted(keys=(public_key_of(office.private_key),)))
    return Intent.parse(content.decode(), file=f"{DESIRED}:requests/{target}")


def chosen_request(office: Office, target: str, model: str, digest: str | None) -> Intent:
    """Return what waits at a target; raises InputError for nothing, or for another version."""
    found = waiting_at(office, target, model)
    if found is None:
        raise InputError(f"nothing of {model} waits at {target}.")
    if digest not in (None, found.artifact_digest):
        raise InputError(
            f"version {(found.artifact_digest or 'none')[:12]} waits, not the one that is named.",
            remedy="Look at what waits, and name that version or none.",
        )
    return found


def awaited_before(office: Office, wanted: Ask) -> str | None:
    """Return the target before at which the version still waits; None where it may come now.

    A version comes to a target after the one before has promoted it. Raises InputError where it
    was not promoted there, and does not wait there either.
    """
    from assay.rollout.asking import passed_before, still_waits

    before = _before(office, wanted)
    if not before or wanted.artifact_digest is None:
        return None
    chain = office.chain(before[-1], wanted.model)
    if passed_before(chain, wanted.artifact_digest):
        return None
    found = _own(office, before[-1], wanted.model)
    if found is not None and still_waits(found, wanted.artifact_digest, chain, datetime.now(UTC)):
        return before[-1]
    raise InputError(
        f"version {wanted.artifact_digest[:12]} was not promoted at {before[-1]}, which comes "
        f"before {wanted.target}.",
        remedy=f"Deploy it to {before[-1]} first; the journal says what became of it there.",
    )


def untested(office: Office, wanted: Ask, reports: Path) -> str | None:
    """Return the first target before without a report of this version that lets it go on."""
    from assay.evidence import Outcome, StagingReport

    found = [StagingReport.read(file.parent) for file in reports.rglob(StagingReport.FILE)]
    tested = {
        report.target
        for report in found
        if (report.model, report.artifact_digest) == (wanted.model, wanted.artifact_digest)
        and report.state is not Outcome.FAIL
    }
    return next((name for name in _before(office, wanted) if name not in tested), None)


def onward_from(office: Office, wanted: Ask) -> tuple[str, ...]:
    """Return the targets after this one at which the very version waits for it, in their order."""
    targets = office.way(wanted.model, wanted.target).targets
    later = targets[targets.index(wanted.target) + 1 :]
    found = ((name, _own(office, name, wanted.model)) for name in later)
    digest = wanted.artifact_digest
    return tuple(name for name, asked in found if asked and asked.artifact_digest == digest)


def write_waiting(office: Office, wanted: Ask) -> None:
    """Write down what waits, in place of what waited before."""
    from assay.packaging.keys import sign
    from assay.rollout.asking import request
    from assay.state import DESIRED, write_request

    content = request(wanted, now=datetime.now(UTC)).to_json().encode()
    signature = sign(content, office.private_key)
    with office.branch(DESIRED) as desired:
        write_request(desired, wanted.target, wanted.model, content, signature)


def hold(office: Office, wanted: Ask, *, reports: Path | None, dry_run: bool) -> bool:
    """Write down what cannot be asked for yet, and say what it waits for; False where it can be.

    ``reports`` holds what `assay stage` wrote, where the targets before are tested. Raises
    InputError where the version did not come through the target before.
    """
    before = awaited_before(office, wanted)
    lacks = untested(office, wanted, reports) if reports is not None else None
    if before is None and lacks is not None:
        raise InputError(
            f"no report of `assay stage` lets version {(wanted.artifact_digest or '')[:12]} go on "
            f"from {lacks}.",
            remedy="Run Deliver again: it tests what that target serves now.",
        )
    delivery = office.config.delivery
    held = delivery is not None and wanted.target in delivery.approval and wanted.approver is None
    if before is None and not held:
        return False
    if lacks is None and not dry_run:
        # A later person's approval is not this one's: it is asked for when its time has come.
        write_waiting(office, replace(wanted, approver=None) if before else wanted)
    _notice(_words(wanted, before, tests=lacks is not None))
    return True


def _words(wanted: Ask, before: str | None, *, tests: bool) -> str:
    approve = "run the workflow Rollout with the operation `approve`"
    if before is None:
        return (
            f"{wanted.model} waits at {wanted.target} for the approval of somebody other than "
            f"{wanted.author}: {approve}."
        )
    then = "then run Deliver again, which tests it there" if tests else "it then comes here"
    return (
        f"{wanted.model} is not asked for at {wanted.target} yet: it waits at {before}. There "
        f"{approve}; {then}."
    )


def _before(office: Office, wanted: Ask) -> Sequence[str]:
    model = office.config.models[wanted.model]
    targets = model.delivery.targets if model.delivery else ()
    return targets[: targets.index(wanted.target)] if wanted.target in targets else ()


def _own(office: Office, target: str, model: str) -> Intent | None:
    """What waits there, and nothing where another key signed it: nobody may ask for that."""
    try:
        return waiting_at(office, target, model)
    except IntegrityError:
        return None


def _notice(text: str) -> None:
    from assay.cli.console import on_github
    from assay.github.commands import Annotation, annotation_line

    note = Annotation(level="notice", title="Awaiting approval", message=text)
    click.echo(annotation_line(note) if on_github() else text)
