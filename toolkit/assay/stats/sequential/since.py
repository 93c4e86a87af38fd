"""Whether a stream got worse than a promised value, at some time that nobody knows beforehand.

A mean over all that came since the start dilutes a change: after half a year of good days, a bad
week moves it little. So a confidence sequence is begun anew at every window k = 1, 2, ..., with the
error α / (k·(k + 1)). These add up to α, so the probability that any of them ever excludes a value
that holds all the time is at most α, over all looks and all starts together; a change is found by
the sequence that began with it, and the logarithm of k is what not knowing its time costs (Shekhar
and Ramdas 2023, "Reducing sequential change detection to sequential estimation", arXiv 2309.09111;
Shin, Ramdas and Rinaldo 2024, "E-detectors", NEJSDS 2).

Starts are numbered by the calendar, not by what was seen. Arrays hold one element for each window
of the version, oldest first; windows without a row may be among them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.sequential.look import error_of
from assay.stats.sequential.means import FEWEST_EVENTS, Sums, boundary
from assay.stats.sequential.rates import Prior, rate_bounds

Vector = NDArray[np.float64]
FEWEST_UNITS = 20


@dataclass(frozen=True, kw_only=True)
class Since:
    """One sequence: what it shows of all that came since window `start` (from 0)."""

    start: int
    n: int
    value: float
    low: float
    high: float
    confidence: float


def _errors(confidence: float, windows: int) -> Vector:
    k = np.arange(1, windows + 1, dtype=np.float64)
    errors: Vector = error_of(confidence) / (k * (k + 1))
    return errors


def _suffix(values: ArrayLike) -> Vector:
    array = np.asarray(values, dtype=np.float64)
    sums: Vector = np.cumsum(array[::-1])[::-1]
    return sums


def rate_since(
    events: ArrayLike,
    n: ArrayLike,
    *,
    promised: float,
    planned: int,
    confidence: float,
    of_rate: Callable[[float], float] = float,
) -> tuple[Since, ...]:
    """Sequences of a proportion, or of a rising function of it; exact at any number of rows.

    `promised` is the proportion that the prior is about, `planned` the rows after a change at which
    it is to be found. Starts with fewer than 20 rows are left out.
    """
    happened, rows = _suffix(events), _suffix(n)
    errors = _errors(confidence, rows.size)
    prior = Prior.planned(rate=promised, n=planned, confidence=confidence)
    used = np.flatnonzero(rows >= FEWEST_UNITS)
    if used.size == 0:
        return ()
    low, high = rate_bounds(happened[used], rows[used], confidence=1 - errors[used], prior=prior)
    return tuple(
        Since(
            start=int(start),
            n=int(rows[start]),
            value=of_rate(float(happened[start] / rows[start])),
            low=of_rate(float(low[place])),
            high=of_rate(float(high[place])),
            confidence=float(1 - errors[start]),
        )
        for place, start in enumerate(used)
    )


def mean_since(
    windows: Sequence[Sums],
    *,
    planned: int,
    confidence: float,
    of_mean: Callable[[float], float] = float,
) -> tuple[Since, ...]:
    """Sequences of a mean, or of a rising function of it; asymptotic, from 20 events on."""
    errors = _errors(confidence, len(windows))
    found = []
    so_far = Sums()
    for start in range(len(windows) - 1, -1, -1):
        so_far = windows[start] + so_far
        if so_far.events < FEWEST_EVENTS or so_far.squares == 0:
            continue
        error = float(errors[start])
        reach = boundary(so_far.n, planned=planned, confidence=1 - error)
        reach *= math.sqrt(so_far.variance)
        found.append(
            Since(
                start=start,
                n=so_far.n,
                value=of_mean(so_far.mean),
                low=of_mean(so_far.mean - reach),
                high=of_mean(so_far.mean + reach),
                confidence=1 - error,
            )
        )
    return tuple(reversed(found))


def calibration_since(
    counts: ArrayLike, gaps: ArrayLike, squares: ArrayLike, *, planned: int, confidence: float
) -> tuple[Since, ...]:
    """Sequences of the expected calibration error, from arrays of shape (windows, bins).

    The gap of each bin is a mean over all rows of (p − y) inside the bin, watched with its share of
    the error; the ends are the sums of the least and the greatest that the gaps may be, so they
    hold whatever the gaps' signs are.
    """
    rows, sums, seconds = (
        np.asarray(array, dtype=np.float64)[::-1].cumsum(axis=0)[::-1]
        for array in (counts, gaps, squares)
    )
    errors = _errors(confidence, rows.shape[0])
    found = []
    for start in range(rows.shape[0]):
        n = float(rows[start].sum())
        if n < FEWEST_EVENTS or seconds[start].sum() == 0:
            continue
        share = sums[start] / n
        spread = np.sqrt(np.maximum(seconds[start] / n - share**2, 0.0) * n / (n - 1))
        error = float(errors[start])
        reach = boundary(int(n), planned=planned, confidence=1 - error / rows.shape[1]) * spread
        # A gap is at most its bin's share of the rows; few rows say no more than that.
        few = rows[start] < FEWEST_EVENTS
        low = np.where(few, 0.0, np.maximum(0.0, np.abs(share) - reach))
        high = np.where(few, rows[start] / n, np.abs(share) + reach)
        found.append(
            Since(
                start=start,
                n=int(n),
                value=float(np.abs(share).sum()),
                low=float(low.sum()),
                high=float(min(1.0, high.sum())),
                confidence=1 - error,
            )
        )
    return tuple(found)
