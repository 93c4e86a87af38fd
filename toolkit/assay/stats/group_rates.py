"""Weighted rates of groups of rows, and what rows that depend on each other tell of them.

A group's rate is a ratio of weighted sums (Hájek's), so a row of the group moves it by
wᵢ·(xᵢ − rate) / Σw. These contributions are summed over each cluster and centred within strata;
their products give the covariances of all rates of both sides, between groups as well, because a
cluster may have rows of several. What a group's rows tell is as much as n* independent ones do,
n* = (Σw)² / Σw² over the design effect (Kish 1965; Korn and Graubard 1998, Survey Methodology 24).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from assay.stats.design import FEWEST_CLUSTERS, Codes, Design, Units
from assay.stats.estimate import FEWEST_ROWS
from assay.stats.gaps import BASE, HEAD, Array

_BLOCK = 1 << 21
"""Sums of units and groups that are held at once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Members:
    """Rows and their groups: arrays of shape (n,).

    `group` numbers the group of `names`, and is −1 where a row counts in none. `base` and `head`
    say whether the side predicts the row as positive.
    """

    names: Sequence[str]
    group: Codes
    base: NDArray[np.bool_]
    head: NDArray[np.bool_]

    def of(self, kept: NDArray[np.bool_]) -> Members:
        """The same rows with some of the groups alone, of shape (groups,)."""
        places = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1)
        names = [name for name, keep in zip(self.names, kept, strict=True) if keep]
        return replace(self, names=names, group=places[self.group])


def effective_rows(members: Members, weights: Array) -> Array:
    """Kish's effective number of rows of each group; 0 where it has none."""
    size = len(members.names) + 1
    total, squares = (
        np.bincount(members.group + 1, weights=each, minlength=size)[1:]
        for each in (weights, weights**2)
    )
    found: Array = np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0)
    return found


