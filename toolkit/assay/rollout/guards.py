"""What takes a version back without labels: errors, slow requests, the split of the units.

Every claim of a rollout shares one error, 1 − confidence, so that an identical version is taken
back by mistake at most that often, over all looks, steps and claims together (a union bound): half
of it is quality's where there is a metric, the rest is shared evenly by the other claims. The
guards compare what ran at the same time, so they begin anew at each step; a canary's steps share a
guard's part evenly, the j-th batch of a bandit gets 1/(j(j + 1)) of the sample ratio's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.config import Strategy
from assay.evidence import Batch, OnlineLook, Rollout, Served, State
from assay.evidence.online import LookName
from assay.stats.sequential.look import Look, SequentialInterval
from assay.stats.sequential.rates import Prior, rate_difference_bounds
from assay.stats.sequential.sample_ratio import log_bayes_factor
from assay.verdict.sequential import judge_look

STICKY = frozenset({"canary", "ab"})
"""Strategies that keep a unit with its version; the others draw anew for each request."""
SPLIT = frozenset({"canary", "ab", "bandit"})
"""Strategies under which both versions answer users at once."""
_QUALITY = 0.5


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How a strategy's error is shared: that of each claim, at all of its looks."""

    guard: float
    """Of each guard at one step."""
    quality: float
    agreement: float
    ratio: float
    """Of the sample ratio, before its batches share it."""

    @classmethod
    def of(cls, strategy: Strategy) -> Budget:
        """The shares add up to 1 − confidence."""
        whole = 1 - strategy.confidence
        quality = whole * _QUALITY if strategy.quality is not None else 0.0
        ratio = strategy.kind in SPLIT and strategy.guards.sample_ratio
        each = (whole - quality) / (2 + ratio + bool(strategy.agreement))
        return cls(
            guard=each / len(strategy.steps),
            quality=quality,
            agreement=each if strategy.agreement else 0.0,
            ratio=each if ratio else 0.0,
        )

    def ratio_at(self, strategy: Strategy, batch: int) -> float:
        """What the sample ratio of this batch, counted from 1, may err."""
        if strategy.kind == "bandit":
            return self.ratio / (batch * (batch + 1))
        return self.ratio / len(strategy.steps)


def compared(rollout: Rollout) -> tuple[Served, Served]:
    """What the guards compare: the serving version and the new one.

    At the running step; over all batches of a bandit, whose steps are short; and for blue-green,
    where nothing runs at the same time, the serving version before the switch.
    """
    kind, batches = rollout.strategy.kind, rollout.batches
    if not batches:
        return Served(), Served()
    if kind == "blue-green":
        return batches[0].serving, batches[-1].new
    if kind == "bandit":
        return _sum([each.serving for each in batches]), _sum([each.new for each in batches])
    return batches[-1].serving, batches[-1].new


def _sum(parts: Sequence[Served]) -> Served:
    return Served(
        requests=sum(each.requests for each in parts),
        errors=sum(each.errors for each in parts),
        slow=sum(each.slow for each in parts),
        units=sum(each.units for each in parts),
    )


def guard_looks(strategy: Strategy, rollouts: Sequence[Rollout]) -> list[tuple[OnlineLook, ...]]:
    """The guards' looks of rollouts of one strategy, many at once."""
    budget = Budget.of(strategy)
    pairs = [compared(rollout) for rollout in rollouts]
    guards = strategy.guards
    errors = _rates(
        "errors", strategy, [((a.errors, a.requests), (b.errors, b.requests)) for a, b in pairs],
        margin=guards.error_rate, confidence=1 - budget.guard,
    )  # fmt: skip
    latency = _rates(
        "latency", strategy, [((a.slow, a.requests), (b.slow, b.requests)) for a, b in pairs],
        margin=guards.slow_share, confidence=1 - budget.guard,
    )  # fmt: skip
    if not budget.ratio:
        return list(zip(errors, latency, strict=True))
    return list(zip(errors, latency, _ratios(strategy, rollouts, budget), strict=True))


