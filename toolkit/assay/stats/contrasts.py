"""Contrasts of several models that predict the same rows, from what pairs of them show.

For values θ₁ … θ_k and weights with Σ cᵢ = 0, whatever their covariance,

    Var(Σ cᵢ θᵢ) = −Σ_{i<j} cᵢ cⱼ Var(θᵢ − θⱼ),

the form in which kriging writes a variance by its variogram (Cressie 1993, Statistics for Spatial
Data, section 2.3). So every paired comparison that gives a standard error gives those of the
effects of a 2×2 table as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from assay.stats.estimate import Interval, quantile


def contrast_variance(
    weights: Sequence[float], variances: Mapping[tuple[int, int], float]
) -> float:
    """Return Var(Σ cᵢ θᵢ) from ``variances[i, j]`` = Var(θᵢ − θⱼ), i < j.

    Raises ValueError where the weights do not sum to 0, KeyError where a pair is missing that
    both weights of need. Estimates that contradict each other are cut off at 0.
    """
    if abs(sum(weights)) > 1e-12:
        raise ValueError("the weights of a contrast sum to 0")
    used = [place for place, weight in enumerate(weights) if weight]
    total = math.fsum(
        -weights[i] * weights[j] * variances[i, j]
        for at, i in enumerate(used)
        for j in used[at + 1 :]
    )
    return max(0.0, total)


def variance_of(interval: Interval) -> float:
    """Return the squared standard error that an interval's width stands for."""
    return ((interval.high - interval.low) / (2 * quantile(interval.confidence))) ** 2


def contrast_interval(difference: float, variance: float, confidence: float) -> Interval:
    """Return the normal interval of a contrast."""
    half = quantile(confidence) * math.sqrt(variance)
    return Interval(low=difference - half, high=difference + half, confidence=confidence)
