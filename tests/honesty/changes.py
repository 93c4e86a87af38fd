"""A model whose F1 falls some day, looked at every day: who finds it, when, and who cries wolf.

A day's labelled predictions are drawn as counts. Ours is judged by the code that judges real looks
(`rule_of`). Looks at which it cannot say `worse` are passed over: a sequence excludes the promised
rate only where n·KL(seen ‖ promised) is at least log(1/α), because no mixture is above the largest
likelihood.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr
from scipy.stats import binom

from assay.config import LiveMetric
from assay.evidence import State
from assay.monitoring.quality import rule_of
from assay.stats import live
from assay.stats.sequential.rates import Prior, rate_bounds
from assay.tables.live_counts import Cell, LiveSums

Counts = NDArray[np.int64]
LABELS = 500
"""Labelled predictions a day."""
DELAY = 7
"""Days until a day's labels are there."""
POSITIVES = 0.2
PROMISED, MARGIN, CONFIDENCE = 0.80, 0.02, 0.95
RULE = LiveMetric(margin=MARGIN)


@dataclass(frozen=True, kw_only=True)
class Days:
    """Hits and wrong ones (false alarms and misses) of each day, of shape (days,)."""

    hits: Counts
    wrong: Counts


def drawn(rng: np.random.Generator, *, days: int, since: float, f1: float) -> Days:
    """Days with F1 as promised until the time `since`, in days, and `f1` from then on.

    Precision and recall are alike, so that both are F1.
    """
    before = np.clip(since - np.arange(days), 0, 1)
    first = rng.binomial(LABELS, before)
    hits, wrong = np.zeros(days, dtype=np.int64), np.zeros(days, dtype=np.int64)
    for rows, value in ((first, PROMISED), (LABELS - first, f1)):
        shares = POSITIVES * np.array([value, 2 * (1 - value)])
        found = rng.multinomial(rows, [*shares, 1 - shares.sum()])
        hits, wrong = hits + found[:, 0], wrong + found[:, 1]
    return Days(hits=hits, wrong=wrong)


def sequential(days: Days) -> Counts:
    """The first look at which ours says `worse`, as a day from 0; empty where none does."""
    for last in np.flatnonzero(_possible(days)):
        if _worse(days, int(last) + 1):
            return np.array([last])
    return np.array([], dtype=np.int64)


def _worse(days: Days, looked: int) -> bool:
    cells = [
        Cell(
            window=day,
            version="v",
            predictions=LABELS,
            sums=LiveSums(n=LABELS, hits=int(days.hits[day]), misses=int(days.wrong[day])),
        )
        for day in range(looked)
    ]
    rule, _ = rule_of(
        "m", "f1", RULE, promised=PROMISED, cells=cells, confidence=CONFIDENCE
    )  # fmt: skip
    return rule.state is State.WORSE


def _possible(days: Days) -> NDArray[np.bool_]:
    """At which looks any sequence may exclude the promise."""
    promised = live.jaccard_of(PROMISED)
    hits = np.concatenate([[0], np.cumsum(days.hits)])
    rows = np.concatenate([[0], np.cumsum(days.hits + days.wrong)])
    found = np.zeros(days.hits.size, dtype=bool)
    for start in range(days.hits.size):
        n = rows[start + 1 :] - rows[start]
        seen = (hits[start + 1 :] - hits[start]) / np.maximum(n, 1)
        apart = n * (rel_entr(seen, promised) + rel_entr(1 - seen, 1 - promised))
        needed = np.log((start + 1) * (start + 2) / (1 - CONFIDENCE))
        found[start:] |= (apart >= needed) & (seen < promised)
    return found


def weekly(days: Days, *, level: float = 0.05) -> Counts:
    """Weeks whose own F1 is below the promise by a one-sided test; the days that end them."""
    found = []
    for first in range(0, days.hits.size - 6, 7):
        week = slice(first, first + 7)
        hits, wrong = int(days.hits[week].sum()), int(days.wrong[week].sum())
        interval = live.f1(hits, wrong, confidence=1 - 2 * level).interval
        if interval is not None and interval[1] < PROMISED:
            found.append(first + 6)
    return np.array(found, dtype=np.int64)


def threshold(days: Days, *, over: int = 1) -> Counts:
    """Days at which the F1 of the last `over` days is below promise less margin."""
    kernel = np.ones(over, dtype=np.int64)
    hits = np.convolve(days.hits, kernel)[: days.hits.size]
    wrong = np.convolve(days.wrong, kernel)[: days.hits.size]
    below = 2 * hits / np.maximum(2 * hits + wrong, 1) < PROMISED - MARGIN
    below[: over - 1] = False
    return np.flatnonzero(below)


Method = Callable[[Days], Counts]
METHODS: dict[str, Method] = {
    "`assay monitor`, a look a day": sequential,
    "a test at 5 % of each week": weekly,
    "a test at 5 %/52 of each week": lambda days: weekly(days, level=0.05 / 52),
    "a day's F1 below promise − margin": threshold,
    "the last 7 days' F1 below promise − margin": lambda days: threshold(days, over=7),
}


def begins(alarms: Counts, *, apart: int = 1) -> int:
    """How often an alarm begins: what follows within `apart` days is the same one."""
    return int((np.diff(alarms, prepend=-apart - 1) > apart).sum())


def predicted(since: float, f1: float, *, power: float = 0.9) -> int:
    """Labels from the change until the sequence that begins with the next day excludes the promise.

    That is after the least whole days at which its upper end, at the `power` quantile of the hits
    among the expected rows, is below the promise: then that share of changes is found by then,
    whatever other sequences find. The labels from the change to the next day are among them, as in
    `found_after`. `honesty.computed_bound` computes the probability itself.
    """
    start = math.ceil(since)
    rate, promised = live.jaccard_of(f1), live.jaccard_of(PROMISED)
    share = POSITIVES * (2 - f1)
    error = (1 - CONFIDENCE) / ((start + 1) * (start + 2))
    prior = Prior.planned(rate=promised, n=RULE.planned, confidence=CONFIDENCE)
    days = np.arange(1, 400)
    rows = np.round(days * LABELS * share)
    _, high = rate_bounds(binom.ppf(power, rows, rate), rows, confidence=1 - error, prior=prior)
    below = np.flatnonzero(high < promised)
    if below.size == 0:
        raise ValueError("so small a change is not found within 400 days")
    return round((start - since + int(days[below[0]])) * LABELS)


def found_after(alarms: Sequence[int] | Counts, since: float) -> int | None:
    """Labels from the change to the first alarm of a look that could know of it; None: never."""
    later = [int(day) for day in alarms if day + 1 > since]
    return round((min(later) + 1 - since) * LABELS) if later else None
