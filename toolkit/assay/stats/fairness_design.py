"""Gaps between groups of rows that are clustered, stratified or weighted.

Errors come from the covariances of the groups' rates (stats.group_rates), and z² pseudo-rows are
added to the independent rows that a group's rows stand for, as they are to counts
(Outcomes.standard_error).
"""

from __future__ import annotations

import math

import numpy as np

from assay.stats.design import Design
from assay.stats.estimate import (
    FEWEST_ROWS,
    RELATIVE_TO_NOTHING,
    Estimate,
    undefined,
)
from assay.stats.fairness import GroupRate, wilson
from assay.stats.gaps import BASE, HEAD, Array, Errors, change_of_gap, contrast_of_gaps
from assay.stats.group_rates import Members, Rates, effective_rows


def designed_group_rates(
    members: Members, design: Design, *, confidence: float = 0.95
) -> list[GroupRate]:
    """Each group's weighted rates, with Wilson's interval of n* rows; see fairness.group_rates."""
    present = members.of(effective_rows(members, design.weight) > 0)
    if not present.names:
        return []
    found = Rates(present, design)
    return [
        GroupRate(
            group=name,
            n=int(found.rows[place]),
            base=float(found.rates[BASE, place]),
            head=float(found.rates[HEAD, place]),
            interval=wilson(
                float(found.rates[HEAD, place] * found.independent[place]),
                float(found.independent[place]),
                confidence=confidence,
            ),
            judged=bool(found.kish[place] >= FEWEST_ROWS),
        )
        for place, name in enumerate(present.names)
    ]


def designed_gap_difference(
    members: Members,
    design: Design,
    *,
    n: int,
    confidence: float = 0.95,
    base_weight: float = 1.0,
    identical: bool = False,
) -> Estimate:
    """Compare the gap of a rate over groups of rows that were drawn as `design` says.

    Groups of fewer than 30 effective rows take no part. `n` and `base_weight` are those of
    fairness.gap_difference.
    """
    enough = effective_rows(members, design.weight) >= FEWEST_ROWS
    if np.count_nonzero(enough) < 2:
        rows = "rows" if design.weights is None else "effective rows"
        reason = f"fewer than two groups have {FEWEST_ROWS} {rows}"
        return undefined(n, reason, base_weight=base_weight)
    found = Rates(members.of(enough), design)
    base, head = found.rates
    contrast = contrast_of_gaps(base, head, n=n, base_weight=base_weight)
    if identical:
        return contrast.identical(confidence)
    if contrast.relative_to_nothing():
        return contrast.refused(RELATIVE_TO_NOTHING)
    regime, scale = found.too_little()
    if regime is not None:
        return contrast.refused(regime, rows_to_judge=math.ceil(n * scale))
    return change_of_gap(contrast, base, head, _Errors(found, base_weight), confidence)


class _Errors(Errors):
    """From the covariances of the groups' rates."""

    def __init__(self, found: Rates, base_weight: float) -> None:
        self._found = found
        self.weight = base_weight
        self.freedom = found.freedom
        self._kept: dict[tuple[float, int, int], Array] = {}

    def squares(self, z: float, head: float, base: float) -> Array:
        """Squared error of head·(head's rate) + base·(base's rate), for every group."""
        rows = self._found.effective
        by = np.array([base, head])
        raw = np.einsum("s,t,sgtg->g", by, by, self._found.covariance)
        mean = by @ self._found.rates
        # Half of the pseudo-rows are positive on the head alone and half on the base alone; where
        # a sum of both rates is asked for, on both sides and on none.
        square = (head**2 + base**2) / 2 + max(0.0, head * base)
        every = rows + z**2
        centre = (rows * mean + z**2 * (head + base) / 2) / every
        within = (rows**2 * raw + rows * mean**2 + z**2 * square) / every
        found: Array = np.maximum(0.0, within - centre**2) / every
        return found

    def covariance(self, z: float, one: int, other: int) -> Array:
        """Covariances of one side's rates with the other's, between different groups."""
        key = (z, one, other)
        if key not in self._kept:
            rows = self._found.effective
            share = rows / (rows + z**2)
            found = self._found.covariance[one, :, other, :] * np.outer(share, share)
            np.fill_diagonal(found, 0.0)
            self._kept[key] = found
        return self._kept[key]
