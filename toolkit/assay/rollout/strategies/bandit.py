"""Bandit: Thompson sampling in batches, so that fewer requests go to the version that loses.

A version's share is the probability that it is the better one (Thompson 1933, Biometrika 25),
computed, not drawn, so that it replays: Φ(δ̂/se) under a flat prior, with the difference weighted by
inverse propensity, because the plain means of a bandit's arms are biased. Each version keeps the
floor. The share moves exposure alone; the promotion waits for the confidence sequence, as with
every strategy. Nothing moves while the units are not split as asked.
"""

from __future__ import annotations

from scipy.special import ndtr

from assay.evidence import Cause, Move
from assay.rollout.quality import strata_of
from assay.rollout.sentences import share_of
from assay.rollout.strategies.reading import Reading
from assay.rollout.strategies.rules import begin, finish
from assay.stats.sequential.weighted import weighted_estimate

LEAST_CHANGE = 0.02
"""A share that would change by less is left as it is: each route begins a batch of its own."""
MOST_BATCHES = 200
"""From here on the share stays: each batch is kept, in the state and in every decision."""


def proceed(reading: Reading) -> Move:
    """The first split, the verdict, or the next batch's share."""
    rollout = reading.rollout
    if rollout.at < 0:
        share = rollout.strategy.steps[0].weight
        return begin(share, f"{share_of(share)} of the requests, then as it does")
    found = finish(reading)
    full = len(rollout.batches) >= MOST_BATCHES
    if found.kind == "promote" or full or reading.waiting() is not None:
        return found
    now = rollout.batches[-1].share
    wanted = next_share(reading)
    if wanted is None or abs(wanted - now) < LEAST_CHANGE:
        return found
    return Move(
        kind="step",
        cause=Cause.BAKED,
        share=wanted,
        sentence=f"Moves from {share_of(now)} to {share_of(wanted)} of the requests: the "
        "probability that it is the better version, within the floor.",
    )


def next_share(reading: Reading) -> float | None:
    """The probability that the new version is better, in hundredths; None while unmeasured."""
    look, strategy = reading.looks["quality"], reading.rollout.strategy
    if look.difference is None or strategy.quality is None:
        return None
    strata = strata_of(reading.serving, reading.rollout, reading.labels)
    found, error = weighted_estimate(strata)
    sign = 1 if strategy.quality.measured.higher_is_better else -1
    better = float(ndtr(sign * found / error)) if error > 0 else 0.5
    return round(min(max(better, strategy.floor), 1 - strategy.floor), 2)
