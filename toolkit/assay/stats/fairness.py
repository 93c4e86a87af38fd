"""Gaps between groups: how far apart a rate is for the best and the worst served group.

Demographic parity compares the groups' shares of rows that are predicted positive, equal
opportunity their true positive rates (Hardt, Price and Srebro 2016, NeurIPS 29). A side's gap is
its largest rate minus its smallest, and less is better.

The gap has no derivative where groups tie. With i, j the head's true extremes and k, l the base's,
the change of the gap is the contrast

    (head's rate of i − head's rate of j) − (base's rate of k − base's rate of l),

and, because no other pair has a larger gap, it lies between the same contrasts with k, l on both
sides and with i, j on both sides. So each end of the interval is the nearer one of two: the
outermost end over all pairs that may be the extremes of either side, and the outermost end of the
bracketing contrast over those of one side. A group may be an extreme where the observed extreme is
not beyond it by z standard errors. Rows of a group that enters with both sides keep their
correlation; each direction of discordance has z²/2 pseudo-rows (Outcomes.standard_error); the
quantile is Student's with the smallest group's degrees of freedom. With clear extremes all of this
is the delta method; where groups tie it is cautious.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from assay.stats.cells import Outcomes
from assay.stats.estimate import (
    FEWEST_ROWS,
    RELATIVE_TO_NOTHING,
    Contrast,
    Estimate,
    from_standard_error,
    quantile,
    undefined,
)

MOST_COMBINATIONS = 50_000
"""Combinations of possible extremes beyond which the groups are too alike to be compared."""
Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class GroupRate:
    """One group's rate on both sides; the interval is Wilson's (1927) for the head's rate."""

    group: str
    n: int
    base: float
    head: float
    interval: tuple[float, float]
    judged: bool
    """Whether the group has enough rows to take part in the gap."""


def group_rates(groups: Mapping[str, Outcomes], *, confidence: float = 0.95) -> list[GroupRate]:
    """Each group's rates, in the order given; groups without any row are left out."""
    found = []
    for name, outcomes in groups.items():
        if outcomes.n == 0:
            continue
        hits = outcomes.both + outcomes.head_only
        found.append(
            GroupRate(
                group=name,
                n=outcomes.n,
                base=(outcomes.both + outcomes.base_only) / outcomes.n,
                head=hits / outcomes.n,
                interval=wilson(hits, outcomes.n, confidence=confidence),
                judged=outcomes.n >= FEWEST_ROWS,
            )
        )
    return found


def wilson(successes: int, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's (1927) score interval for a rate of ``successes`` in ``n`` trials, n > 0."""
    # scipy.stats has it too, and takes half a second to import.
    z, rate = quantile(confidence), successes / n
    doubled = 2 * (n + z**2)
    centre = (2 * successes + z**2) / doubled
    reach = z / doubled * math.sqrt(4 * n * rate * (1 - rate) + z**2)
    return 0.0 if successes == 0 else centre - reach, 1.0 if successes == n else centre + reach


def gap_difference(
    groups: Mapping[str, Outcomes],
    *,
    n: int,
    confidence: float = 0.95,
    base_weight: float = 1.0,
    identical: bool = False,
) -> Estimate:
    """Compare the gap of a rate over groups; `Outcomes` count a positive prediction as right.

    `n` counts all rows of the comparison. Groups of fewer than 30 rows take no part. `base_weight`
    above 1 asks for a relative margin.
    """
    judged = {name: each for name, each in groups.items() if each.n >= FEWEST_ROWS}
    if len(judged) < 2:
        reason = f"fewer than two groups have {FEWEST_ROWS} rows"
        return undefined(n, reason, base_weight=base_weight)
    outcomes = list(judged.values())
    rates = np.array(
        [[each.both + each.base_only, each.both + each.head_only] for each in outcomes]
    ) / np.array([[each.n] for each in outcomes])
    base, head = rates[:, 0], rates[:, 1]
    contrast = Contrast(
        n=n,
        base=float(np.ptp(base)),
        head=float(np.ptp(head)),
        base_weight=base_weight,
        greater_is_better=False,
        lowest=0.0,
        highest=1.0,
    )
    if identical:
        return contrast.identical(confidence)
    if contrast.relative_to_nothing():
        return contrast.refused(RELATIVE_TO_NOTHING)
    errors = _Errors(outcomes, base_weight)
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


Extremes = tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[int]]
"""Groups that may be the head's largest and smallest, and the base's."""
Places = NDArray[np.int64]
Pairs = tuple[Places, Places, Places, Places]
"""Combinations of them, four arrays of one length."""


class _Errors:
    """Standard errors of combinations of the groups' rates."""

    def __init__(self, outcomes: Sequence[Outcomes], base_weight: float) -> None:
        self._outcomes = outcomes
        self.weight = base_weight
        self.freedom = min(each.n for each in outcomes) - 1
        self._kept: dict[tuple[float, float, float], Array] = {}

    def squares(self, z: float, head: float, base: float) -> Array:
        """Squared error of head·(head's rate) + base·(base's rate), for every group."""
        key = (z, head, base)
        if key not in self._kept:
            turned = self._outcomes
            if head == 0:
                turned, head, base = [_swapped(each) for each in turned], base, 0.0
            elif base * head > 0:
                # A sum of both rates varies with the rows on which both agree.
                turned, base = [_base_denied(each) for each in turned], -base
            errors = [head * each.standard_error(z, -base / head) for each in turned]
            self._kept[key] = np.square(errors)
        return self._kept[key]

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
        result: Array = np.sqrt(total)
        return result


def _base_denied(outcomes: Outcomes) -> Outcomes:
    """The head's rows beside those where the base is not positive."""
    return Outcomes(
        both=outcomes.head_only,
        base_only=outcomes.neither,
        head_only=outcomes.both,
        neither=outcomes.base_only,
    )


def _swapped(outcomes: Outcomes) -> Outcomes:
    return Outcomes(
        both=outcomes.both,
        base_only=outcomes.head_only,
        head_only=outcomes.base_only,
        neither=outcomes.neither,
    )


def _extremes(base: Array, head: Array, errors: _Errors, z: float) -> Extremes:
    own = [np.sqrt(errors.squares(z, *side)) for side in ((1.0, 0.0), (0.0, 1.0))]
    found: list[Sequence[int]] = []
    for rates, error in ((head, own[0]), (base, own[1])):
        for turned in (rates, -rates):
            best = int(np.argmax(turned))
            apart = np.hypot(error, error[best])
            may = turned[best] - turned <= z * apart
            may[best] = True
            found.append(np.flatnonzero(may).tolist())
    return found[0], found[1], found[2], found[3]


def _combinations(extremes: Extremes) -> int:
    return math.prod(len(each) for each in extremes)


def _union(
    base: Array, head: Array, errors: _Errors, z: float, extremes: Extremes
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
