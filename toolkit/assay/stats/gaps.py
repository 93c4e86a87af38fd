"""How far a gap between groups changed, where any of several groups may be the extremes.

The gap has no derivative where groups tie. With i, j the head's true extremes and k, l the base's,
the change of the gap is the contrast

    (head's rate of i − head's rate of j) − (base's rate of k − base's rate of l),

and, because no other pair has a larger gap, it lies between the same contrasts with k, l on both
sides and with i, j on both sides. So each end of the interval is the nearer one of two: the
outermost end over all pairs that may be the extremes of either side, and the outermost end of the
bracketing contrast over those of one side. A group may be an extreme where the observed extreme is
not beyond it by z standard errors. With clear extremes all of this is the delta method; where
groups tie it is cautious.
"""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from assay.stats.estimate import Contrast, Estimate, from_standard_error, quantile

MOST_COMBINATIONS = 50_000
"""Combinations of possible extremes beyond which the groups are too alike to be compared."""
Array = NDArray[np.float64]
Extremes = tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[int]]
"""Groups that may be the head's largest and smallest, and the base's."""
Places = NDArray[np.int64]
Pairs = tuple[Places, Places, Places, Places]
"""Combinations of them, four arrays of one length."""
HEAD, BASE = 1, 0


class Errors(ABC):
    """Standard errors of combinations of the groups' rates.

    `weight` is the base's, `freedom` the degrees of freedom.
    """

    weight: float
    freedom: float

    @abstractmethod
    def squares(self, z: float, head: float, base: float) -> Array:
        """Squared error of head·(head's rate) + base·(base's rate), for every group."""

    def covariance(self, z: float, one: int, other: int) -> Array | None:  # noqa: ARG002 -- for those that have some
        """Covariances of one side's rates with the other's, of shape (groups, groups).

        Those of a group with itself are 0, because `squares` has them. None where no row, and no
        cluster of rows, is in two groups.
        """
        return None

    def apart(self, z: float, side: int, best: int) -> Array:
        """Standard errors of the differences between one group's rate and every group's."""
        own = self.squares(z, 1.0, 0.0) if side == HEAD else self.squares(z, 0.0, 1.0)
        found: Array = np.hypot(np.sqrt(own), np.sqrt(own[best]))
        shared = self.covariance(z, side, side)
        if shared is not None:
            found = np.sqrt(np.maximum(0.0, own + own[best] - 2 * shared[best]))
        return found

    def of(self, pairs: Pairs, z: float) -> Array:
        """Standard error of (hᵢ − hⱼ) − w·(bₖ − bₗ) for every i, j, k, l of `pairs`."""
        i, j, k, last = pairs
        w = self.weight
        alone = {sign: self.squares(z, sign, 0.0) for sign in (1.0, -1.0)}
        base_alone = self.squares(z, 0.0, w)
        total = np.zeros(i.size)
        for groups, sign in ((i, 1.0), (j, -1.0)):
            # A group's two rates are correlated: where both enter, they enter as one.
            with_top, with_bottom = groups == k, groups == last
            together = np.where(
                with_top,
                self.squares(z, sign, -w)[groups],
                np.where(with_bottom, self.squares(z, sign, w)[groups], alone[sign][groups]),
            )
            total += together
        for groups in (k, last):
            total += np.where((groups == i) | (groups == j), 0.0, base_alone[groups])
        total += self._between(pairs, z)
        result: Array = np.sqrt(np.maximum(total, 0.0))
        return result

    def _between(self, pairs: Pairs, z: float) -> Array | float:
        """Twice the covariances between the groups of each contrast."""
        if self.covariance(z, HEAD, HEAD) is None:
            return 0.0
        i, j, k, last = pairs
        w = self.weight
        rates = ((i, HEAD, 1.0), (j, HEAD, -1.0), (k, BASE, -w), (last, BASE, w))
        total = np.zeros(i.size)
        for (one, side, by), (other, of_other, by_other) in itertools.combinations(rates, 2):
            shared = self.covariance(z, side, of_other)
            if shared is not None:
                total += 2 * by * by_other * shared[one, other]
        return total


def contrast_of_gaps(base: Array, head: Array, *, n: int, base_weight: float) -> Contrast:
    """The contrast of both sides' gaps, from their rates, arrays of shape (groups,)."""
    return Contrast(
        n=n,
        base=float(np.ptp(base)),
        head=float(np.ptp(head)),
        base_weight=base_weight,
        greater_is_better=False,
        lowest=0.0,
        highest=1.0,
    )


def change_of_gap(
    contrast: Contrast, base: Array, head: Array, errors: Errors, confidence: float
) -> Estimate:
    """Judge the change of a gap from both sides' rates, arrays of shape (groups,)."""
    z = quantile(confidence)
    if _combinations(_extremes(base, head, errors, z)) > MOST_COMBINATIONS:
        return contrast.refused("too many groups are alike to tell which are the extremes")
    # Two groups even where all rates are equal.
    by_head, by_base = (np.argsort(side, kind="stable") for side in (head, base))
    clear = (by_head[-1:], by_head[:1], by_base[-1:], by_base[:1])

    def ends(at: float) -> tuple[float, float]:
        low, high = _union(base, head, errors, at, _extremes(base, head, errors, at))
        return -high, -low

    return from_standard_error(
        contrast, lambda at: float(errors.of(clear, at)[0]), confidence, ends=ends
    )


def _extremes(base: Array, head: Array, errors: Errors, z: float) -> Extremes:
    found: list[Sequence[int]] = []
    for rates, side in ((head, HEAD), (base, BASE)):
        for turned in (rates, -rates):
            best = int(np.argmax(turned))
            may = turned[best] - turned <= z * errors.apart(z, side, best)
            may[best] = True
            found.append(np.flatnonzero(may).tolist())
    return found[0], found[1], found[2], found[3]


def _combinations(extremes: Extremes) -> int:
    return math.prod(len(each) for each in extremes)


def _union(
    base: Array, head: Array, errors: Errors, z: float, extremes: Extremes
) -> tuple[float, float]:
    """Ends of the change of the gap, head minus w·base: negative where the head's is smaller."""
    if _combinations(extremes) > MOST_COMBINATIONS:
        return -math.inf, math.inf
    t = -float(stdtrit(errors.freedom, ndtr(-z)))

    def of(pairs: Pairs) -> tuple[Array, Array]:
        i, j, k, last = pairs
        change = head[i] - head[j] - errors.weight * (base[k] - base[last])
        reach = t * errors.of(pairs, z)
        return change - reach, change + reach

    both = of(_pairs(extremes))
    heads, bases = _two(extremes[:2]), _two(extremes[2:])
    low, _ = of((*bases, *bases))
    _, high = of((*heads, *heads))
    return float(max(both[0].min(), low.min())), float(min(both[1].max(), high.max()))


def _pairs(extremes: Extremes) -> Pairs:
    heads, bases = _two(extremes[:2]), _two(extremes[2:])
    places = np.indices((heads[0].size, bases[0].size)).reshape(2, -1)
    return heads[0][places[0]], heads[1][places[0]], bases[0][places[1]], bases[1][places[1]]


def _two(extremes: Sequence[Sequence[int]]) -> tuple[Places, Places]:
    """Every largest with every smallest; one group alone has no gap."""
    found = [pair for pair in itertools.product(*extremes) if pair[0] != pair[1]]
    first, second = (np.array(each) for each in zip(*found, strict=True))
    return first, second
