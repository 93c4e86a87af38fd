"""One sample's metrics with fixed intervals, from counts: what a window of production shows.

These intervals are honest for one window that was chosen beforehand. What is decided over many
looks takes ``stats.sequential.since``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr, stdtrit

from assay.stats.estimate import quantile

FEWEST = 30
"""Rows below which a mean's interval, or a calibration error's, is not trusted."""
_TOO_FEW = "too few rows"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A value and its interval; `reason` says why one of them is missing."""

    n: int
    value: float | None = None
    interval: tuple[float, float] | None = None
    reason: str | None = None


def share(events: int, n: int, *, confidence: float = 0.95, nothing: str = "no rows") -> Measured:
    """A proportion with Wilson's score interval (Wilson 1927, JASA 22)."""
    if n == 0:
        return Measured(n=0, reason=nothing)
    z2 = quantile(confidence) ** 2
    p = events / n
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    reach = math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    low = 0.0 if events == 0 else middle - reach
    high = 1.0 if events == n else middle + reach
    return Measured(n=n, value=p, interval=(low, high))


def f1_of(jaccard: float) -> float:
    """F1 from J = TP / (TP + FP + FN), of which it is a rising function: 2J / (1 + J)."""
    return 2 * jaccard / (1 + jaccard)


def jaccard_of(f1: float) -> float:
    """The inverse of :func:`f1_of`."""
    return f1 / (2 - f1)


def f1(hits: int, wrong: int, *, confidence: float = 0.95) -> Measured:
    """F1 from true positives and all errors; among rows that are either, J is a proportion."""
    found = share(hits, hits + wrong, confidence=confidence, nothing="no positives")
    if found.value is None or found.interval is None:
        return found
    low, high = found.interval
    return Measured(n=found.n, value=f1_of(found.value), interval=(f1_of(low), f1_of(high)))


def mean(n: int, total: float, squares: float, *, confidence: float = 0.95) -> Measured:
    """A mean from Σx and Σx², with Student's interval."""
    if n == 0:
        return Measured(n=0, reason="no rows")
    value = total / n
    if n < FEWEST:
        return Measured(n=n, value=value, reason=_TOO_FEW)
    variance = max(0.0, squares / n - value**2) * n / (n - 1)
    reach = float(stdtrit(n - 1, 0.5 + confidence / 2)) * math.sqrt(variance / n)
    return Measured(n=n, value=value, interval=(value - reach, value + reach))


def root_mean(n: int, total: float, squares: float, *, confidence: float = 0.95) -> Measured:
    """The square root of a mean that is not negative, such as the RMSE from Σe² and Σe⁴."""
    found = mean(n, total, squares, confidence=confidence)
    if found.value is None:
        return found
    ends = found.interval and (
        math.sqrt(max(0.0, found.interval[0])),
        math.sqrt(found.interval[1]),
    )
    return Measured(n=n, value=math.sqrt(found.value), interval=ends, reason=found.reason)


def calibration_error(
    counts: ArrayLike, gaps: ArrayLike, squares: ArrayLike, *, confidence: float = 0.95
) -> Measured:
    """Expected calibration error from each bin's rows, Σ(p − y) and Σ(p − y)²: arrays (bins,).

    The interval is that of a mean with the gaps' signs, widened downwards by what |gap| is too
    large by where its sign is chance, as in ``stats.calibration``.
    """
    rows, sums, seconds = (np.asarray(array, dtype=np.float64) for array in (counts, gaps, squares))
    n = int(rows.sum())
    if n == 0:
        return Measured(n=0, reason="no rows with a score")
    shares = sums / n
    value = float(np.abs(shares).sum())
    if n < FEWEST:
        return Measured(n=n, value=value, reason=_TOO_FEW)
    reach = quantile(confidence) * math.sqrt(max(0.0, seconds.sum() / n - value**2) / (n - 1))
    spread = np.sqrt(np.maximum(seconds / n - shares**2, 0.0) / n)
    u = np.maximum(np.abs(shares) / np.where(spread > 0, spread, 1.0) - 1, 0.0)
    density = np.exp(-(u**2) / 2) / math.sqrt(2 * math.pi)
    excess = float((2 * spread * (density - u * ndtr(-u))).sum())
    low, high = max(0.0, value - reach - excess), min(1.0, value + reach)
    return Measured(n=n, value=value, interval=(low, high))


def uneven(chosen: ArrayLike, of: ArrayLike) -> float:
    """Pearson's χ² p-value that each group has the same share chosen: arrays of counts (groups,).

    1 where there is nothing to tell apart: fewer than two groups, none or all chosen.
    """
    picked, total = (np.asarray(array, dtype=np.float64) for array in (chosen, of))
    picked, total = picked[total > 0], total[total > 0]
    rate = picked.sum() / total.sum() if total.size else 0.0
    if total.size < 2 or rate in {0.0, 1.0}:
        return 1.0
    statistic = float(((picked - total * rate) ** 2 / (total * rate * (1 - rate))).sum())
    return float(chdtrc(total.size - 1, statistic))
