"""Does an intent count? Its signature first; then what it says, by the clock and by the chain.

Being able to write the branch deploys nothing: whatever is not signed by a trusted key, was made
for another target, model or repository, is expired, was seen before, or was made upon a decision
that is no longer the newest, is recorded as rejected and does nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from assay.errors import AssayError, IntegrityError
from assay.evidence import Intent
from assay.packaging.keys import Trusted, verify
from assay.rollout.controller.chain import Place
from assay.rollout.controller.clock import time_of
from assay.rollout.records import Order
from assay.state import Signed

LONGEST_LIFE = timedelta(days=7)
GLASS_LIFE = timedelta(hours=1)
"""An intent that breaks the glass may live so long."""
_SKEW = timedelta(minutes=5)
FORWARD = ("deploy", "resume", "advance", "clear")
"""Kinds that bring more of a version: only upon the newest decision. The others are safe late."""
_NEEDS_DIGEST = ("deploy", "clear")


class Rejected(Exception):
    """An intent that does not count, and why: one sentence."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a controller demands of an intent."""

    place: Place
    trusted: Trusted
    repository: str | None = None
    """Whose intents count, owner/name; None where the controller was not told."""
    approval: bool = False
    """Whether a deploy needs an approver who is not its author."""
    unfit: Callable[[Intent], str | None] = lambda _: None
    """Why an intent cannot be carried out on this target; None where it can."""


def checked(signed: Signed, rules: Rules, now: datetime) -> Intent:
    """Return the intent, if it counts as far as itself and the clock are asked.

    Raises Rejected.
    """
    intent = _authentic(signed, rules)
    place = rules.place
    if intent.generation != signed.generation:
        raise Rejected(
            f"replayed: it was signed as number {intent.generation} and lies at number "
            f"{signed.generation}"
        )
    if (intent.target, intent.model) != (place.target, place.model):
        raise Rejected(f"it is for {intent.model} on {intent.target}")
    if rules.repository is not None and intent.repository != rules.repository:
        raise Rejected(f"it is of another repository, {intent.repository}")
    if intent.kind in _NEEDS_DIGEST and intent.artifact_digest is None:
        raise Rejected(f"it names no version to {intent.kind}")
    _in_time(intent, now)
    if rules.approval and intent.kind == "deploy" and not glass(intent):
        _approved(intent)
    why = rules.unfit(intent)
    if why is not None:
        raise Rejected(why)
    return intent


def check_chain(intent: Intent, *, seen: frozenset[str], basis: str | None) -> None:
    """Check an intent against the decisions so far; raises Rejected."""
    if intent.id in seen:
        raise Rejected("replayed: this intent was decided about before")
    if intent.kind in FORWARD and intent.based_on != basis:
        raise Rejected(
            f"stale: it was made upon decision {_short(intent.based_on)}, "
            f"and the newest is {_short(basis)}"
        )


def glass(intent: Intent) -> bool:
    """Whether it breaks the glass: a reason and a ticket."""
    return bool(intent.reason and intent.ticket)


def order_of(intent: Intent) -> Order:
    """Return what the step is told."""
    by = intent.author if intent.approver is None else f"{intent.author}, {intent.approver}"
    return Order(
        kind=intent.kind,
        by=by,
        digest=intent.artifact_digest,
        strategy=intent.strategy,
        image=intent.image,
        intent=intent.id,
        glass=glass(intent),
        reason=intent.reason,
    )


def _authentic(signed: Signed, rules: Rules) -> Intent:
    try:
        verify(signed.content, signed.signature, rules.trusted)
    except AssayError as error:
        raise Rejected(f"forged or unsigned: {error.message.rstrip('.')}") from None
    try:
        return Intent.parse(signed.content.decode(), file=f"intent {signed.generation}")
    except (IntegrityError, UnicodeDecodeError) as error:
        raise Rejected(f"unreadable: {str(error)[:300].rstrip('.')}") from None


def _in_time(intent: Intent, now: datetime) -> None:
    try:
        issued, expires = time_of(intent.issued), time_of(intent.expires)
    except ValueError:
        raise Rejected("its times are none") from None
    if now >= expires:
        raise Rejected(f"expired: it counted until {intent.expires}")
    if issued > now + _SKEW:
        raise Rejected(f"it was issued at {intent.issued}, which is not yet: look at both clocks")
    longest = GLASS_LIFE if glass(intent) else LONGEST_LIFE
    if expires - issued > longest:
        hours = longest.total_seconds() / 3600
        raise Rejected(f"it would count for longer than {hours:.0f} hours")


def _approved(intent: Intent) -> None:
    if intent.approver is None:
        raise Rejected("nobody approved it, and this target demands that")
    if intent.approver.casefold() == intent.author.casefold():
        raise Rejected(f"its author {intent.author} approved it: somebody else must")


def _short(digest: str | None) -> str:
    return "none" if digest is None else digest[:12]
