"""Means of bounded values, exact from the first unit on: a predictable empirical Bernstein bound.

Waudby-Smith and Ramdas (2024), "Estimating means of bounded random variables by betting", J. R.
Stat. Soc. B 86, Theorem 2. Values are read as shares of their range; λₜ is fixed before the t-th
value, from those before it:

    λₜ = min(½, √(2·log(2/α) / (σ̂²ₜ₋₁·t·log(1 + t)))),   ψ(λ) = (−log(1 − λ) − λ)/4,
    Σλᵢxᵢ/Σλᵢ ± (log(2/α) + Σ 4·(xᵢ − μ̂ᵢ₋₁)²·ψ(λᵢ)) / Σλᵢ,

with μ̂ₜ = (½ + Σxᵢ)/(t + 1) and σ̂²ₜ = (¼ + Σ(xᵢ − μ̂ᵢ)²)/(t + 1). It needs no size to be large and
no plan, and is wider than the asymptotic sequence: for small samples.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.sequential.look import Look, SequentialInterval, error_of, oriented

Array = NDArray[Any]
_LARGEST_BET = 0.5


@dataclass(frozen=True, kw_only=True, eq=False)
class BoundedMean:
    """The state of one stream, or of many at once: every field has the streams' shape.

    `lowest` and `highest` bound the values, and `confidence` is fixed with them.
    """

    lowest: float
    highest: float
    confidence: float = 0.95
    n: int = 0
    total: Array | float = 0.0
    deviations: Array | float = 0.0
    bets: Array | float = 0.0
    weighted: Array | float = 0.0
    spread: Array | float = 0.0

    def __post_init__(self) -> None:
        error_of(self.confidence)
        if not self.lowest < self.highest:
            raise ValueError("the bounds of the values must ascend")

    def after(self, value: ArrayLike) -> BoundedMean:
        """The state after one more value of each stream.

        Raises ValueError where a value lies outside the bounds, or is missing.
        """
        x = (np.asarray(value, dtype=np.float64) - self.lowest) / (self.highest - self.lowest)
        if not np.all((x >= 0) & (x <= 1)):
            raise ValueError(f"a value lies outside {self.lowest:g} to {self.highest:g}")
        t = self.n + 1
        before = (0.5 + self.total) / t
        variance = (0.25 + self.deviations) / t
        alpha = error_of(self.confidence)
        bet = np.sqrt(2 * np.log(2 / alpha) / (variance * t * np.log(1 + t)))
        bet = np.minimum(bet, _LARGEST_BET)
        total = self.total + x
        now = (0.5 + total) / (t + 1)
        return replace(
            self,
            n=t,
            total=total,
            deviations=self.deviations + (x - now) ** 2,
            bets=self.bets + bet,
            weighted=self.weighted + bet * x,
            spread=self.spread + (x - before) ** 2 * (-np.log1p(-bet) - bet),
        )

    def ends(self) -> tuple[Array, Array]:
        """Lower and upper ends of the mean, of the streams' shape."""
        if self.n == 0:
            return np.asarray(self.lowest), np.asarray(self.highest)
        reach = (np.log(2 / error_of(self.confidence)) + self.spread) / self.bets
        middle = self.weighted / self.bets
        low, high = np.clip(middle - reach, 0, 1), np.clip(middle + reach, 0, 1)
        width = self.highest - self.lowest
        return self.lowest + width * low, self.lowest + width * high

    def interval(self) -> SequentialInterval:
        """The interval of a single stream's mean."""
        low, high = self.ends()
        return SequentialInterval(low=float(low), high=float(high), confidence=self.confidence)


def bounded_difference(
    base: BoundedMean, head: BoundedMean, *, greater_is_better: bool = True
) -> Look:
    """Compare the means of two arms; their errors add up, so give each half of the error."""
    n = base.n + head.n
    if base.n == 0 or head.n == 0:
        return Look(n=n, regime="an arm has no units yet")
    left, right = base.interval(), head.interval()
    means = [
        side.lowest + (side.highest - side.lowest) * float(side.total) / side.n
        for side in (base, head)
    ]
    return Look(
        n=n,
        difference=(1 if greater_is_better else -1) * (means[1] - means[0]) + 0.0,
        interval=oriented(
            (right.low - left.high, right.high - left.low),
            greater_is_better=greater_is_better,
            confidence=1 - error_of(base.confidence) - error_of(head.confidence),
        ),
    )
