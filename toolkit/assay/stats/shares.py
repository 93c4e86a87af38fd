"""Shares of rows on both sides: accuracy, recall, and the mean of a score of zeros and ones."""

from __future__ import annotations

import math

from assay.stats.cells import Outcomes
from assay.stats.estimate import (
    FEWEST_ROWS,
    RELATIVE_TO_NOTHING,
    Contrast,
    Estimate,
    from_standard_error,
    undefined,
)
from assay.stats.mcnemar import mcnemar_worse


def share_difference(
    outcomes: Outcomes,
    *,
    n: int,
    confidence: float,
    base_weight: float,
    identical: bool,
    greater_is_better: bool = True,
) -> Estimate:
    """Compare the share of rows that are right (or 1) on either side.

    `n` counts all rows of the comparison; `outcomes` may be those of one label alone.
    """
    if outcomes.n == 0:
        return undefined(n, "no row has the positive label", base_weight=base_weight)
    contrast = Contrast(
        n=n,
        base=(outcomes.both + outcomes.base_only) / outcomes.n,
        head=(outcomes.both + outcomes.head_only) / outcomes.n,
        base_weight=base_weight,
        greater_is_better=greater_is_better,
        lowest=0.0,
        highest=1.0,
    )
    if identical:
        return contrast.identical(confidence)
    if contrast.relative_to_nothing():
        return contrast.refused(RELATIVE_TO_NOTHING)
    if outcomes.n < FEWEST_ROWS:
        few = "too few rows" if outcomes.n == n else "too few positives"
        return contrast.refused(few, rows_to_judge=math.ceil(n * FEWEST_ROWS / outcomes.n))
    # McNemar's test is about equality, so a weighted base inverts its interval instead.
    p_worse = None
    if base_weight == 1:
        lost, won = outcomes.base_only, outcomes.head_only
        p_worse = mcnemar_worse(lost, won) if greater_is_better else mcnemar_worse(won, lost)
    return from_standard_error(
        contrast,
        lambda z: outcomes.standard_error(z, base_weight),
        confidence,
        p_worse=p_worse,
    )
