"""The page's part about estimates without labels: how often the labels lie in the interval."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

import numpy as np

from honesty.change_part import interval, share
from honesty.estimates import KINDS, METRICS, TEST_ROWS, WINDOW_ROWS, Estimated, simulated

DRIFTS = 2_000
LEAST = 0.90
"""Of the intervals that are called 95 % ones: promised where the score still means what it did."""
PROMISED = ("none", "covariate")


def drift(seed: int, kind: str) -> list[Estimated]:
    """One drift of one kind."""
    return simulated(np.random.default_rng([seed, list(KINDS).index(kind)]), kind)


def faults(found: Sequence[Estimated]) -> list[str]:
    """Promises that these drifts do not show to be kept."""
    broken = []
    for kind in PROMISED:
        for metric in METRICS:
            own = [each for each in found if (each.kind, each.metric) == (kind, metric)]
            held = sum(each.held for each in own)
            if interval(held, len(own))[0] < LEAST:
                broken.append(f"{metric}, {kind}: {held} of {len(own)} held")
    return broken


def section(pool: ProcessPoolExecutor, scale: float) -> tuple[str, list[str]]:
    """The Markdown of this part, and promises that it does not show to be kept."""
    drifts = max(20, round(scale * DRIFTS))
    found = [
        each
        for kind in KINDS
        for several in pool.map(drift, range(drifts), repeat(kind), chunksize=25)
        for each in several
    ]
    rows = [_row(kind, metric, found) for kind in KINDS for metric in METRICS]
    said = (
        f"{drifts:,} drifts of each kind; each a test set of {TEST_ROWS:,} rows, and a window of "
        f"{WINDOW_ROWS:,} that drifted by a random amount; the score is too sure of itself. "
        "Estimates are those of the code that estimates real windows, with 95 % intervals for what "
        "the labels will show. *Held*: the share of them that did, with Clopper and Pearson's "
        "95 % interval. *Constant*: the mean error of saying the test set's value each time."
    )
    return "\n".join([said, "", _HEAD, *rows, "", _kinds(), "", _READ]), faults(found)


def _row(kind: str, metric: str, found: Sequence[Estimated]) -> str:
    own = [each for each in found if (each.kind, each.metric) == (kind, metric)]
    error = np.mean([abs(each.value - each.realised) for each in own])
    constant = np.mean([abs(each.usual - each.realised) for each in own])
    width = np.mean([each.high - each.low for each in own])
    promise = f"at least {100 * LEAST:.0f} %" if kind in PROMISED else "none"
    return (
        f"| {kind} | {metric} | {share(sum(each.held for each in own), len(own))} | {promise} | "
        f"{width:.3f} | {error:.3f} | {constant:.3f} |"
    )


def _kinds() -> str:
    return "; ".join(f"*{kind}*: {what}" for kind, what in KINDS.items() if what) + "."


_HEAD = (
    "| drift | metric | held | promised | mean width | mean error | constant |\n"
    "|---|---|---:|---:|---:|---:|---:|"
)
_READ = (
    "An estimate sees what is asked change, not what is true: under a label shift and under a "
    "concept drift the chance of a positive given the score is another than on the test set, and "
    "the interval fails, as documented. That is why an estimate never blocks, and why it is scored "
    "by the labels when they come."
)
