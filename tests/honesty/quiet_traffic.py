"""A year of production without drift, as counts by hour: what a monitor's looks are made of.

Thirty features follow the hour of the day and the weekend, and each day moves by chance: 20
normal ones, four log-normal ones, six categories; every fourth has missing values. Beside them a
score, a prediction and a label. Counts by cell are drawn directly (multinomial), and each hour's
mean given its counts, so that a year takes a second and holds no rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from assay.config.monitoring import DriftRule
from assay.evidence.monitoring import ColumnReference, Reference

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
HOURS = 365 * 24
FEATURES = 30
RULE = DriftRule()
_SKEWED, _CATEGORIES = 4, 6
_VALUES = 12
_MISSING = 0.03
_FOUR_WEEKS = 28 * 24
LEVELS = (0.01, 0.025, *(level / 20 for level in range(1, 20)), 0.975, 0.99)


@dataclass(frozen=True, kw_only=True)
class World:
    """What a quiet year is like: mean rows an hour, and how far a day moves by chance."""

    name: str
    rows: float = 220.0
    restless: float = 0.1
    """Deviation of a day's mean, in deviations of a row."""
    test_rows: int = 5_000
    weeks: float = 0.0
    """The same of a week's mean."""
    kept: float = 0.0
    """The correlation of a week's mean with the one before it: above 0 it moves slowly."""
    rule: DriftRule = RULE
    """What assay.yaml says under `drift`."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column by hour: counts of cells, missing ones last, of shape (hours, k + 1)."""

    reference: ColumnReference
    counts: Counts
    totals: Array | None
    """Sums of the values, of shape (hours,); None where it is no number."""


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """A year: rows of shape (hours,), and the columns of the reference in its order."""

    reference: Reference
    rows: Counts
    columns: tuple[Column, ...]


