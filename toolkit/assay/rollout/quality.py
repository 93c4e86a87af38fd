"""The pre-registered metric at one look.

Which sequence judges it depends on how units came to a version: batches of changing shares (canary,
bandit) are weighted by inverse propensity, a fixed share (A/B) is compared directly, a shadow on
the same requests, and blue-green, where nothing runs at the same time, gets two sequences of half
the error each.
"""

from __future__ import annotations

from assay.config import OnlineMetric
from assay.evidence import Batch, Labelled, Rollout, ValueSums
from assay.stats.sequential.look import Look
from assay.stats.sequential.means import Sums, mean_difference, mean_sequence, separate_difference
from assay.stats.sequential.weighted import Stratum, weighted_difference

Labels = tuple[Labelled, ...]
_NOTHING = "no labels yet"


def sums_of(values: ValueSums | None) -> Sums:
    """Evidence as the sequences take it."""
    if values is None:
        return Sums()
    return Sums(n=values.n, mean=values.mean, squares=values.squares, events=values.events)


def labelled_batches(rollout: Rollout, labels: Labels) -> list[tuple[Batch, Labelled]]:
    """Each batch that has labels, with them."""
    by_generation = {each.generation: each for each in labels}
    return [
        (batch, by_generation[batch.generation])
        for batch in rollout.batches
        if batch.generation in by_generation
    ]


def strata_of(serving: str, rollout: Rollout, labels: Labels) -> list[Stratum]:
    """The label sums of both versions in each batch, with the share that was asked for."""
    return [
        Stratum(
            share=batch.share,
            base=sums_of(each.arms.get(serving)),
            head=sums_of(each.arms.get(rollout.candidate)),
        )
        for batch, each in labelled_batches(rollout, labels)
    ]


def quality_look(
    metric: OnlineMetric, serving: str, rollout: Rollout, labels: Labels, *, confidence: float
) -> Look:
    """Compare the metric's values by the sequence that the strategy's assignment allows."""
    kind = rollout.strategy.kind
    planned, up = metric.planned, metric.measured.higher_is_better
    if kind == "shadow":
        found = labelled_batches(rollout, labels)
        paired = sum((sums_of(each.paired) for _, each in found), start=Sums())
        if not paired.n:
            return Look(n=0, regime=_NOTHING)
        return mean_sequence(paired, planned=planned, confidence=confidence, greater_is_better=up)
    if kind in {"ab", "blue-green"}:
        found = labelled_batches(rollout, labels)
        base = sum((sums_of(each.arms.get(serving)) for _, each in found), start=Sums())
        head = sum((sums_of(each.arms.get(rollout.candidate)) for _, each in found), start=Sums())
        if not head.n:
            return Look(n=0, regime=_NOTHING)
        compare = mean_difference if kind == "ab" else separate_difference
        return compare(base, head, planned=planned, confidence=confidence, greater_is_better=up)
    strata = strata_of(serving, rollout, labels)
    if not any(each.head.n for each in strata):
        return Look(n=0, regime=_NOTHING)
    return weighted_difference(strata, planned=planned, confidence=confidence, greater_is_better=up)
