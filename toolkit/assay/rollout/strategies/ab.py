"""A/B: a fixed share, each unit stays with its version, one metric named beforehand decides."""

from __future__ import annotations

from assay.evidence import Move
from assay.rollout.sentences import share_of
from assay.rollout.strategies.reading import Reading
from assay.rollout.strategies.rules import begin, finish


def proceed(reading: Reading) -> Move:
    """The split, then the metric's verdict."""
    if reading.rollout.at < 0:
        share = reading.rollout.strategy.steps[0].weight
        return begin(share, f"{share_of(share)} of the units get it, and stay with it")
    return finish(reading)
