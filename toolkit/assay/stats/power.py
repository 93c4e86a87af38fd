"""What a test set can find: the detectable difference and the rows that would settle a claim.

Normal approximation to the power of a one-sided test at (1 − confidence) / 2; see Julious
(2004), "Sample sizes for clinical trials with normal data", Statistics in Medicine 23.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, ndtr, ndtri, xlog1py, xlogy

from assay.stats.estimate import POWER, Estimate, quantile

_MOST_ROWS = 10**15


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


def power_for_margin(
    rows: int,
    row_variance: float,
    margin: float,
    *,
    confidence: float = 0.95,
    extra_variance: float = 0.0,
) -> float:
    """How often equally good models come out no worse than `margin` on this many rows.

    The inverse of `rows_for_margin`. 1.0 where neither the rows nor the smoothing vary.
    """
    sampling = math.sqrt(row_variance / rows)
    reach = quantile(confidence) * math.sqrt(row_variance / rows + extra_variance / rows**2)
    if sampling == 0:
        return float(reach < margin)
    return float(ndtr((margin - reach) / sampling))


def exact_share_power(
    rows: int, discordant: float, margin: float, *, confidence: float = 0.95
) -> float:
    """`power_for_margin` for the share of right rows, summed over all that can be drawn.

    Equal models differ on a binomial number of rows, of which each wins a binomial half.
    """
    z = quantile(confidence)
    power = 0.0
    spread = 7 * math.sqrt(rows * discordant * (1 - discordant)) + 10
    low, high = max(0, int(rows * discordant - spread)), int(rows * discordant + spread)
    counts = np.arange(low, min(rows, high) + 1)
    for changed, chance in zip(counts.tolist(), _binomial(counts, rows, discordant), strict=True):
        won = np.arange(changed + 1)
        lead = 2 * won - changed
        smoothed = rows + z**2
        squares = (changed + z**2) / smoothed - (lead / smoothed) ** 2
        passes = lead / rows - z * np.sqrt(squares / smoothed) > -margin
        power += float(chance * _binomial(won[passes], changed, 0.5).sum())
    return min(1.0, power)


def _binomial(successes: NDArray[np.int64], trials: int, share: float) -> NDArray[np.float64]:
    # scipy.stats has it too, and takes a second to import.
    failures = trials - successes
    ways = gammaln(trials + 1) - gammaln(successes + 1) - gammaln(failures + 1)
    result: NDArray[np.float64] = np.exp(ways + xlogy(successes, share) + xlog1py(failures, -share))
    return result


def margin_for_rows(
    rows: int,
    row_variance: float,
    *,
    confidence: float = 0.95,
    power: float = POWER,
    extra_variance: float = 0.0,
) -> float:
    """The smallest margin that equally good models pass with this power on this many rows."""
    sampling = math.sqrt(row_variance / rows)
    reach = quantile(confidence) * math.sqrt(row_variance / rows + extra_variance / rows**2)
    return reach + float(ndtri(power)) * sampling


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
