"""Canary: a little traffic, then more, each step baked and guarded, then all of it.

A step is left once it has baked, has its requests, and no guard or metric says worse. Only the
last one asks for proof: guards and, where it blocks, the metric must be no worse or better.
"""

from __future__ import annotations

from assay.evidence import Cause, Move
from assay.rollout.sentences import claim, share_of
from assay.rollout.strategies.reading import Reading
from assay.rollout.strategies.rules import begin, finish, stay


def proceed(reading: Reading) -> Move:
    """The next step, or the promotion."""
    rollout = reading.rollout
    steps = rollout.strategy.steps
    if rollout.at < 0:
        return begin(steps[0].weight, f"{share_of(steps[0].weight)} of the traffic")
    if rollout.at == len(steps) - 1:
        return finish(reading)
    waiting = reading.waiting()
    if waiting is not None:
        return stay(waiting)
    share = steps[rollout.at + 1].weight
    return Move(
        kind="step",
        cause=Cause.BAKED,
        share=share,
        sentence=f"Steps from {share_of(steps[rollout.at].weight)} to {share_of(share)} of the "
        f"traffic: {claim(reading.looks['errors'], rollout.strategy.quality)}.",
    )
