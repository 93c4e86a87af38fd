"""Worlds that are drawn as counts: predicted classes, scores of zeros and ones, and grades."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from assay.stats.cells import PairedCells
from assay.stats.classification import compare_cells
from assay.stats.estimate import Estimate
from assay.stats.moments import JointMoments, monomials
from honesty.grid import ACCURACY, PREVALENCES, Cell, Metric, cells_of
from honesty.regimes import Cells
from honesty.vectorised import intervals

Counts = NDArray[np.int64]


def distinct(tables: Counts) -> Iterator[tuple[Counts, int]]:
    """Each table once, with how often it came."""
    found, times = np.unique(tables, axis=0, return_counts=True)
    yield from zip(found, times.tolist(), strict=True)


@dataclass(frozen=True)
class Classes:
    """Two classifiers of accuracy ACCURACY; the rarest of the classes has the prevalence."""

    name: str
    classes: int

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every prevalence."""
        return cells_of(PREVALENCES)

    def regime(self, cell: Cell) -> Cells:
        """The joint probabilities of a cell; the last class is the positive."""
        rare = float(cell.kind)
        rest = (1 - rare) / (self.classes - 1)
        return Cells(
            n=cell.n,
            shares=(*[rest] * (self.classes - 1), rare),
            discordant=cell.discordance,
            won=cell.won,
            accuracy=ACCURACY,
        )

    def tables(self, cell: Cell, rng: np.random.Generator, repeats: int) -> Counts:
        """Joint counts of label and predictions, shape (repeats, K, K, K)."""
        shares = self.regime(cell).probabilities()
        return rng.multinomial(cell.n, shares.ravel(), size=repeats).reshape(-1, *shares.shape)

    def draw(
        self, cell: Cell, rng: np.random.Generator, repeats: int
    ) -> Iterator[tuple[PairedCells, int]]:
        """Joint counts of label and predictions, for the engine."""
        for table, times in distinct(self.tables(cell, rng, repeats)):
            yield PairedCells.from_dense(table), times

    def discordant(self, cell: Cell, *, labels: str) -> float:
        """Discordant rows to expect in the rarest label that is used."""
        shares = self.regime(cell).shares
        share = {"all": 1.0, "positives": shares[-1], "each": min(shares)}[labels]
        return cell.n * share * cell.discordance


@dataclass(frozen=True)
class ZeroOne:
    """A score of zeros and ones per row, without labels; the kind is the base's mean."""

    name: str = "0/1 score"

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The means that leave room for what the head wins."""
        return tuple(
            cell
            for cell in cells_of(tuple(1 - p for p in PREVALENCES))
            if cell.discordance * cell.won <= 1 - float(cell.kind)
        )

    def draw(
        self, cell: Cell, rng: np.random.Generator, repeats: int
    ) -> Iterator[tuple[JointMoments, int]]:
        """Moments of (base, head − base)."""
        won = cell.discordance * cell.won
        lost = cell.discordance - won
        ones = float(cell.kind)
        table = np.array([[1 - ones - won, won], [lost, ones - lost]])
        yield from _moments(rng, cell, table, np.array([0.0, 1.0]), repeats)

    def discordant(self, cell: Cell, *, labels: str) -> float:
        """Discordant rows to expect."""
        assert labels == "all"
        return cell.n * cell.discordance


@dataclass(frozen=True)
class Grades:
    """Grades from 1 to 5, as a judge gives them; the kind is the share of grades below 5.

    A changed row has two different grades, drawn from the same distribution; the better one is
    the head's where the head wins.
    """

    name: str = "grades"

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every share."""
        return cells_of(PREVALENCES)

    def table(self, cell: Cell) -> NDArray[np.float64]:
        """Probabilities of (base grade, head grade), shape (5, 5)."""
        below = float(cell.kind)
        shares = np.array([0.1 * below, 0.15 * below, 0.25 * below, 0.5 * below, 1 - below])
        pairs = np.triu(np.outer(shares, shares), 1)
        pairs = pairs / pairs.sum()
        changed = cell.won * pairs + (1 - cell.won) * pairs.T
        return (1 - cell.discordance) * np.diag(shares) + cell.discordance * changed

    def truth(self, cell: Cell) -> float:
        """Mean grade of the head less that of the base."""
        grades = np.arange(1, 6)
        return float(np.sum(self.table(cell) * (grades - grades[:, None])))

    def draw(
        self, cell: Cell, rng: np.random.Generator, repeats: int
    ) -> Iterator[tuple[JointMoments, int]]:
        """Moments of (base, head − base)."""
        yield from _moments(rng, cell, self.table(cell), np.arange(1.0, 6.0), repeats)

    def discordant(self, cell: Cell, *, labels: str) -> float:
        """Discordant rows to expect."""
        assert labels == "all"
        return cell.n * cell.discordance


def _moments(
    rng: np.random.Generator,
    cell: Cell,
    table: NDArray[np.float64],
    values: NDArray[np.float64],
    repeats: int,
) -> Iterator[tuple[JointMoments, int]]:
    """Moments of a table's rows, by one product for each distinct table."""
    base, head = np.meshgrid(values, values, indexing="ij")
    shifts = (float((table * base).sum()), float((table * (head - base)).sum()))
    left, change = (base - shifts[0]).ravel(), (head - base - shifts[1]).ravel()
    exponents = monomials(2)
    powers = np.stack([left**i * change**j for i, j in exponents])
    moved = (base != head).ravel()
    for flat, times in distinct(rng.multinomial(cell.n, table.ravel(), size=repeats)):
        sums = dict(zip(exponents, (powers @ flat).tolist(), strict=True))
        yield (
            JointMoments(n=cell.n, shifts=shifts, sums=sums, changed=int(flat[moved].sum())),
            times,
        )


def of_classes(world: Classes, metric: str, average: str, labels: str) -> Metric:
    """A metric from joint counts, whose truth is its value on a test set without rounding."""

    def estimate(cells: PairedCells) -> Estimate:
        return compare_cells(cells, metric, average=average, positive=world.classes - 1)

    return Metric(
        world=world,
        estimate=estimate,
        truth=lambda cell: world.regime(cell).truth(estimate),
        labels=labels,
        of_tables=lambda tables: intervals(tables, metric, average, world.classes - 1),
    )
