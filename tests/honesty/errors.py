"""Regression on both sides, drawn row by row, with errors of several laws.

On a changed row the sides have two independent errors of the same law, and the head has the
smaller where it wins; elsewhere they have the same error. Labels are log-normal, so that their
inverse has moments (MAPE) and their variance is not that of the errors (R²).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, stdtr

from honesty.grid import Cell, cells_of

Vector = NDArray[np.float64]
EXACT = 0.6
"""Share of rows without error in the zero-inflated law."""
MEAN_LOG, SPREAD_LOG = 2.0, 0.5
"""Of the labels."""


Draw = Callable[[np.random.Generator, int], Vector]


@dataclass(frozen=True)
class Law:
    """Of the absolute error: how to draw it, its distribution function, and an atom at 0."""

    draw: Draw
    below: Callable[[Vector], Vector]
    exact: float = 0.0


def _log_normal(rng: np.random.Generator, size: int) -> Vector:
    return rng.lognormal(size=size)


def _below_log_normal(x: Vector) -> Vector:
    found: Vector = ndtr(np.log(x))
    return found


LAWS = {
    "normal": Law(lambda rng, size: np.abs(rng.normal(size=size)), lambda x: 2 * ndtr(x) - 1),
    "t3": Law(
        lambda rng, size: np.abs(rng.standard_t(3, size=size)), lambda x: 2 * stdtr(3, x) - 1
    ),
    "log-normal": Law(_log_normal, _below_log_normal),
    "zero-inflated": Law(_log_normal, _below_log_normal, exact=EXACT),
}


@dataclass(frozen=True)
class Rows:
    """One test set: labels and predictions, arrays of shape (n,)."""

    label: Vector
    base: Vector
    head: Vector


@dataclass(frozen=True)
class Errors:
    """Two regressions that differ on a share of the rows."""

    name: str = "regression"

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every law."""
        return cells_of(tuple(LAWS))

    def draw(
        self, cell: Cell, rng: np.random.Generator, repeats: int
    ) -> Iterator[tuple[Rows, int]]:
        """Test sets, each drawn once."""
        law = LAWS[str(cell.kind)]
        for _ in range(repeats):
            changed = int(rng.binomial(cell.n, cell.discordance))
            won = int(rng.binomial(changed, cell.won))
            size = law.draw(rng, cell.n)
            size[rng.random(cell.n) < law.exact] = 0.0
            # Of a changed row's two errors the first is never exactly 0, or it were no change.
            first, second = law.draw(rng, changed), size[:changed]
            less, more = np.minimum(first, second), np.maximum(first, second)
            base, head = size, size.copy()
            base[:won], head[:won] = more[:won], less[:won]
            base[won:changed], head[won:changed] = less[won:], more[won:]
            label = np.exp(MEAN_LOG + SPREAD_LOG * rng.normal(size=cell.n))
            sign = np.where(rng.random(cell.n) < 0.5, -1.0, 1.0)
            yield Rows(label=label, base=label + sign * base, head=label + sign * head), 1

    def discordant(self, cell: Cell, *, labels: str) -> float:
        """Changed rows to expect."""
        assert labels == "all"
        return cell.n * cell.discordance


def _cell_laws(cell: Cell) -> tuple[Callable[[Vector], Vector], Callable[[Vector], Vector]]:
    """Distribution functions of the base's and of the head's absolute error."""
    law = LAWS[str(cell.kind)]

    def sides(x: Vector, won: float) -> Vector:
        first = law.below(x)
        every = law.exact + (1 - law.exact) * first
        less, more = first + every - first * every, first * every
        changed = won * less + (1 - won) * more
        found: Vector = (1 - cell.discordance) * every + cell.discordance * changed
        return found

    return lambda x: sides(x, 1 - cell.won), lambda x: sides(x, cell.won)


def _means(cell: Cell, power: int) -> tuple[float, float]:
    """E|e|^power on either side: ∫ power·x^(power − 1)·P(|e| > x) dx, on a logarithmic scale."""
    # Beyond e^12 a difference from 1 drowns in rounding, and no law has weight there.
    log_x = np.linspace(-30, 12, 42_001)
    x = np.exp(log_x)
    base, head = (
        float(np.trapezoid(power * x**power * np.maximum(0, 1 - below(x)), log_x))
        for below in _cell_laws(cell)
    )
    return base, head


def mean_absolute(cell: Cell) -> float:
    """Oriented difference of mean absolute errors."""
    base, head = _means(cell, 1)
    return base - head


def mean_relative(cell: Cell) -> float:
    """Oriented difference of mean absolute errors relative to the label."""
    return mean_absolute(cell) * float(np.exp(SPREAD_LOG**2 / 2 - MEAN_LOG))


def quantile_loss(cell: Cell) -> float:
    """Oriented difference of mean quantile losses, at any level: signs are even on either side."""
    return mean_absolute(cell) / 2


def symmetric_relative(cell: Cell) -> float:
    """Oriented difference of mean absolute errors relative to the mean of label and prediction.

    The value of an error of size x, g(x), is a mean over labels (Gauss and Hermite) and signs;
    a side's mean is ∫ g'(x)·P(|e| > x) dx.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    label = np.exp(MEAN_LOG + SPREAD_LOG * nodes)[:, None]
    x = np.exp(np.linspace(-30, 12, 42_001))
    size = 0.0
    for sign in (-1, 1):
        each = 2 * x / (label + np.abs(label + sign * x))
        size = size + weights @ each / (2 * weights.sum())
    steps, middle = np.diff(size), np.sqrt(x[1:] * x[:-1])
    base, head = (float(steps @ (1 - below(middle))) for below in _cell_laws(cell))
    return base - head


def root_mean_square(cell: Cell) -> float:
    """Oriented difference of root mean squared errors."""
    base, head = _means(cell, 2)
    return float(np.sqrt(base) - np.sqrt(head))


def r_squared(cell: Cell) -> float:
    """Difference of coefficients of determination."""
    base, head = _means(cell, 2)
    spread = np.exp(2 * MEAN_LOG + SPREAD_LOG**2) * (np.exp(SPREAD_LOG**2) - 1)
    return float((base - head) / spread)


def median_absolute(cell: Cell) -> float:
    """Oriented difference of median absolute errors."""
    if LAWS[str(cell.kind)].exact > 0.5:
        return 0.0
    base, head = (
        brentq(lambda x, below=below: float(below(np.float64(x))) - 0.5, 1e-9, 9.0, xtol=1e-12)
        for below in _cell_laws(cell)
    )
    return float(base - head)
