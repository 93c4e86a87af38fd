"""What one look at a running comparison shows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from scipy.special import lambertw


@dataclass(frozen=True, kw_only=True)
class SequentialInterval:
    """One look's end points of a confidence sequence; it covers at all looks together."""

    low: float
    high: float
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Look:
    """A running comparison at one moment, oriented so that positive means the head is better.

    Exactly one of `interval` and `regime` is set.
    """

    n: int
    """Units seen so far, over both arms."""
    difference: float | None = None
    interval: SequentialInterval | None = None
    regime: str | None = None
    """Why this look is not judged, for example "too few events"."""


def error_of(confidence: float) -> float:
    """One minus a confidence between 0 and 1; raises ValueError for any other number."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
    return 1 - confidence


@lru_cache(maxsize=256)
def mixture_scale(alpha: float) -> float:
    """The number u with the narrowest normal-mixture boundary where n·ρ² = u, at error `alpha`.

    Setting the derivative of (u + 1)/u · log((u + 1)/α²) to 0 gives u + 1 = −W₋₁(−α²/e), with W
    Lambert's function (Waudby-Smith et al. 2024, Annals of Statistics 52, on tuning ρ).
    """
    return -float(lambertw(-(alpha**2) / math.e, k=-1).real) - 1


def oriented(
    ends: tuple[float, float], *, greater_is_better: bool, confidence: float
) -> SequentialInterval:
    """The interval of head − base, turned so that positive means the head is better."""
    low, high = ends if greater_is_better else (-ends[1], -ends[0])
    return SequentialInterval(low=low + 0.0, high=high + 0.0, confidence=confidence)
