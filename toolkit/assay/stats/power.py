"""What a test set can find: the detectable difference and the rows that would settle a claim.

Normal approximation to the power of a one-sided test at (1 − confidence) / 2; see Julious
(2004), "Sample sizes for clinical trials with normal data", Statistics in Medicine 23.
"""

from __future__ import annotations

import math

from scipy.special import ndtri

from assay.stats.estimate import POWER, Estimate, quantile

_MOST_ROWS = 10**15


def detectable_difference(
    standard_error: float, *, confidence: float = 0.95, power: float = POWER
) -> float:
    """The smallest true difference that an interval tells from 0 with the given power."""
    return (quantile(confidence) + float(ndtri(power))) * standard_error


def rows_for_margin(
    row_variance: float,
    margin: float,
    *,
    confidence: float = 0.95,
    power: float = POWER,
    extra_variance: float = 0.0,
) -> int | None:
    """Rows after which equally good models come out no worse than `margin` with this power.

    `row_variance` is the variance of one row's contribution to the difference (for accuracy
    the discordant share), `extra_variance` what smoothing adds to the squared standard error,
    times n². None where no number of rows would do (a margin of 0) or more than 10¹⁵.
    """
    if margin <= 0:
        return None
    z, z_power = quantile(confidence), float(ndtri(power))

    def enough(rows: int) -> bool:
        sampling = row_variance / rows
        interval = z * math.sqrt(sampling + extra_variance / rows**2)
        return interval + z_power * math.sqrt(sampling) <= margin

    if not enough(_MOST_ROWS):
        return None
    low, high = 0, 1
    while not enough(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def rows_needed(estimate: Estimate, margin: float) -> int | None:
    """Rows that would settle the claim "no worse than `margin`" if the models were equal.

    For a relative margin r pass the contrast's estimate and r·base, which is what the contrast
    is worth under equal models. An estimate outside the judged regimes answers with the rows
    that would bring it inside, where known.
    """
    if estimate.regime is not None:
        return estimate.rows_to_judge
    if estimate.interval is None or estimate.row_variance is None:
        return None
    return rows_for_margin(
        estimate.row_variance,
        margin,
        confidence=estimate.interval.confidence,
        extra_variance=estimate.extra_variance,
    )
