"""The worst of several slices, with intervals that hold for all of them at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.stats.estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class Worst:
    """What a search found, by the names of slices."""

    worse: tuple[str, ...]
    """Those that are worse beyond chance, the largest certain loss first."""
    first: str | None
    """The first of them, or where there is none the slice with the smallest p-value."""


def worst_of(found: Mapping[str, Estimate], confidence: float) -> Worst:
    """Find the worst of estimates whose intervals have the corrected ``confidence``.

    A slice is worse where its interval lies below 0 and its p-value is at most (1 − confidence)/2.
    Among those the largest certain loss, the lowest upper end, comes first.
    """
    level = (1 - confidence) / 2
    judged = {
        name: (each.interval.high, 1.0 if each.p_worse is None else each.p_worse)
        for name, each in found.items()
        if each.interval is not None
    }
    worse = sorted(
        (name for name, (high, p) in judged.items() if high < 0 and p <= level),
        key=lambda name: (judged[name][0], name),
    )
    least = min(judged, key=lambda name: (judged[name][1], name), default=None)
    return Worst(worse=tuple(worse), first=worse[0] if worse else least)
