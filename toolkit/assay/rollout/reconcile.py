"""What was asked of a target, beside what its controller decided and saw: where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from assay.errors import AssayError
from assay.evidence import Intent, Observed
from assay.rollout.controller.chain import seen_intents
from assay.rollout.controller.clock import time_of
from assay.state import Link, Signed

SETTLING = timedelta(minutes=1)
"""How long after a decision an observation may still show the route and the versions before it."""


def troubles(
    intents: Sequence[Signed],
    links: Sequence[Link],
    observed: Observed | None,
    *,
    now: datetime,
    silent: timedelta,
) -> tuple[str, ...]:
    """Say, in a sentence each, what does not fit; nothing where all is well.

    ``silent`` is how long a controller may say nothing: a live one writes an observation every
    five minutes. Whether a signature counts is the controller's to decide, not asked here.
    """
    found = []
    if observed is None:
        if intents or links:
            found.append("no controller has ever written what it sees.")
    else:
        quiet = now - time_of(observed.wall_time)
        if quiet > silent:
            found.append(
                f"its controller has said nothing for {_minutes(quiet)} minutes: look at its host."
            )
        if not _settling(observed, links):
            found += _unwell(observed)
        if links and observed.seq > links[-1].seq:
            found.append(
                f"decisions up to number {observed.seq} were made, and the journal has "
                f"{links[-1].seq}."
            )
    return (*found, *_unanswered(intents, seen_intents(links), now, silent))


def _settling(observed: Observed, links: Sequence[Link]) -> bool:
    """Whether it was seen as a decision was made, which is pushed with it: too early to judge."""
    if not links:
        return False
    decided = time_of(str(links[-1].facts["wall_time"]))
    return time_of(observed.wall_time) - decided < SETTLING


def _unwell(observed: Observed) -> list[str]:
    found = []
    if not observed.acknowledged:
        found.append(f"the router does not run generation {observed.applied_generation} as asked.")
    found += [
        f"version {digest[:12]} is not healthy."
        for digest, healthy in sorted(observed.health.items())
        if not healthy
    ]
    return found


def _unanswered(
    intents: Sequence[Signed], seen: frozenset[str], now: datetime, silent: timedelta
) -> list[str]:
    found = []
    for signed in intents:
        try:
            intent = Intent.parse(signed.content.decode(), file=f"intent {signed.generation}")
            issued, expires = time_of(intent.issued), time_of(intent.expires)
        except (AssayError, UnicodeDecodeError, ValueError):
            continue  # the controller rejects it, with its reason
        if intent.id not in seen and now - issued > silent and now < expires:
            found.append(
                f"intent {signed.generation} ({intent.kind}, asked for by {intent.author}) has had "
                f"no answer for {_minutes(now - issued)} minutes."
            )
    return found


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:,.0f}"
