"""Sample-ratio mismatch: do the arms get the shares of the units that were planned?

Lindon and Malek (2022), "Anytime-valid inference for multinomial count data", NeurIPS 35. For
counts n₁ … n_K under shares θ and a Dirichlet prior with parameters κ·θ, the Bayes factor

    O = Γ(κ)/Γ(κ + n) · ∏ Γ(κθᵢ + nᵢ)/Γ(κθᵢ) / ∏ θᵢ^nᵢ

is a martingale from 1 if the shares are as planned, so it ever exceeds 1/α with probability at
most α. The mean over several κ is one too: a small κ finds a router that sends everything one way
within a few units, a large one a share that is off by a percent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, logsumexp

from assay.stats.sequential.look import error_of

CONCENTRATIONS = (10.0, 1_000.0, 100_000.0)
"""κ: how closely a mismatch is expected about the plan, each with a third of the weight."""
_SHARES_SUM = 1e-9


@dataclass(frozen=True, kw_only=True)
class SampleRatio:
    """What the counts say of the planned shares."""

    log_bayes_factor: float
    p_value: float
    """Valid at this look and at all others; the smallest so far may be kept."""
    mismatch: bool


def log_bayes_factor(counts: ArrayLike, shares: Sequence[float]) -> np.ndarray:
    """Return log O for counts of shape (…, arms); the shares sum to 1 and none is 0.

    Raises ValueError otherwise, and for negative counts.
    """
    n = np.asarray(counts, dtype=np.float64)
    theta = np.asarray(shares, dtype=np.float64)
    if theta.ndim != 1 or theta.size < 2 or n.shape[-1:] != theta.shape:
        raise ValueError("there must be one share and one count for each of two or more arms")
    if np.any(theta <= 0) or abs(theta.sum() - 1) > _SHARES_SUM:
        raise ValueError("the shares must be above 0 and sum to 1")
    if not np.all(n >= 0):
        raise ValueError("counts cannot be negative")
    total = n.sum(axis=-1)
    parts = []
    for kappa in CONCENTRATIONS:
        prior = kappa * theta
        parts.append(
            gammaln(kappa)
            - gammaln(kappa + total)
            + (gammaln(prior + n) - gammaln(prior)).sum(axis=-1)
        )
    under_plan = (n * np.log(theta)).sum(axis=-1)
    mixed = logsumexp(np.stack(parts), axis=0) - np.log(len(parts))
    return np.asarray(mixed - under_plan)


def sample_ratio(
    counts: Sequence[int], shares: Sequence[float], *, confidence: float = 0.99
) -> SampleRatio:
    """Test the counts of units so far against the planned shares."""
    found = float(log_bayes_factor(counts, shares))
    p = float(np.exp(-max(0.0, found)))
    return SampleRatio(log_bayes_factor=found, p_value=p, mismatch=p <= error_of(confidence))
