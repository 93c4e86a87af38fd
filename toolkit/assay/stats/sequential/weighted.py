"""Two arms whose shares of the traffic change while they are watched: a canary, or a bandit.

Comparing plain means then mixes up versions and hours: a new version that gets most of its traffic
in the evening is compared with an old one that had the morning. So each unit is weighted by the
inverse of the probability of its arm, p for head, and each batch of one share by its overlap
p(1 − p), which is where the comparison is precise:

    δ̂ = Σ (Aᵢ − pᵢ)(Yᵢ − m) / W,    W = Σ pᵢ(1 − pᵢ),    V = Σ (Aᵢ − pᵢ)²(Yᵢ − m)²,

with A = 1 for head and m the mean of all values, which takes out what both arms share (Robins,
Rotnitzky and Zhao 1994, JASA 89; Li, Morgan and Zaslavsky 2018, JASA 113, for the overlap; Hadad
et al. 2021, PNAS 118, for shares that depend on what was seen). p is fixed before the unit, so
that, but for m, the numerator is δ·W and a martingale, and

    δ̂ ± √V/W · √((1 + 1/u) · log((u + 1)/α²)),    u proportional to 4W,

covers at all looks from some size on (Waudby-Smith et al. 2024, Annals of Statistics 52). 4W counts
the units of an even split that would tell as much; ρ is set for the planned number of them. Where
the effect itself changes with time, δ is its mean over the batches, weighted by their overlap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from assay.stats.sequential.look import Look, error_of, mixture_scale, oriented
from assay.stats.sequential.means import FEWEST_EVENTS, Sums


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """What was seen while head was to get the `share` of the units."""

    share: float
    base: Sums
    head: Sums

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError("a share at which two arms are compared lies between 0 and 1")


def weighted_estimate(strata: Sequence[Stratum]) -> tuple[float, float]:
    """The difference head − base, and its standard error at this look; NaN without units."""
    overlap = _overlap(strata)
    if overlap == 0:
        return math.nan, math.nan
    arms = [arm for each in strata for arm in (each.base, each.head)]
    pooled = math.fsum(arm.n * arm.mean for arm in arms) / sum(arm.n for arm in arms)
    score = spread = 0.0
    for each in strata:
        p = each.share
        for sums, weight in ((each.base, -p), (each.head, 1 - p)):
            apart = sums.mean - pooled
            score += weight * sums.n * apart
            spread += weight**2 * (sums.squares + sums.n * apart**2)
    return score / overlap, math.sqrt(spread) / overlap


def _overlap(strata: Sequence[Stratum]) -> float:
    return sum(each.share * (1 - each.share) * (each.base.n + each.head.n) for each in strata)


def weighted_difference(
    strata: Sequence[Stratum],
    *,
    planned: int,
    confidence: float = 0.95,
    greater_is_better: bool = True,
) -> Look:
    """Compare the means of two arms over strata; `planned` counts units of an even split."""
    n = sum(each.base.n + each.head.n for each in strata)
    events = [
        sum(arm) for arm in zip(*((s.base.events, s.head.events) for s in strata), strict=True)
    ]
    if not events or min(events) < FEWEST_EVENTS:
        return Look(n=n, regime="too few events")
    found, error = weighted_estimate(strata)
    if error == 0:
        return Look(n=n, regime="too few events")
    alpha = error_of(confidence)
    u = mixture_scale(alpha) * 4 * _overlap(strata) / planned
    reach = error * math.sqrt((1 + 1 / u) * math.log((u + 1) / alpha**2))
    return Look(
        n=n,
        difference=(1 if greater_is_better else -1) * found + 0.0,
        interval=oriented(
            (found - reach, found + reach),
            greater_is_better=greater_is_better,
            confidence=confidence,
        ),
    )
