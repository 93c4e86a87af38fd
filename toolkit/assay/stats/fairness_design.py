"""Gaps between groups of rows that are clustered, stratified or weighted.

A group's rate is a ratio of weighted sums (Hájek's), so a row of the group moves it by
wᵢ·(xᵢ − rate) / Σw. These contributions are summed over each cluster and centred within strata;
their products give the covariances of all rates of both sides, between groups as well, because a
cluster may have rows of several. What a group's rows tell is as much as n* independent ones do,
n* = (Σw)² / Σw² over the design effect (Kish 1965; Korn and Graubard 1998, Survey Methodology 24),
and z² pseudo-rows are added to those as they are to counts (Outcomes.standard_error).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from assay.stats.design import FEWEST_CLUSTERS, Codes, Design, Units
from assay.stats.estimate import (
    FEWEST_ROWS,
    RELATIVE_TO_NOTHING,
    Contrast,
    Estimate,
    undefined,
)
from assay.stats.fairness import GroupRate, wilson
from assay.stats.gaps import BASE, HEAD, Array, Errors, change_of_gap

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


def designed_group_rates(
    members: Members, design: Design, *, confidence: float = 0.95
) -> list[GroupRate]:
    """Each group's weighted rates, with Wilson's interval of n* rows; see fairness.group_rates."""
    present = members.of(np.bincount(members.group + 1, minlength=len(members.names) + 1)[1:] > 0)
    if not present.names:
        return []
    found = _Rates(present, design)
    return [
        GroupRate(
            group=name,
            n=int(found.rows[place]),
            base=float(found.rates[BASE, place]),
            head=float(found.rates[HEAD, place]),
            interval=wilson(
                float(found.rates[HEAD, place] * found.independent[place]),
                float(found.independent[place]),
                confidence=confidence,
            ),
            judged=bool(found.kish[place] >= FEWEST_ROWS),
        )
        for place, name in enumerate(present.names)
    ]


def designed_gap_difference(
    members: Members,
    design: Design,
    *,
    n: int,
    confidence: float = 0.95,
    base_weight: float = 1.0,
    identical: bool = False,
) -> Estimate:
    """Compare the gap of a rate over groups of rows that were drawn as `design` says.

    Groups of fewer than 30 effective rows take no part. `n` and `base_weight` are those of
    fairness.gap_difference.
    """
    enough = _effective_rows(members, design.weight) >= FEWEST_ROWS
    if np.count_nonzero(enough) < 2:
        rows = "rows" if design.weights is None else "effective rows"
        reason = f"fewer than two groups have {FEWEST_ROWS} {rows}"
        return undefined(n, reason, base_weight=base_weight)
    found = _Rates(members.of(enough), design)
    base, head = found.rates
    contrast = Contrast(
        n=n,
        base=float(np.ptp(base)),
        head=float(np.ptp(head)),
        base_weight=base_weight,
        greater_is_better=False,
        lowest=0.0,
        highest=1.0,
    )
    if identical:
        return contrast.identical(confidence)
    if contrast.relative_to_nothing():
        return contrast.refused(RELATIVE_TO_NOTHING)
    regime, scale = found.too_little()
    if regime is not None:
        return contrast.refused(regime, rows_to_judge=math.ceil(n * scale))
    return change_of_gap(contrast, base, head, _Errors(found, base_weight), confidence)


def _effective_rows(members: Members, weights: Array) -> Array:
    """Kish's effective number of rows of each group; 0 where it has none."""
    size = len(members.names) + 1
    total, squares = (
        np.bincount(members.group + 1, weights=each, minlength=size)[1:]
        for each in (weights, weights**2)
    )
    found: Array = np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0)
    return found


class _Rates:
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
        self.kish = _effective_rows(members, design.weight)
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
        wider = np.tile(np.sqrt(np.maximum(1.0, own * max(size - 1, 1) / size)), 2)
        result: Array = (found * np.outer(wider, wider)).reshape(2, self.size, 2, self.size)
        return result

    def _products(self, codes: Codes, factors: Array) -> Array:
        """Σ factor·S·Sᵀ over the codes, S the contributions' sums by side and group."""
        order = np.argsort(codes, kind="stable")
        codes, group = codes[order], self._group[order]
        values, width = self._contributions[:, order], 2 * self.size
        total = np.zeros((width, width))
        step = max(1, _BLOCK // width)
        for start in range(0, factors.size, step):
            part = slice(*np.searchsorted(codes, (start, start + step)).tolist())
            count = min(step, factors.size - start)
            place = (codes[part] - start) * width + group[part]
            sums = np.bincount(
                np.concatenate([place, place + self.size]),
                weights=values[:, part].ravel(),
                minlength=count * width,
            ).reshape(count, width)
            total += sums.T @ (factors[start : start + count, None] * sums)
        return total

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


class _Errors(Errors):
    """From the covariances of the groups' rates."""

    def __init__(self, found: _Rates, base_weight: float) -> None:
        self._found = found
        self.weight = base_weight
        self.freedom = found.freedom
        self._kept: dict[tuple[float, int, int], Array] = {}

    def squares(self, z: float, head: float, base: float) -> Array:
        """Squared error of head·(head's rate) + base·(base's rate), for every group."""
        rows = self._found.effective
        by = np.array([base, head])
        raw = np.einsum("s,t,sgtg->g", by, by, self._found.covariance)
        mean = by @ self._found.rates
        # Half of the pseudo-rows are positive on the head alone and half on the base alone; where
        # a sum of both rates is asked for, on both sides and on none.
        square = (head**2 + base**2) / 2 + max(0.0, head * base)
        every = rows + z**2
        centre = (rows * mean + z**2 * (head + base) / 2) / every
        within = (rows**2 * raw + rows * mean**2 + z**2 * square) / every
        found: Array = np.maximum(0.0, within - centre**2) / every
        return found

    def covariance(self, z: float, one: int, other: int) -> Array:
        """Covariances of one side's rates with the other's, between different groups."""
        key = (z, one, other)
        if key not in self._kept:
            rows = self._found.effective
            share = rows / (rows + z**2)
            found = self._found.covariance[one, :, other, :] * np.outer(share, share)
            np.fill_diagonal(found, 0.0)
            self._kept[key] = found
        return self._kept[key]
