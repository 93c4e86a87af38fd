"""Rates that are watched: errors, and the share of requests slower than a fixed objective.

For s events among n units and a Beta(a, b) prior, the mixture

    M(p) = B(a + s, b + n − s) / (B(a, b) · pˢ · (1 − p)ⁿ⁻ˢ)

is a martingale under the true rate p, starting at 1, so that it ever exceeds 1/α with probability
at most α (Ville 1939; Robbins 1970, Ann. Math. Stat. 41). The rates where it does not make a
confidence sequence, whatever the prior; the prior decides only where it is narrow. So half of the
prior is the planned one and half Jeffreys' Beta(½, ½): near the planned rate the interval is
narrow, and a new version that fails ten times as often is not hidden by the plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, expit, xlog1py, xlogy

from assay.stats.sequential.look import SequentialInterval, error_of, mixture_scale

Array = NDArray[Any]
_STEPS = 80
"""Halvings of a logit's range of 80: to the last digits that a float has."""
_LOGIT = 80.0


@dataclass(frozen=True, kw_only=True)
class Prior:
    """A Beta(a, b) distribution over a rate, chosen before the first look: half of the prior."""

    a: float
    b: float

    def __post_init__(self) -> None:
        if not (self.a > 0 and self.b > 0):
            raise ValueError("both parameters of a beta prior must be above 0")

    @classmethod
    def planned(cls, *, rate: float, n: int, confidence: float = 0.95) -> Prior:
        """A prior about this rate, for about `n` units of an arm.

        Its weight, n/u, is the normal mixture's with the narrowest boundary at n (`mixture_scale`).
        `confidence` is that of the difference of two arms, each of which gets half of the error.
        """
        if n < 1 or not 0 <= rate <= 1:
            raise ValueError("the plan needs at least one unit and a rate from 0 to 1")
        rate = min(max(rate, 1 / (n + 1)), n / (n + 1))
        weight = max(1.0, n / mixture_scale(error_of(confidence) / 2))
        return cls(a=rate * weight, b=(1 - rate) * weight)


@dataclass(frozen=True, kw_only=True)
class Count:
    """`events` among the `n` units of one arm."""

    events: int
    n: int

    def __post_init__(self) -> None:
        if not 0 <= self.events <= self.n:
            raise ValueError("the events must lie between 0 and the number of units")


def rate_bounds(
    events: ArrayLike, n: ArrayLike, *, confidence: ArrayLike, prior: Prior
) -> tuple[Array, Array]:
    """Lower and upper ends for arrays of one shape: events so far and units so far.

    `confidence` is one for all, or an array of that shape.
    """
    s, total = (np.asarray(values, dtype=np.float64) for values in (events, n))
    f = total - s
    limit = -np.log(np.vectorize(error_of, otypes=[float])(confidence))
    halves = [betaln(a + s, b + f) - betaln(a, b) for a, b in ((prior.a, prior.b), (0.5, 0.5))]
    mixture = np.logaddexp(*halves) - np.log(2)

    def inside(logit: Array) -> Array:
        rate = expit(logit)
        result: Array = mixture - xlogy(s, rate) - xlog1py(f, -rate) <= limit
        return result

    # Half a unit more on both sides keeps the start finite; with s or f at 0 it is inside, too.
    middle = np.log(s + 0.5) - np.log(f + 0.5)
    low = expit(_edge(inside, np.full_like(middle, -_LOGIT), middle))
    high = expit(_edge(inside, np.full_like(middle, _LOGIT), middle))
    return np.where(s > 0, low, 0.0), np.where(f > 0, high, 1.0)


def _edge(inside: Any, outer: Array, inner: Array) -> Array:
    """Bisect between a point that may be outside and the maximum of the likelihood."""
    for _ in range(_STEPS):
        middle = (outer + inner) / 2
        within = inside(middle)
        outer, inner = np.where(within, outer, middle), np.where(within, middle, inner)
    # The outer of the two: an end is never on the optimistic side.
    return outer


def rate_sequence(count: Count, *, confidence: float = 0.95, prior: Prior) -> SequentialInterval:
    """The interval of one arm's rate."""
    low, high = rate_bounds(count.events, count.n, confidence=confidence, prior=prior)
    return SequentialInterval(low=float(low), high=float(high), confidence=confidence)


def rate_difference_bounds(
    base: tuple[ArrayLike, ArrayLike],
    head: tuple[ArrayLike, ArrayLike],
    *,
    confidence: float,
    prior: Prior,
) -> tuple[Array, Array]:
    """Ends of head's rate − base's, from (events, units) of each: arrays of one shape."""
    arm = 1 - error_of(confidence) / 2
    before = rate_bounds(*base, confidence=arm, prior=prior)
    after = rate_bounds(*head, confidence=arm, prior=prior)
    return after[0] - before[1], after[1] - before[0]
