"""Quiet years of traffic, hour by hour, as counts: weekly seasons, restless days, no drift.

Each feature is normal with a mean that follows the hour of the day and the weekend, and that each
day moves by chance; counts by bin are drawn directly, so that a year takes seconds and not rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from assay.config.monitoring import DriftRule
from assay.evidence.monitoring import ColumnReference, Drift, Reference
from assay.monitoring.drift import drifted
from assay.monitoring.seasons import spans_of
from assay.tables.column_counts import ColumnCounts

Array = NDArray[np.float64]
HOUR = 3_600
HOURS = 365 * 24
FEATURES = 30
LEVELS = (0.01, 0.025, *(level / 20 for level in range(1, 20)), 0.975, 0.99)


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Hourly rows and, by feature, counts of cells; of shape (hours,) and (hours, features, k)."""

    reference: Reference
    rows: NDArray[np.int64]
    counts: NDArray[np.int64]
    means: Array


def quiet(seed: int, *, hours: int, restless: float = 0.1, test_rows: int = 5_000) -> Traffic:
    """Draw a year: 40 to 400 rows an hour, seasons up to 0.8 deviations, days that move by 0.1."""
    rng = np.random.default_rng(seed)
    hour = np.arange(hours)
    day = 2 * np.pi * (hour % 24) / 24
    weekend = (hour // 24) % 7 >= 5
    rows = rng.poisson(220 - 180 * np.cos(day))
    by_day, by_week = rng.uniform(0, 0.8, FEATURES), rng.uniform(-0.5, 0.5, FEATURES)
    phase = rng.uniform(0, 2 * np.pi, FEATURES)
    chance = np.repeat(rng.normal(0, restless, (hours // 24 + 1, FEATURES)), 24, axis=0)[:hours]
    means = by_day * np.sin(day[:, None] + phase) + by_week * weekend[:, None] + chance
    reference, edges = _reference(rng, means, rows, test_rows)
    counts = np.stack(
        [
            rng.multinomial(rows, _shares(edges[feature], means[:, feature]))
            for feature in range(FEATURES)
        ],
        axis=1,
    )
    return Traffic(reference=reference, rows=rows, counts=counts, means=means)


def _shares(edges: Array, means: Array) -> Array:
    below = norm.cdf(edges[None, :] - means[:, None])
    ends = np.ones((means.size, 1))
    shares: Array = np.diff(np.concatenate([0 * ends, below, ends], axis=1), axis=1)
    return shares


def _reference(
    rng: np.random.Generator, means: Array, rows: NDArray[np.int64], size: int
) -> tuple[Reference, list[Array]]:
    """A test set drawn from whole weeks, as a reference profile."""
    weeks = min(rows.size, 28 * 24)
    when = rng.choice(weeks, size, p=rows[:weeks] / rows[:weeks].sum())
    columns, edges = [], []
    for feature in range(FEATURES):
        x = rng.normal(means[when, feature], 1)
        low, high = float(x.min()), float(x.max())
        inner = np.quantile(x, LEVELS, method="inverted_cdf")
        cut = np.unique([np.nextafter(low, -np.inf), *inner, high])
        counts = np.bincount(np.searchsorted(cut, x, side="left"), minlength=cut.size + 1)
        edges.append(cut)
        columns.append(
            ColumnReference(
                name=f"f{feature}", role="feature", kind="number", rows=size, missing=0,
                edges=tuple(cut.tolist()), counts=tuple(counts.tolist()), mean=float(x.mean()),
                deviation=float(x.std()), low=low, high=high,
            )
        )  # fmt: skip
    return Reference(model="quiet", columns=tuple(columns)), edges


def alarms(traffic: Traffic, *, every: int = 1, rule: DriftRule | None = None) -> int:
    """Look each `every` hours at the last hour; count the times that a column begins to alarm."""
    loud: set[str] = set()
    count = 0
    for now in looks(traffic, every):
        moved = {drift.column for drift in _look(traffic, now, rule or DriftRule()) if drift.moved}
        count += len(moved - loud)
        loud = moved
    return count


def looks(traffic: Traffic, every: int) -> Iterator[int]:
    """The hours at whose end somebody looks."""
    return iter(range(every, traffic.rows.size + 1, every))


def _look(traffic: Traffic, now: int, rule: DriftRule) -> tuple[Drift, ...]:
    spans = spans_of(now - 1, length=HOUR * 1_000_000)
    if spans.week[0] < 0:
        return ()
    window, week, *earlier = (
        _counted(traffic, slice(*span))
        for span in (
            (now - 1, now),
            (spans.week[0], now),
            *((at, at + 1) for at in spans.earlier if at >= 0),
        )
    )
    return drifted(traffic.reference, window, rule=rule, week=week, earlier=earlier)


def _counted(traffic: Traffic, hours: slice) -> dict[str, ColumnCounts]:
    rows = int(traffic.rows[hours].sum())
    counts = traffic.counts[hours].sum(axis=0)
    weights = traffic.rows[hours] / max(rows, 1)
    means = weights @ traffic.means[hours]
    return {
        f"f{feature}": ColumnCounts(
            rows=rows, missing=0, counts=tuple(counts[feature].tolist()),
            mean=float(means[feature]), deviation=1.0,
        )
        for feature in range(FEATURES)
    }  # fmt: skip
