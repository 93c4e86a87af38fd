"""Ask a controller for something: write a signed intent, then read in the journal what it decided.

Both ends are branches of a git remote. Whoever asks needs no way to the controller's host.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from assay.config import Strategy
from assay.errors import InputError
from assay.evidence import DecisionKind, Intent, IntentKind
from assay.rollout.controller.clock import moment_of, time_of
from assay.state import Link, Signed, StateBranch, append_intent

LIFE = timedelta(hours=24)
GLASS_LIFE = timedelta(hours=1)
REQUEST_LIFE = timedelta(days=7)
_PAUSE = 5.0
_LAST = (DecisionKind.PROMOTED, DecisionKind.ROLLED_BACK, DecisionKind.CONCLUDED)
_BEGINS = (DecisionKind.ACCEPTED, DecisionKind.STEPPED, DecisionKind.REPAIRED)


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What is wanted, and who wants it. With reason and ticket the glass is broken."""

    kind: IntentKind
    model: str
    target: str
    repository: str
    author: str
    approver: str | None = None
    artifact_digest: str | None = None
    strategy: Strategy | None = None
    image: str | None = None
    """The version's container image, by digest."""
    pull_request: int | None = None
    reason: str | None = None
    ticket: str | None = None


@dataclass(frozen=True, kw_only=True)
class Written:
    """The intent as it was written, and as it lies on the branch."""

    intent: Intent
    signed: Signed


def ask(
    desired: StateBranch,
    wanted: Ask,
    *,
    based_on: str | None,
    sign: Callable[[bytes], bytes],
    now: datetime,
) -> Written:
    """Append the intent to ``assay/desired``.

    ``based_on`` is the newest decision that changed anything (``chain.basis``). Raises what
    StateBranch.append raises where the branch cannot be written.
    """
    identity = secrets.token_hex(16)
    life = GLASS_LIFE if wanted.reason and wanted.ticket else LIFE
    made: list[Intent] = []

    def make(generation: int) -> tuple[bytes, bytes]:
        intent = Intent(
            id=identity,
            generation=generation,
            based_on=based_on,
            issued=moment_of(now),
            expires=moment_of(now + life),
            **vars(wanted),
        )
        made.append(intent)
        content = intent.to_json().encode()
        return content, sign(content)

    signed = append_intent(desired, wanted.target, wanted.model, make)
    return Written(intent=made[-1], signed=signed)


def request(wanted: Ask, *, now: datetime) -> Intent:
    """Return what waits for approval: no intent, until somebody agrees."""
    return Intent(
        id=secrets.token_hex(16),
        generation=1,
        issued=moment_of(now),
        expires=moment_of(now + REQUEST_LIFE),
        **vars(wanted),
    )


def approved(asked: Intent, approver: str | None, *, now: datetime) -> Ask:
    """Return what a request asks for, agreed to by ``approver`` where anybody has.

    Raises InputError where that is its author, or where it has expired.
    """
    if approver is not None:
        refuse_own_approval(asked.author, approver)
    if now >= time_of(asked.expires):
        raise InputError(
            f"what {asked.author} asked for counted until {asked.expires}.",
            remedy="Run the delivery again.",
        )
    return Ask(
        kind=asked.kind,
        model=asked.model,
        target=asked.target,
        repository=asked.repository,
        author=asked.author,
        approver=approver,
        artifact_digest=asked.artifact_digest,
        strategy=asked.strategy,
        image=asked.image,
        pull_request=asked.pull_request,
    )


def refuse_own_approval(author: str, approver: str) -> None:
    """Raise InputError where a change's author would approve it."""
    if author.casefold() == approver.casefold():
        raise InputError(
            f"{author} is the author of this change and cannot approve its deployment.",
            remedy="Somebody else approves it.",
        )


class Answer(StrEnum):
    """What became of an intent."""

    UNANSWERED = "unanswered"
    REJECTED = "rejected"
    UNDER_WAY = "under-way"
    DONE = "done"
    PROMOTED = "promoted"
    CONCLUDED = "concluded"
    ROLLED_BACK = "rolled-back"


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The answer so far, and the decisions that it is read from, oldest first."""

    answer: Answer
    decisions: tuple[dict[str, Any], ...] = ()


def answered(links: Sequence[Link], intent: Intent) -> Answered:
    """Read in a target's chain what became of an intent."""
    found = tuple(dict(link.facts) for link in links if link.facts.get("intent") == intent.id)
    if not found:
        return Answered(answer=Answer.UNANSWERED)
    kinds = [each["kind"] for each in found]
    if DecisionKind.REJECTED in kinds:
        answer = Answer.REJECTED
    elif intent.kind != "deploy":
        answer = Answer.DONE
    else:
        last = next((kind for kind in reversed(kinds) if kind in _LAST), None)
        answer = Answer(last) if last else Answer.UNDER_WAY
    return Answered(answer=answer, decisions=found)


def await_answer(
    read: Callable[[], Sequence[Link]],
    intent: Intent,
    *,
    decided: bool,
    seconds: float,
    sleep: Callable[[float], object],
    running: Callable[[], float],
) -> Answered:
    """Read the chain until there is an answer, or ``seconds`` have passed.

    With ``decided``, that a rollout is under way is no answer yet. Raises what ``read`` raises.
    """
    begin = running()
    while True:
        found = answered(read(), intent)
        waiting = found.answer is Answer.UNANSWERED or (
            decided and found.answer is Answer.UNDER_WAY
        )
        left = seconds - (running() - begin)
        if not waiting or left <= 0:
            return found
        sleep(min(_PAUSE, left))


def passed_before(links: Sequence[Link], digest: str) -> bool:
    """Whether the last word of a target about a version is that it was promoted there."""
    words = [
        link.facts["kind"]
        for link in links
        if link.facts.get("artifact_digest") == digest and link.facts["kind"] in _LAST
    ]
    return bool(words) and words[-1] == DecisionKind.PROMOTED


def still_waits(asked: Intent, digest: str, links: Sequence[Link], now: datetime) -> bool:
    """Whether a request for this very version has neither expired nor had a controller's word."""
    later = [
        link
        for link in links
        if link.facts.get("artifact_digest") == digest
        and str(link.facts["wall_time"]) >= asked.issued
        and link.facts["kind"] in (*_LAST, DecisionKind.REJECTED)
    ]
    return asked.artifact_digest == digest and not later and now < time_of(asked.expires)


def serves_alone(links: Sequence[Link], digest: str) -> bool:
    """Whether the newest decision about any version is that this one was promoted."""
    about = [
        link
        for link in links
        if link.facts.get("artifact_digest") and link.facts["kind"] in (*_LAST, *_BEGINS)
    ]
    if not about:
        return False
    last = about[-1].facts
    return (last["kind"], last["artifact_digest"]) == (DecisionKind.PROMOTED, digest)
