"""The grid that coverage is asked on: which cells there are, and what each promises."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from assay.stats.estimate import Estimate
from honesty.vectorised import Intervals

ROWS = (200, 1_000, 10_000)
PREVALENCES = (0.5, 0.1, 0.02)
DISCORDANCES = (0.001, 0.01, 0.06, 0.2)
WON = (0.5, 0.25, 0.05, 0.0)
ACCURACY = 0.85
"""Of the base, in every label."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One kind of test set.

    `discordance` of the rows of every label are right on one side only (regression: predicted
    differently), and the head wins the share `won` of them.
    """

    n: int
    kind: float | str
    """The prevalence of the positive, or of the rarest class; for regression the errors' law."""
    discordance: float
    won: float

    def __str__(self) -> str:
        """As the tables name it."""
        kind = self.kind if isinstance(self.kind, str) else f"{100 * self.kind:g} %"
        return (
            f"{self.n:,} rows, {kind}, {100 * self.discordance:g} % discordant, "
            f"{100 * self.won:g} % won"
        )


def cells_of(kinds: Sequence[float | str]) -> tuple[Cell, ...]:
    """Every cell for these kinds of test set."""
    return tuple(
        Cell(n=n, kind=kind, discordance=discordance, won=won)
        for n, kind, discordance, won in itertools.product(ROWS, kinds, DISCORDANCES, WON)
    )


class World(Protocol):
    """Where test sets come from. Metrics of one world are asked about the same test sets."""

    name: str
    cells: tuple[Cell, ...]

    def draw(self, cell: Cell, rng: np.random.Generator, repeats: int) -> Iterator[tuple[Any, int]]:
        """Distinct test sets of one cell, each with the number of times it was drawn."""
        ...

    def discordant(self, cell: Cell, *, labels: str) -> float:
        """Discordant rows to expect in the rarest label: of "all" rows, "positives", "each"."""
        ...


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric in a world, with the difference that is true in a cell."""

    world: World
    estimate: Callable[[Any], Estimate]
    truth: Callable[[Cell], float]
    labels: str = "all"
    """Whose discordant rows the metric uses, as `World.discordant` names them."""
    of_tables: Callable[[NDArray[np.int64]], Intervals] | None = None
    """The intervals of many tables of counts at once, where the world draws such tables."""
    outside: Callable[[Cell], str | None] = lambda _: None
    """Why nothing is promised in a cell, where that is so."""
