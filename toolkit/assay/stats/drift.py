"""How far a distribution moved: effect sizes and p-values from counts, never from rows.

Every function takes two arrays of counts of shape (k,) over the same k bins, categories or
distinct values: the reference (train, or base) and the current (test, or head).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, rel_entr

Vector = NDArray[np.float64]


def _counts(reference: ArrayLike, current: ArrayLike) -> tuple[Vector, Vector]:
    first, second = (np.asarray(side, dtype=np.float64) for side in (reference, current))
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError("the counts must be two flat arrays of one length")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("counts must be finite")
    if min(first.min(initial=0), second.min(initial=0)) < 0:
        raise ValueError("counts cannot be negative")
    if first.sum() == 0 or second.sum() == 0:
        raise ValueError("both sides need at least one row")
    return first, second


def psi(reference: ArrayLike, current: ArrayLike, *, pseudo_count: float = 0.5) -> float:
    """Population stability index: Σ (q − p)·ln(q / p), the symmetrised Kullback–Leibler divergence.

    Half a row is added to every bin where one of the sides is empty in some bin (Jeffreys), since
    ln 0 has no value; bins empty on both sides are left out. Usual reading: below 0.1 stable,
    above 0.2 moved (Siddiqi 2006, "Credit Risk Scorecards").
    """
    first, second = _counts(reference, current)
    seen = (first > 0) | (second > 0)
    first, second = first[seen], second[seen]
    if min(first.min(), second.min()) == 0:
        first, second = first + pseudo_count, second + pseudo_count
    p, q = first / first.sum(), second / second.sum()
    return float(((q - p) * np.log(q / p)).sum())


def jensen_shannon_divergence(reference: ArrayLike, current: ArrayLike) -> float:
    """Jensen–Shannon divergence to the base 2, between 0 and 1 (Lin 1991, IEEE Trans. IT 37)."""
    first, second = _counts(reference, current)
    p, q = first / first.sum(), second / second.sum()
    middle = (p + q) / 2
    nats = (rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / 2
    return float(min(1.0, max(0.0, nats / math.log(2))))


def jensen_shannon_distance(reference: ArrayLike, current: ArrayLike) -> float:
    """The square root of the divergence, which is a metric (Endres and Schindelin 2003)."""
    return math.sqrt(jensen_shannon_divergence(reference, current))


def wasserstein(values: ArrayLike, reference: ArrayLike, current: ArrayLike) -> float:
    """First Wasserstein distance: ∫ |F − G| over the real line.

    `values`, ascending and of shape (k,), is where the counts lie. Exact for distinct values with
    their counts; with the middles of bins it is off by at most the widest bin.
    """
    first, second = _counts(reference, current)
    at = _ascending(values, first.size)
    gap = np.cumsum(first) / first.sum() - np.cumsum(second) / second.sum()
    return float(np.abs(gap[:-1]) @ np.diff(at))


def wasserstein_sd(values: ArrayLike, reference: ArrayLike, current: ArrayLike) -> float:
    """The Wasserstein distance in standard deviations of the reference.

    0 where nothing moved; infinite where the reference is constant and the current is not there.
    """
    distance = wasserstein(values, reference, current)
    first, _ = _counts(reference, current)
    at = _ascending(values, first.size)
    mean = float(first @ at / first.sum())
    deviation = math.sqrt(float(first @ (at - mean) ** 2 / first.sum()))
    if distance == 0:
        return 0.0
    return distance / deviation if deviation > 0 else math.inf


def _ascending(values: ArrayLike, size: int) -> Vector:
    at = np.asarray(values, dtype=np.float64)
    if at.shape != (size,) or not np.isfinite(at).all() or (np.diff(at) <= 0).any():
        raise ValueError("the values must be finite, ascending and as many as the counts")
    return at


def chi_square_p(reference: ArrayLike, current: ArrayLike) -> float:
    """Pearson's chi-square p-value that both sides share one distribution.

    Categories empty on both sides are left out; 1.0 where one category is left. Asymptotic: with
    expected counts below about 5 merge rare categories first.
    """
    first, second = _counts(reference, current)
    seen = (first + second) > 0
    table = np.stack([first[seen], second[seen]])
    if table.shape[1] < 2:
        return 1.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return float(chdtrc(table.shape[1] - 1, statistic))
