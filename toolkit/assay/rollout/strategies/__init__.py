"""What a strategy makes of the looks: stay, step, hold, promote, conclude, or go back."""

from __future__ import annotations

from assay.evidence import Labelled, Move, OnlineLook, Rollout
from assay.rollout.strategies import ab, bandit, blue_green, canary, shadow
from assay.rollout.strategies.reading import Reading
from assay.rollout.strategies.rules import at_deadline, must_go_back, must_hold, worse_quality

_PROCEED = {
    "canary": canary.proceed,
    "blue-green": blue_green.proceed,
    "shadow": shadow.proceed,
    "ab": ab.proceed,
    "bandit": bandit.proceed,
}


def decide(
    serving: str,
    rollout: Rollout,
    looks: tuple[OnlineLook, ...],
    labels: tuple[Labelled, ...],
    *,
    held: str | None,
) -> Move:
    """Decide on one look; `held` says why nothing may be promoted now.

    Guards come first, and what is held is still taken back by them. Where units are not split as
    asked, nothing that compares units counts. What is inconclusive at the deadline goes back.
    """
    reading = Reading(
        serving=serving,
        rollout=rollout,
        looks={look.name: look for look in looks},
        labels=labels,
        held=held,
    )
    found = must_go_back(reading)
    if found is None and reading.mismatch is None:
        found = worse_quality(reading)
    if found is None:
        found = must_hold(reading)
    if found is None:
        found = _PROCEED[rollout.strategy.kind](reading)
    if found.kind in {"stay", "step", "hold"}:
        return at_deadline(reading) or found
    return found
