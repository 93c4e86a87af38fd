"""What served when, on whose word and with which evidence: read from the chain alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from assay.evidence import DecisionKind
from assay.rollout.controller.chain import image_of
from assay.rollout.controller.clock import time_of
from assay.state import Link

_MOVES = (DecisionKind.STEPPED, DecisionKind.PROMOTED)


@dataclass(frozen=True, kw_only=True)
class Word:
    """One version in a period: its share in ten-thousandths, and what it stands on."""

    artifact_digest: str
    share: int
    asked_by: str | None
    """Who asked for it and who agreed, as its accepted intent says."""
    intent: str | None
    evidence_digest: str | None
    """Of the online evidence that the newest decision about it was made from."""
    image: str | None = None
    """Its container image by digest, where one was pushed."""


@dataclass(frozen=True, kw_only=True)
class Period:
    """A time in which the traffic was split in one way. ``until`` is None for now."""

    since: str
    until: str | None
    versions: tuple[Word, ...]
    seq: int
    decision: str
    """The digest of the decision that began it."""
    kind: str
    cause: str
    by: str
    sentence: str

    def to_json(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        return asdict(self)


def periods(links: Sequence[Link]) -> tuple[Period, ...]:
    """Return the periods of a chain, oldest first; one without any traffic is none."""
    begins: list[tuple[Link, dict[str, int]]] = []
    last: dict[str, int] = {}
    for link in links:
        now = _weights(link.facts)
        if now != last:
            begins.append((link, now))
            last = now
    found = []
    for place, (link, weights) in enumerate(begins):
        until = begins[place + 1][0].facts["wall_time"] if place + 1 < len(begins) else None
        if weights:
            found.append(_period(links, link, weights, until))
    return tuple(found)


def period_at(links: Sequence[Link], at: datetime) -> Period | None:
    """Return the period in which a time lies; None where nothing served."""
    return next(
        (
            period
            for period in reversed(periods(links))
            if time_of(period.since) <= at and (period.until is None or at < time_of(period.until))
        ),
        None,
    )


def _period(
    links: Sequence[Link], begin: Link, weights: Mapping[str, int], until: str | None
) -> Period:
    before = [link for link in links if link.seq <= begin.seq]
    facts = begin.facts
    return Period(
        since=facts["wall_time"],
        until=until,
        versions=tuple(_word(before, digest, share) for digest, share in sorted(weights.items())),
        seq=begin.seq,
        decision=begin.digest,
        kind=facts["kind"],
        cause=facts["cause"],
        by=facts["by"],
        sentence=facts["sentence"],
    )


def _word(before: Sequence[Link], digest: str, share: int) -> Word:
    about = [link.facts for link in before if link.facts["artifact_digest"] == digest]
    moved = [facts["intent"] for facts in about if facts["kind"] in _MOVES and facts["intent"]]
    intent = moved[-1] if moved else None
    asked = [
        facts["by"]
        for facts in about
        if facts["kind"] == DecisionKind.ACCEPTED and facts["intent"] == intent
    ]
    evidence = [facts["evidence_digest"] for facts in about if facts["evidence_digest"]]
    return Word(
        artifact_digest=digest,
        share=share,
        asked_by=asked[0] if asked else None,
        intent=intent,
        evidence_digest=evidence[-1] if evidence else None,
        image=image_of(before, digest),
    )


def _weights(facts: Mapping[str, Any]) -> dict[str, int]:
    return {
        str(weight["artifact_digest"]): int(weight["share"])
        for weight in facts["weights"]
        if weight["share"]
    }