def quiet(
    seed: int, world: World, *, hours: int = HOURS, shift: float = 0.0, since: int = 0
) -> Traffic:
    """Draw a year: by day a ninefold swing in rows, seasons up to 0.8 deviations, no drift.

    With a `shift` the feature `f1` is no longer quiet: it moves by so much at the hour `since`.
    """
    rng = np.random.default_rng(seed)
    hour = np.arange(hours)
    day = 2 * np.pi * (hour % 24) / 24
    weekend = (hour // 24) % 7 >= 5
    rows = rng.poisson(world.rows * (1 - 0.8 * np.cos(day)) * np.where(weekend, 0.7, 1.0))
    weeks = min(hours, _FOUR_WEEKS)
    tested = rng.choice(weeks, world.test_rows, p=rows[:weeks] / rows[:weeks].sum())

    def means() -> Array:
        own = rng.uniform(0, 0.8) * np.sin(day + rng.uniform(0, 2 * np.pi))
        by_day = rng.normal(0, world.restless, hours // 24 + 1).repeat(24)[:hours]
        by_week = _weeks(rng, world, hours // 168 + 1).repeat(168)[:hours]
        mean: Array = own + rng.uniform(-0.5, 0.5) * weekend + by_day + by_week
        return mean

    columns = []
    for place in range(FEATURES):
        missing = _MISSING if place % 4 == 0 else 0.0
        name = f"f{place}"
        if place < FEATURES - _CATEGORIES:
            skewed = place >= FEATURES - _CATEGORIES - _SKEWED
            moved = means() + shift * (hour >= since) * (name == "f1")
            columns.append(_number(rng, name, moved, rows, tested, missing, skewed=skewed))
        else:
            columns.append(_category(rng, name, means(), rows, tested, missing))
    columns.append(_number(rng, "score", means(), rows, tested, 0.0, role="score"))
    for role in ("prediction", "label"):
        columns.append(_category(rng, role, means(), rows, tested, 0.0, values=2, role=role))
    reference = Reference(model="quiet", columns=tuple(each.reference for each in columns))
    return Traffic(reference=reference, rows=rows, columns=tuple(columns))


def _weeks(rng: np.random.Generator, world: World, weeks: int) -> Array:
    """By how much each week's mean is off: a stationary autoregression of the first order."""
    drawn = rng.normal(0, world.weeks, weeks)
    for week in range(1, weeks):
        drawn[week] = world.kept * drawn[week - 1] + math.sqrt(1 - world.kept**2) * drawn[week]
    return drawn


def _number(
    rng: np.random.Generator,
    name: str,
    means: Array,
    rows: Counts,
    tested: Counts,
    missing: float,
    *,
    skewed: bool = False,
    role: str = "feature",
) -> Column:
    """A normal column, or its exponential: `edges` are those of the normal values."""
    there = rng.random(tested.size) >= missing
    z = rng.normal(means[tested], 1)[there]
    edges = np.unique(
        [
            np.nextafter(z.min(), -np.inf),
            *np.quantile(z, LEVELS, method="inverted_cdf"),
            z.max(),
        ]
    )
    own = np.bincount(np.searchsorted(edges, z, side="left"), minlength=edges.size + 1)
    x = np.exp(z) if skewed else z
    low, high = (edges[None, :] - means[:, None] for _ in range(2))
    ends = np.full((means.size, 1), np.inf)
    low, high = np.concatenate([-ends, low], axis=1), np.concatenate([high, ends], axis=1)
    shares = norm.cdf(high) - norm.cdf(low)
    counts = _drawn(rng, rows, shares, missing)
    centres, spreads = (_skewed if skewed else _normal)(means, low, high, shares)
    noise = rng.normal(0, np.sqrt((counts[:, :-1] * spreads).sum(axis=1)))
    return Column(
        reference=ColumnReference(
            name=name, role=role, kind="number", rows=tested.size, missing=int((~there).sum()),
            edges=tuple((np.exp(edges) if skewed else edges).tolist()), counts=tuple(own.tolist()),
            mean=float(x.mean()), deviation=float(x.std()), low=float(x.min()), high=float(x.max()),
        ),
        counts=counts,
        totals=(counts[:, :-1] * centres).sum(axis=1) + noise,
    )  # fmt: skip


def _drawn(rng: np.random.Generator, rows: Counts, shares: Array, missing: float) -> Counts:
    both = np.concatenate([shares * (1 - missing), np.full((rows.size, 1), missing)], axis=1)
    drawn: Counts = rng.multinomial(rows, both / both.sum(axis=1, keepdims=True))
    return drawn


def _normal(means: Array, low: Array, high: Array, shares: Array) -> tuple[Array, Array]:
    """Mean and variance of a normal value inside each cell."""
    p = np.maximum(shares, 1e-12)
    first, last = norm.pdf(low), norm.pdf(high)
    shift = (first - last) / p
    a, b = (np.where(np.isfinite(end), end, 0.0) for end in (low, high))
    return means[:, None] + shift, np.clip(1 + (a * first - b * last) / p - shift**2, 0, 1)


def _skewed(means: Array, low: Array, high: Array, shares: Array) -> tuple[Array, Array]:
    """The same of the exponential of a normal value."""
    p = np.maximum(shares, 1e-12)
    once = np.exp(means + 0.5)[:, None] * (norm.cdf(high - 1) - norm.cdf(low - 1)) / p
    twice = np.exp(2 * means + 2)[:, None] * (norm.cdf(high - 2) - norm.cdf(low - 2)) / p
    return once, np.maximum(twice - once**2, 0.0)


def _category(
    rng: np.random.Generator,
    name: str,
    means: Array,
    rows: Counts,
    tested: Counts,
    missing: float,
    *,
    values: int = _VALUES,
    role: str = "feature",
) -> Column:
    """Shares by a Zipf law, tilted by the season; the reference has every value of 20 rows."""
    tilt = rng.uniform(-0.5, 0.5, values)
    logits = -np.log(np.arange(1, values + 1)) + means[:, None] * tilt
    shares = np.exp(logits)
    shares /= shares.sum(axis=1, keepdims=True)
    by_hour = np.bincount(tested, minlength=rows.size)
    own = _drawn(rng, by_hour, shares, missing).sum(axis=0)
    counts = _drawn(rng, rows, shares, missing)
    others = np.zeros((rows.size, 1), dtype=np.int64)
    return Column(
        reference=ColumnReference(
            name=name, role=role, kind="category", rows=tested.size, missing=int(own[-1]),
            values=tuple(f"v{value}" for value in range(values)), counts=(*own[:-1].tolist(), 0),
        ),
        counts=np.concatenate([counts[:, :-1], others, counts[:, -1:]], axis=1),
        totals=None,
    )  # fmt: skip