class Rates:
    """Rates of groups that have rows, of shape (2, groups), and what they are known from."""

    def __init__(self, members: Members, design: Design) -> None:
        inside = members.group >= 0
        self.size = len(members.names)
        self._group = members.group[inside]
        weights = design.weight[inside]
        total = self._by_group(weights)
        said = np.stack([members.base[inside], members.head[inside]]).astype(np.float64)
        self.rates = np.stack([self._by_group(weights * side) / total for side in said])
        self.rows = np.bincount(self._group, minlength=self.size)
        self.kish = effective_rows(members, design.weight)
        shares = weights / total[self._group]
        self._contributions = shares * (said - self.rates[:, self._group])
        self._clustered = design.cluster is not None
        self._units = Units.of(design)
        self._unit = self._units.unit[inside]

    def _by_group(self, rows: Array) -> Array:
        return np.bincount(self._group, weights=rows, minlength=self.size).astype(np.float64)

    def _spread_over(self, codes: Codes) -> tuple[Codes, Codes]:
        """Each group's different units or strata: group and code, arrays of one length."""
        pairs = np.unique(codes * self.size + self._group)
        return pairs % self.size, pairs // self.size

    @cached_property
    def units(self) -> NDArray[np.int64]:
        """How many units each group has rows of."""
        group, _ = self._spread_over(self._unit)
        return np.bincount(group, minlength=self.size)

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the variance of the group with the fewest."""
        group, stratum = self._spread_over(self._units.stratum[self._unit])
        of_strata = np.bincount(self._units.stratum)[stratum] - 1
        within = np.bincount(group, weights=of_strata, minlength=self.size)
        return max(1, int(np.minimum(self.units - 1, within).min()))

    @cached_property
    def covariance(self) -> Array:
        """Of all rates, of shape (2, groups, 2, groups)."""
        counts = np.bincount(self._units.stratum)
        ratio = 1 / np.maximum(counts - 1, 1)
        stratum = self._units.stratum
        found = self._products(self._unit, (counts * ratio)[stratum])
        # Σ (s − s̄)² is Σ s² less the strata's totals squared, over their units.
        found -= self._products(stratum[self._unit], ratio)
        # A group of few units has a mean of its own in so few.
        own = self.units / np.maximum(self.units - 1, 1)
        size = self._units.size
        wider = np.sqrt(np.maximum(1.0, own * max(size - 1, 1) / size))
        result: Array = found * wider[:, None, None] * wider
        return result

    def _products(self, codes: Codes, factors: Array) -> Array:
        """Σ factor·S·Sᵀ over the codes, S the contributions' sums by side and group."""
        pairs, pair = np.unique(codes * self.size + self._group, return_inverse=True)
        code, group = pairs // self.size, pairs % self.size
        sums: Array = np.stack(
            [np.bincount(pair, weights=side).astype(np.float64) for side in self._contributions]
        )
        several = np.bincount(code, minlength=factors.size)[code] > 1
        total = self._products_of_many(code[several], group[several], sums[:, several], factors)
        # A unit of one group, as every row without a cluster, adds to that group alone.
        code, group, sums = code[~several], group[~several], sums[:, ~several]
        every = np.arange(self.size)
        for one, other in itertools.product((BASE, HEAD), repeat=2):
            by = factors[code] * sums[one] * sums[other]
            total[one, every, other, every] += np.bincount(group, weights=by, minlength=self.size)
        return total

    def _products_of_many(self, code: Codes, group: Codes, sums: Array, factors: Array) -> Array:
        """The same of units with rows of several groups, in blocks; codes ascend."""
        kept, place = np.unique(code, return_inverse=True)
        width = 2 * self.size
        total = np.zeros((width, width))
        step = max(1, _BLOCK // width)
        for start in range(0, kept.size, step):
            part = slice(*np.searchsorted(place, (start, start + step)).tolist())
            block = np.zeros((min(step, kept.size - start), 2, self.size))
            block[place[part] - start, :, group[part]] = sums[:, part].T
            flat = block.reshape(-1, width)
            total += flat.T @ (factors[kept[start : start + step], None] * flat)
        return total.reshape(2, self.size, 2, self.size)

    def _effect(self, by_base: float, by_head: float) -> Array:
        """Design effect of a combination of a group's two rates; 0 where its rows do not differ."""
        alone = self._by_group(
            (by_base * self._contributions[0] + by_head * self._contributions[1]) ** 2
        )
        diagonal = np.einsum("sgtg->stg", self.covariance)
        by = np.array([by_base, by_head])
        whole = np.einsum("s,t,stg->g", by, by, diagonal)
        found: Array = np.divide(whole, alone, out=np.zeros(self.size), where=alone > 0)
        return found

    @cached_property
    def independent(self) -> Array:
        """Independent rows that tell as much of a side's rate as the group's rows do."""
        effect = np.maximum(self._effect(1.0, 0.0), self._effect(0.0, 1.0))
        # Where all rows of a group are alike, rows of one unit may go together entirely.
        effect = np.where(effect > 0, effect, self.kish / self.units)
        found: Array = self.kish / np.maximum(1.0, effect)
        return found

    @cached_property
    def effective(self) -> Array:
        """Independent rows that tell as much of the rates and their change."""
        found: Array = np.minimum(
            self.independent, self.kish / np.maximum(1.0, self._effect(-1.0, 1.0))
        )
        return found

    def too_little(self) -> tuple[str | None, float]:
        """Why the groups' rows say too little, and how many times as many would do."""
        fewest = int(self.units.min())
        if self._clustered and fewest < FEWEST_CLUSTERS:
            where = "" if self._units.size < FEWEST_CLUSTERS else " in a group"
            return f"too few clusters{where}", FEWEST_CLUSTERS / fewest
        rows = float(self.independent.min())
        if rows < FEWEST_ROWS:
            return "too few independent rows in a group", FEWEST_ROWS / rows
        return None, 1.0
