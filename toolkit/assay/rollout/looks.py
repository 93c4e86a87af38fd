"""Counts and label sums to looks, and looks to a decision that can be made again."""

from __future__ import annotations

from collections.abc import Sequence

from assay.config import Strategy
from assay.evidence import Labelled, OnlineEvidence, OnlineLook, Rollout
from assay.rollout.guards import Budget, guard_looks, online_look
from assay.rollout.quality import quality_look
from assay.rollout.strategies import decide
from assay.stats.sequential.look import Look, SequentialInterval
from assay.stats.sequential.rates import Count, Prior, rate_sequence

Labels = tuple[Labelled, ...]


def read(serving: str, rollout: Rollout, labels: Labels) -> tuple[OnlineLook, ...]:
    """Every claim of a rollout at one look: guards, agreement, quality."""
    return read_all(serving, [rollout], [labels])[0]


def read_all(
    serving: str, rollouts: Sequence[Rollout], labels: Sequence[Labels]
) -> list[tuple[OnlineLook, ...]]:
    """The looks of many rollouts of one strategy at once, as a simulation has them."""
    strategy = rollouts[0].strategy
    guards = guard_looks(strategy, rollouts)
    return [
        (*looks, *_agreement(strategy, found), *_quality(strategy, serving, rollout, found))
        for looks, rollout, found in zip(guards, rollouts, labels, strict=True)
    ]


def evidence_of(
    serving: str, rollout: Rollout, labels: Labels, *, held: str | None
) -> OnlineEvidence:
    """Look, decide, and keep both with what they were made from."""
    return made_of(serving, rollout, labels, held=held, looks=read(serving, rollout, labels))


def made_of(
    serving: str,
    rollout: Rollout,
    labels: Labels,
    *,
    held: str | None,
    looks: tuple[OnlineLook, ...],
) -> OnlineEvidence:
    """Decide on looks that were taken already."""
    return OnlineEvidence(
        serving=serving,
        rollout=rollout,
        labels=labels,
        held=held,
        looks=looks,
        move=decide(serving, rollout, looks, labels, held=held),
    )


def replay(document: OnlineEvidence) -> OnlineEvidence:
    """The same decision made again from its counts; byte for byte the same, or it was altered."""
    again = evidence_of(document.serving, document.rollout, document.labels, held=document.held)
    return again.model_copy(update={"inputs": document.inputs})


def _agreement(strategy: Strategy, labels: Labels) -> tuple[OnlineLook, ...]:
    """The share of equal predictions, against the least share: positive is above it."""
    if not strategy.agreement:
        return ()
    agreed = [each.agreement for each in labels if each.agreement is not None]
    equal, n = sum(each.equal for each in agreed), sum(each.compared for each in agreed)
    confidence = 1 - Budget.of(strategy).agreement
    least, fewest = strategy.agreement, max(1, strategy.guards.requests)
    if n < fewest:
        look = Look(n=n, regime=f"fewer than {fewest:,} compared")
    else:
        planned = max(fewest, *(step.requests for step in strategy.steps))
        prior = Prior.planned(rate=least, n=planned, confidence=confidence)
        found = rate_sequence(Count(events=equal, n=n), confidence=confidence, prior=prior)
        look = Look(
            n=n,
            difference=equal / n - least,
            interval=SequentialInterval(
                low=found.low - least, high=found.high - least, confidence=confidence
            ),
        )
    return (online_look("agreement", look, margin=None, confidence=confidence),)


def _quality(
    strategy: Strategy, serving: str, rollout: Rollout, labels: Labels
) -> tuple[OnlineLook, ...]:
    metric = strategy.quality
    if metric is None:
        return ()
    confidence = 1 - Budget.of(strategy).quality
    return (
        online_look(
            "quality",
            quality_look(metric, serving, rollout, labels, confidence=confidence),
            margin=metric.margin,
            must_improve=metric.must_improve,
            confidence=confidence,
        ),
    )
