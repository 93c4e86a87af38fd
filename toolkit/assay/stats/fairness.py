"""Gaps between groups: how far apart a rate is for the best and the worst served group.

Demographic parity compares the groups' shares of rows that are predicted positive, equal
opportunity their true positive rates (Hardt, Price and Srebro 2016, NeurIPS 29). A side's gap is
its largest rate minus its smallest, and less is better.

Rows of a group that enters with both sides keep their correlation; each direction of discordance
has z²/2 pseudo-rows (Outcomes.standard_error); the quantile is Student's with the smallest group's
degrees of freedom. Which groups the extremes are is uncertain too: stats.gaps allows for that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assay.stats.cells import Outcomes
from assay.stats.estimate import (
    FEWEST_ROWS,
    RELATIVE_TO_NOTHING,
    Estimate,
    quantile,
    undefined,
)
from assay.stats.gaps import Array, Errors, change_of_gap, contrast_of_gaps


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


def wilson(successes: float, n: float, *, confidence: float = 0.95) -> tuple[float, float]:
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
    contrast = contrast_of_gaps(base, head, n=n, base_weight=base_weight)
    if identical:
        return contrast.identical(confidence)
    if contrast.relative_to_nothing():
        return contrast.refused(RELATIVE_TO_NOTHING)
    return change_of_gap(contrast, base, head, _Errors(outcomes, base_weight), confidence)


class _Errors(Errors):
    """From counts of rows, each in one group."""

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
