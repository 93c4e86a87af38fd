"""Rankings of ten items with one relevant: the unit is the query.

The relevant item stands at place 1 to 10 with probabilities that fall from place to place by a
factor that depends on the kind of ranking. On a discordant query the sides put it at two different
places, and the head at the better one where it wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from honesty.grid import Cell, cells_of

PLACES = np.arange(1, 11)
FALLS = {"found early": 0.5, "found late": 0.9}
"""How much less likely each place is than the one before."""
VALUES: dict[str, Callable[[NDArray[np.int64]], NDArray[np.float64]]] = {
    "NDCG": lambda place: 1 / np.log2(1 + place),
    "reciprocal rank": lambda place: 1 / place,
    "hit rate at 3": lambda place: (place <= 3).astype(np.float64),
}
"""What a query scores by the place of its relevant item; the ideal ranking scores 1."""


@dataclass(frozen=True)
class Places:
    """One test set: the relevant item's place on either side, arrays of shape (queries,)."""

    base: NDArray[np.int64]
    head: NDArray[np.int64]


@dataclass(frozen=True)
class Ranked:
    """Two rankings of the same queries, of which a share differ."""

    name: str = "rankings"

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Both kinds."""
        return cells_of(tuple(FALLS))

    def draw(
        self, cell: Cell, rng: np.random.Generator, repeats: int
    ) -> Iterator[tuple[Places, int]]:
        """Test sets, each drawn once."""
        places = _probabilities(cell)
        pairs = _pairs(cell)
        for _ in range(repeats):
            base = rng.choice(PLACES, size=cell.n, p=places)
            head = base.copy()
            changed = int(rng.binomial(cell.n, cell.discordance))
            won = int(rng.binomial(changed, cell.won))
            drawn = rng.choice(pairs.size, size=changed, p=pairs.ravel())
            better, worse = PLACES[drawn // len(PLACES)], PLACES[drawn % len(PLACES)]
            base[:won], head[:won] = worse[:won], better[:won]
            base[won:changed], head[won:changed] = better[won:], worse[won:]
            yield Places(base=base, head=head), 1

    def discordant(self, cell: Cell, *, labels: str) -> float:
        """Changed queries to expect."""
        assert labels == "all"
        return cell.n * cell.discordance


def _probabilities(cell: Cell) -> NDArray[np.float64]:
    weights = FALLS[str(cell.kind)] ** PLACES.astype(np.float64)
    found: NDArray[np.float64] = weights / weights.sum()
    return found


def _pairs(cell: Cell) -> NDArray[np.float64]:
    """Probability of (better place, worse place) on a discordant query, shape (10, 10)."""
    places = _probabilities(cell)
    both = np.triu(np.outer(places, places), 1)
    found: NDArray[np.float64] = both / both.sum()
    return found


def truth_of(name: str) -> Callable[[Cell], float]:
    """The true difference of a value of VALUES."""
    value = VALUES[name](PLACES)

    def truth(cell: Cell) -> float:
        gap = float((_pairs(cell) * (value[:, None] - value[None, :])).sum())
        return cell.discordance * (2 * cell.won - 1) * gap

    return truth
