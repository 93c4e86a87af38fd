"""Binary labels with a score on either side, drawn row by row.

A row's margin is its score times +1 for positives and −1 for negatives, so it is right where its
margin is positive. Margins are normal with mean μ and variance 1, μ such that ACCURACY of them
are positive. Where both sides are right, or both wrong, the head's margin is the base's
(`patched`), or is correlated with it as after training again (`retrained`); where one side is
right, the two are independent. Probabilities are those of logistic regression.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr, ndtri

from honesty.grid import ACCURACY, PREVALENCES, Cell, cells_of

Vector = NDArray[np.float64]
MEAN = float(ndtri(ACCURACY))
CORRELATION = 0.95
"""Between normal scores of two trainings, where both are right or both wrong."""


@dataclass(frozen=True)
class Rows:
    """One test set: labels and the sides' scores, arrays of shape (n,)."""

    label: NDArray[np.bool_]
    base: Vector
    head: Vector


@dataclass(frozen=True)
class Scored:
    """Two scores of which a share of the rows, or all, differ."""

    name: str
    retrained: bool

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every prevalence."""
        return cells_of(PREVALENCES)

    def draw(
        self, cell: Cell, rng: np.random.Generator, repeats: int
    ) -> Iterator[tuple[Rows, int]]:
        """Test sets, each drawn once."""
        right = _outcomes(cell)
        share = np.array([1 - float(cell.kind), float(cell.kind)])
        drawn = rng.multinomial(cell.n, np.outer(share, right).ravel(), size=repeats)
        outcome = np.tile(np.arange(4), 2)
        for counts in drawn:
            group = np.repeat(np.arange(8), counts)
            positive, kind = group >= 4, outcome[group]
            yield self._rows(positive, kind, rng), 1

    def _rows(
        self, positive: NDArray[np.bool_], kind: NDArray[np.int64], rng: np.random.Generator
    ) -> Rows:
        first = rng.random(kind.size)
        base = _margin(first, kind % 2 == 0)
        changed = (kind == 1) | (kind == 2)
        head = base.copy()
        if self.retrained:
            noise = rng.normal(size=kind.size)
            second = ndtr(CORRELATION * ndtri(first) + np.sqrt(1 - CORRELATION**2) * noise)
            head = _margin(second, kind < 2)
        head[changed] = _margin(rng.random(int(changed.sum())), kind[changed] < 2)
        sign = np.where(positive, 1.0, -1.0)
        return Rows(label=positive, base=sign * base, head=sign * head)

    def discordant(self, cell: Cell, *, labels: str) -> float:
        """Discordant rows to expect in the rarest label that is used."""
        rarest = min(float(cell.kind), 1 - float(cell.kind))
        share = {"all": 1.0, "positives": float(cell.kind), "each": rarest}[labels]
        return cell.n * share * cell.discordance


def _outcomes(cell: Cell) -> Vector:
    """Probabilities of: both right, only the head, only the base, neither."""
    won = cell.discordance * cell.won
    lost = cell.discordance - won
    return np.array([ACCURACY - lost, won, lost, 1 - ACCURACY - won])


def _margin(uniform: Vector, right: NDArray[np.bool_]) -> Vector:
    """The margin at a quantile among the right, or among the wrong, rows."""
    wrong = 1 - ACCURACY
    margin: Vector = MEAN + ndtri(np.where(right, wrong + ACCURACY * uniform, wrong * uniform))
    return margin


def probability(score: Vector) -> Vector:
    """The predicted probability of the positive class."""
    found: Vector = expit(2 * MEAN * score)
    return found


def expected(of_margin: Callable[[Vector], Vector]) -> Callable[[Cell], float]:
    """Head's mean less base's of a function of the margin."""
    right, wrong = (float(weights @ of_margin(x)) for x, weights in (_RIGHT, _WRONG))

    def difference(cell: Cell) -> float:
        return cell.discordance * (2 * cell.won - 1) * (right - wrong)

    return difference


def area_under_roc(cell: Cell) -> float:
    """Head's area under the ROC curve less the base's, by quadrature."""
    areas = []
    for accuracy in _accuracies(cell):
        x, weights = _margins(accuracy)
        # A negative scores below x with the probability that its margin is above −x.
        areas.append(float(weights @ (1 - _below(-x, accuracy))))
    return areas[1] - areas[0]


def average_precision(cell: Cell) -> float:
    """Head's population average precision less the base's, by quadrature."""
    found = []
    for accuracy in _accuracies(cell):
        x, weights = _margins(accuracy)
        hits = float(cell.kind) * (1 - _below(x, accuracy))
        alarms = (1 - float(cell.kind)) * _below(-x, accuracy)
        found.append(float(weights @ (hits / (hits + alarms))))
    return found[1] - found[0]


def calibration_error(cell: Cell) -> float:
    """Base's expected calibration error less the head's, over ten bins of equal width."""
    errors = []
    score = np.linspace(-12, 12, 400_001)
    middle = (score[1:] + score[:-1]) / 2
    bins = np.minimum((10 * probability(middle)).astype(np.int64), 9)
    for accuracy in _accuracies(cell):
        positive = float(cell.kind) * np.diff(_below(score, accuracy))
        negative = (1 - float(cell.kind)) * np.diff(1 - _below(-score, accuracy))
        apart = probability(middle) * (positive + negative) - positive
        errors.append(np.abs(np.bincount(bins, weights=apart, minlength=10)).sum())
    return float(errors[0] - errors[1])


def _accuracies(cell: Cell) -> tuple[float, float]:
    return ACCURACY, ACCURACY + cell.discordance * (2 * cell.won - 1)


def _below(x: Vector, accuracy: float) -> Vector:
    """Distribution function of the margin of a side with this accuracy."""
    wrong = np.minimum(ndtr(x - MEAN), 1 - ACCURACY) / (1 - ACCURACY)
    right = np.maximum(ndtr(x - MEAN) - (1 - ACCURACY), 0) / ACCURACY
    found: Vector = (1 - accuracy) * wrong + accuracy * right
    return found


def _nodes(low: float, high: float, mass: float) -> tuple[Vector, Vector]:
    x, weights = np.polynomial.legendre.leggauss(400)
    x = low + (high - low) * (x + 1) / 2
    density = np.exp(-((x - MEAN) ** 2) / 2) / np.sqrt(2 * np.pi)
    return x, weights * (high - low) / 2 * density / mass


_RIGHT = _nodes(0.0, MEAN + 9, ACCURACY)
_WRONG = _nodes(MEAN - 9, 0.0, 1 - ACCURACY)


def _margins(accuracy: float) -> tuple[Vector, Vector]:
    x = np.concatenate([_WRONG[0], _RIGHT[0]])
    return x, np.concatenate([(1 - accuracy) * _WRONG[1], accuracy * _RIGHT[1]])
