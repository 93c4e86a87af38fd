"""Adjusted p-values for several claims at once. Both keep the order of what they are given."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Holm's step-down p-values (1979): family-wise error, no assumption on dependence."""
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    steps = p[order] * np.arange(p.size, 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def benjamini_hochberg(p_values: ArrayLike) -> NDArray[np.float64]:
    """Benjamini and Hochberg's step-up p-values (1995): the false discovery rate.

    Holds for independent and positively dependent claims.
    """
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    steps = p[order] * p.size / np.arange(1, p.size + 1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return adjusted


def _checked(p_values: ArrayLike) -> NDArray[np.float64]:
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1:
        raise ValueError("p-values must be a flat sequence")
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError("every p-value must lie between 0 and 1; leave out what has none")
    return p


def corrected_confidence(confidence: float, intervals: int) -> float:
    """The confidence of each of ``intervals`` that hold together with ``confidence``.

    Bonferroni: the chance that any misses is at most the sum of their chances, whatever the
    dependence between them; α becomes α/k.
    """
    if intervals < 1:
        raise ValueError(f"there is at least one interval, not {intervals}")
    return 1 - (1 - confidence) / intervals
