"""Means that are watched: an asymptotic confidence sequence.

With n units, their mean and standard deviation s, and u = n·ρ²,

    mean ± s·√((u + 1)/(u·n) · log((u + 1)/α²))

covers the mean at all looks from some size on (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas
2024, "Time-uniform central limit theory and asymptotic confidence sequences", Annals of Statistics
52). ρ is fixed beforehand, so that the boundary is narrowest at the planned number of units. For
two arms that are assigned at random, s² is the variance of the influence of one unit on the
difference of the means, n·(s₀²/n₀ + s₁²/n₁).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from assay.stats.sequential.look import Look, error_of, mixture_scale, oriented

FEWEST_EVENTS = 20
"""Units of an arm that tell anything (a conversion, a changed score) before a first look."""
_TOO_FEW = "too few events"


@dataclass(frozen=True, kw_only=True)
class Sums:
    """What is kept of the values of one arm: n, their mean, Σ(value − mean)², and events.

    An event is a value other than the `usual` one, 0 unless said otherwise: where most units
    score the same, few values carry the variance, and the normal limit has not begun.
    """

    n: int = 0
    mean: float = 0.0
    squares: float = 0.0
    events: int = 0

    @classmethod
    def of(cls, values: ArrayLike, *, usual: float = 0.0) -> Sums:
        """Sums of an array of shape (n,); raises ValueError where a value is not finite."""
        array = np.asarray(values, dtype=np.float64).ravel()
        if not np.isfinite(array).all():
            raise ValueError("a value is missing or infinite")
        if array.size == 0:
            return cls()
        mean = float(array.mean())
        return cls(
            n=array.size,
            mean=mean,
            squares=float(((array - mean) ** 2).sum()),
            events=int(np.count_nonzero(array != usual)),
        )

    def __add__(self, other: Sums) -> Sums:
        """Both samples together (Chan, Golub and LeVeque 1983, The American Statistician 37)."""
        n = self.n + other.n
        if n == 0:
            return Sums()
        apart = other.mean - self.mean
        return Sums(
            n=n,
            mean=self.mean + apart * other.n / n,
            squares=self.squares + other.squares + apart**2 * self.n * other.n / n,
            events=self.events + other.events,
        )

    @property
    def variance(self) -> float:
        """The sample variance; 0 for fewer than two units."""
        return self.squares / (self.n - 1) if self.n > 1 else 0.0


def boundary(n: int, *, planned: int, confidence: float = 0.95) -> float:
    """Half the width after `n` units, in standard deviations of one unit."""
    if n < 1 or planned < 1:
        raise ValueError("units and planned units are counted from 1")
    alpha = error_of(confidence)
    u = mixture_scale(alpha) * n / planned
    return math.sqrt((u + 1) / (u * n) * math.log((u + 1) / alpha**2))


def mean_sequence(
    values: Sums, *, planned: int, confidence: float = 0.95, greater_is_better: bool = True
) -> Look:
    """Watch the mean of one value per unit, such as head's score − base's on the same unit."""
    if values.events < FEWEST_EVENTS or values.squares == 0:
        return Look(n=values.n, regime=_TOO_FEW)
    reach = boundary(values.n, planned=planned, confidence=confidence) * math.sqrt(values.variance)
    return Look(
        n=values.n,
        difference=(1 if greater_is_better else -1) * values.mean + 0.0,
        interval=oriented(
            (values.mean - reach, values.mean + reach),
            greater_is_better=greater_is_better,
            confidence=confidence,
        ),
    )


def mean_difference(
    base: Sums,
    head: Sums,
    *,
    planned: int,
    confidence: float = 0.95,
    greater_is_better: bool = True,
) -> Look:
    """Compare the means of two arms; `planned` counts the units of both.

    The arms' shares may differ and must not change while the comparison runs.
    """
    n = base.n + head.n
    if min(base.events, head.events) < FEWEST_EVENTS or base.squares + head.squares == 0:
        return Look(n=n, regime=_TOO_FEW)
    of_unit = n * (base.variance / base.n + head.variance / head.n)
    reach = boundary(n, planned=planned, confidence=confidence) * math.sqrt(of_unit)
    apart = head.mean - base.mean
    return Look(
        n=n,
        difference=(1 if greater_is_better else -1) * apart + 0.0,
        interval=oriented(
            (apart - reach, apart + reach),
            greater_is_better=greater_is_better,
            confidence=confidence,
        ),
    )


def separate_difference(
    base: Sums,
    head: Sums,
    *,
    planned: int,
    confidence: float = 0.95,
    greater_is_better: bool = True,
) -> Look:
    """Compare two means that were not assigned at the same time, as before and after a switch.

    Each arm has a sequence of its own with half of the error and half of the planned units, so
    either may grow alone. That the two times are alike is assumed, not tested.
    """
    n = base.n + head.n
    half = max(1, planned // 2)
    looks = [
        mean_sequence(each, planned=half, confidence=1 - error_of(confidence) / 2)
        for each in (base, head)
    ]
    before, after = (look.interval for look in looks)
    if before is None or after is None:
        return Look(n=n, regime=_TOO_FEW)
    return Look(
        n=n,
        difference=(1 if greater_is_better else -1) * (head.mean - base.mean) + 0.0,
        interval=oriented(
            (after.low - before.high, after.high - before.low),
            greater_is_better=greater_is_better,
            confidence=confidence,
        ),
    )
