"""The bound on the labels that a drop takes, computed again from the formulas of the documentation.

Without the code that bounds a rate, and without a simulation: the mixture itself is held to 1/α,
and what is likely is added up over every number of rows and of hits (docs/statistics.md).
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import betaln, lambertw
from scipy.stats import binom

from honesty.changes import CONFIDENCE, LABELS, POSITIVES, PROMISED, RULE, predicted

TIMES = (30.5, 75.25, 120.9, 179.5)
"""Of a change, in days."""
_RATE = PROMISED / (2 - PROMISED)
"""Of hits among rows that are a hit, a false alarm or a miss."""
_UNLIKELY, _STEPS = 1e-7, 200


def excluding(rows: int, start: int) -> int:
    """The most hits among the rows at which the mixture excludes the promise; -1: none."""
    alpha = (1 - CONFIDENCE) / ((start + 1) * (start + 2))
    scale = -float(lambertw(-(((1 - CONFIDENCE) / 2) ** 2) / math.e, k=-1).real) - 1
    weight = RULE.planned / scale
    hits = np.arange(rows + 1)
    halves = [
        betaln(a + hits, b + rows - hits) - betaln(a, b)
        for a, b in ((_RATE * weight, (1 - _RATE) * weight), (0.5, 0.5))
    ]
    likelihood = hits * math.log(_RATE) + (rows - hits) * math.log(1 - _RATE)
    evidence = np.logaddexp(*halves) - math.log(2) - likelihood
    below = np.flatnonzero((evidence > -math.log(alpha)) & (hits < _RATE * rows))
    return int(below[-1]) if below.size else -1


def found(since: float, drop: float, days: int) -> float:
    """The probability that the sequence of the day after the change excludes it after so many.

    Exact: over every number of rows that is likely at all, and every number of hits.
    """
    f1, labels = PROMISED - drop, days * LABELS
    share = POSITIVES * (2 - f1)
    ends = binom.ppf([_UNLIKELY, 1 - _UNLIKELY], labels, share).astype(int)
    rows = np.arange(ends[0], ends[1] + 1, max(1, (ends[1] - ends[0]) // _STEPS))
    most = np.array([excluding(int(n), math.ceil(since)) for n in rows])
    weights = binom.pmf(rows, labels, share)
    return float(weights @ binom.cdf(most, rows, f1 / (2 - f1)) / weights.sum())


def at_the_bound(since: float, drop: float, *, power: float) -> tuple[float, float]:
    """That probability at the day of the bound, and the one a day before."""
    until_midnight = math.ceil(since) - since
    days = predicted(since, PROMISED - drop, power=power) / LABELS - until_midnight
    return found(since, drop, round(days)), found(since, drop, round(days) - 1)
