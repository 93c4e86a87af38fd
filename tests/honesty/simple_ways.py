"""What simpler ways to watch columns find in the same quiet year: the alarms that people live with.

Each compares the rows of a day, or of the last seven days, with the test set's, once at the end of
it, a column at a time, and corrects nothing. A column that was loud at the look before is no new
alarm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import kolmogorov

from honesty.quiet_effects import Array, Side, effects, p_values
from honesty.quiet_screen import DAY, WEEK, profile_of, sums_of
from honesty.quiet_traffic import Column, Traffic

Bools = NDArray[np.bool_]
PSI, LEVEL = 0.2, 0.05
"""The usual reading of the index (Siddiqi 2006), and the usual level of a test."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """How someone watches: a look at the end of each so many hours, by a threshold or a test."""

    name: str
    hours: int
    by_test: bool


WAYS = (
    Way(name=f"a day's PSI above {PSI:g}", hours=DAY, by_test=False),
    Way(name=f"a week's PSI above {PSI:g}", hours=WEEK, by_test=False),
    Way(name=f"Kolmogorov–Smirnov or χ² at {100 * LEVEL:g} % of each day", hours=DAY, by_test=True),
    Way(
        name=f"Kolmogorov–Smirnov or χ² at {100 * LEVEL:g} % of each week", hours=WEEK, by_test=True
    ),
)


def begun(traffic: Traffic, way: Way) -> int:
    """How many alarms begin in a year, over all columns."""
    return sum(_begun(_loud(column, way)) for column in traffic.columns)


def seen_after(column: Column, way: Way, since: int) -> int | None:
    """Hours from the hour `since` to the first look after it at which the column is loud."""
    ends = (1 + np.flatnonzero(_loud(column, way))) * way.hours
    later = ends[ends > since]
    return int(later[0]) - since if later.size else None


def _begun(loud: Bools) -> int:
    return int((loud & ~np.concatenate([[False], loud[:-1]])).sum())


def _loud(column: Column, way: Way) -> Bools:
    ends = slice(None, None, way.hours)
    now = sums_of(column, way.hours)[ends]
    known = profile_of(column, len(now.counts))
    if not way.by_test:
        loud: Bools = effects(column.reference, known, now)["psi"] > PSI
    elif column.reference.kind == "number":
        loud = kolmogorov_smirnov(known, now) < LEVEL
    else:
        loud = p_values(known.counts, now.counts) < LEVEL
    return loud


def kolmogorov_smirnov(before: Side, now: Side) -> Array:
    """p-values over the reference's bins: D is a lower bound, so they are too large, not too small.

    By the asymptotic distribution, with Stephens' (1970, J. R. Stat. Soc. B 32) correction.
    """
    known = [side.counts[:, :-1] for side in (before, now)]
    rows = [counts.sum(axis=1) for counts in known]
    first, second = (
        np.cumsum(counts, axis=1) / all_[:, None] for counts, all_ in zip(known, rows, strict=True)
    )
    effective = np.sqrt(rows[0] * rows[1] / (rows[0] + rows[1]))
    found: Array = kolmogorov(
        (effective + 0.12 + 0.11 / effective) * np.abs(first - second).max(axis=1)
    )
    return found
