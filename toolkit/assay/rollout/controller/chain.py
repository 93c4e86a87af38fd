"""Reading a target's chain of decisions: what counts as newest, what serves, what went back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from assay.evidence import Cause, Decision, DecisionKind
from assay.rollout.controller.clock import time_of
from assay.rollout.records import Record, RoutePart, State
from assay.rollout.target import WHOLE
from assay.state import Link, canonical_line

_LONGEST_SENTENCE = 2_000
_ASIDE = (DecisionKind.STARTED, DecisionKind.REJECTED, DecisionKind.REPAIRED)
"""Decisions that change nothing of what serves: an intent may be based on what stood before."""
AUTOMATIC = (Cause.VERDICT, Cause.GUARD, Cause.DEADLINE, Cause.LOST)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Which chain: one model on one target."""

    target: str
    model: str


def line_of(record: Record, place: Place, *, epoch: int, previous: Link | None, wall: str) -> bytes:
    """Return the line that records a decision after ``previous``."""
    evidence = record.evidence
    decision = Decision.model_validate(
        {
            "target": place.target,
            "model": place.model,
            "epoch": epoch,
            "seq": 1 if previous is None else previous.seq + 1,
            "previous_digest": None if previous is None else previous.digest,
            "kind": record.kind,
            "cause": record.cause,
            "sentence": record.sentence[:_LONGEST_SENTENCE],
            "intent": record.intent,
            "artifact_digest": record.artifact_digest,
            "image": record.image,
            "generation": record.generation,
            "weights": [
                {"artifact_digest": digest, "share": share}
                for digest, share in sorted(record.weights.items())
            ],
            "barred": record.barred,
            "evidence_digest": None if evidence is None else evidence.digest(),
            "by": record.by,
            "wall_time": wall,
            "elapsed": round(record.elapsed, 3),
        }
    )
    return canonical_line(decision.model_dump(mode="json"))


def basis(links: Sequence[Link]) -> str | None:
    """Return the digest of the newest decision that changed anything: what intents name."""
    return next((link.digest for link in reversed(links) if link.facts["kind"] not in _ASIDE), None)


def seen_intents(links: Sequence[Link]) -> frozenset[str]:
    """Return the ids of the intents that were decided about."""
    return frozenset(link.facts["intent"] for link in links if link.facts.get("intent"))


def image_of(links: Iterable[Link], digest: str) -> str | None:
    """Return the image that the newest accepted deployment of a version named; None: none did."""
    named = [
        str(link.facts["image"])
        for link in links
        if link.facts.get("image")
        and link.facts["artifact_digest"] == digest
        and link.facts["kind"] == DecisionKind.ACCEPTED
    ]
    return named[-1] if named else None


def automatic_rollbacks(links: Sequence[Link], now: datetime) -> int:
    """Count the automatic ones of the last day, by the time of day.

    Those a little ahead count, since the clock may have been put back; those far ahead do not, or
    one hour of a wrong clock would forbid every rollout until then.
    """
    day = timedelta(days=1)
    return sum(
        link.facts["kind"] == DecisionKind.ROLLED_BACK
        and link.facts["cause"] in AUTOMATIC
        and now - day < time_of(link.facts["wall_time"]) < now + day
        for link in reversed(links)
    )


def whole_weight(facts: Mapping[str, Any]) -> str | None:
    """Return the version that has all the traffic after a decision."""
    return next(
        (
            str(weight["artifact_digest"])
            for weight in facts.get("weights", ())
            if weight["share"] == WHOLE
        ),
        None,
    )


def state_after(links: Sequence[Link]) -> State:
    """Return the state that a chain ends in, without any rollout.

    For a host that has lost its own: a rollout that was in flight is given up, its version is on
    no route, and the version that served before it is asked for at a generation of its own.
    """
    stable: str | None = None
    previous: str | None = None
    for link in links:
        kind, now = link.facts["kind"], whole_weight(link.facts)
        if kind in (DecisionKind.PROMOTED, DecisionKind.ROLLED_BACK) and now not in (None, stable):
            stable, previous = now, stable
    if not links:
        return State()
    generation = max(link.facts["generation"] for link in links) + 1
    barred = tuple(links[-1].facts["barred"])
    if stable is None:
        return State(generation=generation, barred=barred)
    route = RoutePart(generation=generation, weights={stable: WHOLE}, stable=stable)
    return State(
        generation=generation, stable=stable, previous=previous, route=route, barred=barred
    )
