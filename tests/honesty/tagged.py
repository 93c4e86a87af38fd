"""Sets of labels: three labels, of which the last is as rare as the cell's prevalence.

A row's true set holds each label by itself. A side is right on a row (it predicts the true set) or
puts one label, any of the three, in or out by mistake; discordant rows are right on one side only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from honesty.grid import ACCURACY, PREVALENCES, Cell, cells_of

Marks = NDArray[np.bool_]
NAMES = np.array(["a", "b", "c"], dtype=object)
COMMON = (0.5, 0.3)
"""Prevalences of the labels that are not rare."""
_BELOW = {"precision": (0.0, 1.0), "recall": (1.0, 0.0), "f1": (0.5, 0.5)}
"""What hits are divided by: this much of the true and of the predicted labels."""


@dataclass(frozen=True)
class Sets:
    """One test set: a list of labels for each row, true and of either side."""

    true: list[NDArray[np.object_]]
    base: list[NDArray[np.object_]]
    head: list[NDArray[np.object_]]


@dataclass(frozen=True)
class Tagged:
    """Two taggers of the same rows, of which a share differ."""

    name: str = "label sets"

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every prevalence."""
        return cells_of(PREVALENCES)

    def draw(
        self, cell: Cell, rng: np.random.Generator, repeats: int
    ) -> Iterator[tuple[Sets, int]]:
        """Test sets, each drawn once."""
        won = cell.discordance * cell.won
        lost = cell.discordance - won
        outcomes = [ACCURACY - lost, won, lost, 1 - ACCURACY - won]
        for _ in range(repeats):
            true = rng.random((cell.n, 3)) < _shares(cell)
            kind = rng.choice(4, size=cell.n, p=outcomes)
            mistake = np.eye(3, dtype=bool)[rng.integers(3, size=cell.n)]
            base = true ^ (mistake & (kind % 2 == 1)[:, None])
            head = true ^ (mistake & (kind >= 2)[:, None])
            yield Sets(*(_sets(marks) for marks in (true, base, head))), 1

    def discordant(self, cell: Cell, *, labels: str) -> float:
        """Discordant rows to expect that touch the rarest label."""
        assert labels == "each"
        return cell.n * cell.discordance * min(float(cell.kind), 1 - float(cell.kind)) / 3


def _shares(cell: Cell) -> NDArray[np.float64]:
    return np.array([*COMMON, float(cell.kind)])


def _sets(marks: Marks) -> list[NDArray[np.object_]]:
    known = [NAMES[[bool(code & bit) for bit in (1, 2, 4)]] for code in range(8)]
    return [known[code] for code in marks @ np.array([1, 2, 4])]


def truth_of(metric: str, average: str) -> Callable[[Cell], float]:
    """The true difference of precision, recall or f1 with this average."""

    def value(cell: Cell, accuracy: float) -> float:
        mistaken = (1 - accuracy) / 3
        positive = _shares(cell)
        hits = positive * (1 - mistaken)
        predicted = hits + (1 - positive) * mistaken
        if average == "micro":
            hits, positive, predicted = (x.sum(keepdims=True) for x in (hits, positive, predicted))
        of_true, of_predicted = _BELOW[metric]
        return float(np.mean(hits / (of_true * positive + of_predicted * predicted)))

    def truth(cell: Cell) -> float:
        return value(cell, ACCURACY + cell.discordance * (2 * cell.won - 1)) - value(cell, ACCURACY)

    return truth