def _rates(
    name: LookName,
    strategy: Strategy,
    counted: Sequence[tuple[tuple[int, int], tuple[int, int]]],
    *,
    margin: float,
    confidence: float,
) -> list[OnlineLook]:
    """Compare the shares of events (events, requests), serving and new."""
    least = max(1, strategy.guards.requests)
    planned = max(least, *(step.requests for step in strategy.steps))
    prior = Prior.planned(rate=margin, n=planned, confidence=confidence)
    array = np.array(counted, dtype=np.float64).reshape(-1, 2, 2)
    low, high = rate_difference_bounds(
        (array[:, 0, 0], array[:, 0, 1]),
        (array[:, 1, 0], array[:, 1, 1]),
        confidence=confidence,
        prior=prior,
    )
    found = []
    for (serving, new), lower, upper in zip(counted, low.tolist(), high.tolist(), strict=True):
        n = serving[1] + new[1]
        if new[1] < least or not serving[1]:
            reason = (
                f"fewer than {least:,} requests of the new version"
                if new[1] < least
                else "the serving version has no requests to compare with"
            )
            look = Look(n=n if new[1] else 0, regime=reason)
        else:
            look = Look(
                n=n,
                difference=serving[0] / serving[1] - new[0] / new[1],
                interval=SequentialInterval(low=-upper, high=-lower, confidence=confidence),
            )
        found.append(online_look(name, look, margin=margin, confidence=confidence))
    return found


def _ratios(strategy: Strategy, rollouts: Sequence[Rollout], budget: Budget) -> list[OnlineLook]:
    """Test the splits of the running batches; those that ask for the same share together."""
    by_share: dict[float, list[int]] = {}
    for place, rollout in enumerate(rollouts):
        if rollout.batches:
            by_share.setdefault(rollout.batches[-1].share, []).append(place)
    nothing = OnlineLook(
        name="sample-ratio",
        state=State.NOT_MEASURED,
        n=0,
        confidence=1 - budget.ratio_at(strategy, 1),
        reason="nothing was split yet",
    )
    found = [nothing] * len(rollouts)
    for share, places in by_share.items():
        counts = [split_of(strategy, rollouts[place].batches[-1]) for place in places]
        factors = log_bayes_factor(counts, [1 - share, share]).tolist()
        for place, count, factor in zip(places, counts, factors, strict=True):
            alpha = budget.ratio_at(strategy, len(rollouts[place].batches))
            found[place] = _ratio(share, count, math.exp(-max(0.0, factor)), alpha)
    return found


def _ratio(share: float, counts: tuple[int, int], p: float, alpha: float) -> OnlineLook:
    """`worse` is a mismatch; there is no proof of a match."""
    n = sum(counts)
    state = State.WORSE if p <= alpha else State.INCONCLUSIVE if n else State.NOT_MEASURED
    return OnlineLook(
        name="sample-ratio",
        state=state,
        n=n,
        difference=counts[1] / n - share if n else None,
        confidence=1 - alpha,
        p_value=p,
        reason=None if n else "nothing was split yet",
    )


def split_of(strategy: Strategy, batch: Batch) -> tuple[int, int]:
    """The units of both versions; requests where each of them is drawn anew."""
    if strategy.kind in STICKY:
        return batch.serving.units, batch.new.units
    return batch.serving.requests, batch.new.requests


def online_look(
    name: LookName,
    look: Look,
    *,
    margin: float | None,
    confidence: float,
    must_improve: bool = False,
) -> OnlineLook:
    """Judge a look, and keep it as evidence."""
    ends = look.interval and (look.interval.low, look.interval.high)
    return OnlineLook(
        name=name,
        state=judge_look(look, margin=margin, must_improve=must_improve),
        n=look.n,
        difference=look.difference,
        interval=ends,
        confidence=confidence,
        margin=margin,
        reason=look.regime,
    )
