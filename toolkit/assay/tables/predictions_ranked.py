"""Scores of a binary comparison as arrays, ranked once for the ROC AUC and its curve.

The sums are those that tables/predictions_placements.py asks of the engine, to the last bit; a
sort of plain arrays takes a tenth of the time of the engine's windows.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from assay.tables.moments_arrays import moments_by_segment
from assay.tables.predictions import Pairs
from assay.tables.predictions_counts import slice_name
from assay.tables.predictions_moments import Basis, Moments
from assay.tables.predictions_placements import Placements

SIDES = ("base", "head")
MOST_ROWS = 16_000_000
"""Rows that are ranked in memory, at some 60 bytes each; beyond, the engine ranks and spills."""
Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]
Wholes = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """Label and scores of every row, and the order of each side's scores, ascending."""

    pairs: Pairs
    positive: Flags
    scores: dict[str, Reals]
    orders: dict[str, Wholes]
    codes: tuple[Wholes, ...]
    """Of each group of ``pairs.slices``; −1 where a row is in no slice."""


def ranked(pairs: Pairs) -> Ranked | None:
    """Read the scores of ``pairs`` and rank them; None for more than MOST_ROWS."""
    if pairs.joined.rows > MOST_ROWS:
        return None
    keys = "".join(f", COALESCE({group.key}, -1) AS {group.key}" for group in pairs.slices)
    found = pairs.engine.arrays(f"SELECT label = 1 AS label, base_p, head_p{keys} FROM paired")
    scores = {side: found[f"{side}_p"] for side in SIDES}
    with ThreadPoolExecutor(2) as pool:
        orders = dict(zip(SIDES, pool.map(np.argsort, scores.values()), strict=True))
    return Ranked(
        pairs=pairs,
        positive=found["label"],
        scores=scores,
        orders=orders,
        codes=tuple(found[group.key] for group in pairs.slices),
    )


def ranked_placements(rows: Ranked, basis: Basis) -> dict[str, Placements]:
    """Return the placements' moments for all rows and each slice.

    The same as placement_moments of tables/predictions_placements.py has from the engine.
    """
    result: dict[str, Placements] = {}
    with ThreadPoolExecutor(2) as pool:
        for place in range(-1, len(rows.codes)):
            divided = _Divided.of(rows, place)
            placed = list(pool.map(lambda side, by=divided: by.placed(rows, side), SIDES))
            parts = list(
                pool.map(
                    lambda label, by=divided, u=placed: by.moments(rows, label, u, basis),
                    (True, False),
                )
            )
            for number in sorted(parts[0]):
                if place < 0 or number in rows.pairs.slices[place].codes:
                    result[slice_name(rows.pairs, place, number)] = Placements(
                        positives=parts[0][number], negatives=parts[1][number]
                    )
    return result


def ranked_roc_points(
    rows: Ranked, side: str, most: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the curve that roc_points of tables/predictions_counts.py has from the engine."""
    positives = int(np.count_nonzero(rows.positive))
    negatives = len(rows.positive) - positives
    if not positives or not negatives:
        return (), ()
    steps = (most - 1) // 2
    falling = rows.orders[side][::-1]
    scores = rows.scores[side][falling]
    last = np.append(np.flatnonzero(scores[1:] != scores[:-1]), len(scores) - 1)
    hit = np.cumsum(rows.positive[falling])[last]
    missed = last + 1 - hit
    up, along = hit * steps // positives, missed * steps // negatives
    kept = (np.diff(up, prepend=0) != 0) | (np.diff(along, prepend=0) != 0)
    return (
        (0.0, *(missed[kept] / negatives).tolist()),
        (0.0, *(hit[kept] / positives).tolist()),
    )


@dataclass(frozen=True, kw_only=True)
class _Divided:
    """The rows by one group's slices: ``number`` counts the slices that hold any row."""

    codes: Wholes
    """The code of each number."""
    number: NDArray[np.int16] | NDArray[np.int32] | None
    """Of every row, −1 for none; None where all rows are one slice."""
    positives: Wholes
    negatives: Wholes
    """Rows of each number."""

    @classmethod
    def of(cls, rows: Ranked, place: int) -> Self:
        positive = rows.positive
        if place < 0:
            counts = np.array([np.count_nonzero(positive)])
            codes = np.array([-1])
            return cls(codes=codes, number=None, positives=counts, negatives=len(positive) - counts)
        found, number = _numbered(rows.codes[place])
        inside = number >= 0
        counts = np.bincount(number[inside], minlength=len(found))
        hits = np.bincount(number[inside & positive], minlength=len(found))
        return cls(codes=found, number=number, positives=hits, negatives=counts - hits)

    def placed(self, rows: Ranked, side: str) -> Reals:
        """Each row's placement in its slice; any number where its slice lacks the other class."""
        order = rows.orders[side]
        if self.number is not None:
            listed = self.number[order]
            order = order[np.argsort(listed, kind="stable")]
            order = order[np.count_nonzero(listed < 0) :]
        scores, positive = rows.scores[side][order], rows.positive[order]
        new = np.ones(len(order), dtype=bool)
        new[1:] = scores[1:] != scores[:-1]
        if self.number is not None:
            new[np.cumsum(self.positives + self.negatives)[:-1]] = True
        first = np.flatnonzero(new)
        last = np.append(first[1:], len(order)) - 1
        hits = np.cumsum(positive)[last]
        misses = last + 1 - hits
        slices = np.zeros(1, int) if self.number is None else self.number[order[first]]
        above = _share(misses, self.negatives, slices)
        below = 1 - _share(hits, self.positives, slices)
        run = slice(None) if len(first) == len(order) else np.cumsum(new) - 1
        result = np.zeros(len(rows.positive))
        result[order] = np.where(positive, above[run], below[run])
        return result

    def moments(
        self, rows: Ranked, label: bool, placed: list[Reals], basis: Basis
    ) -> dict[int, Moments | None]:
        """Moments of one class's placements by the slices' codes, where both classes occur."""
        both = (self.positives > 0) & (self.negatives > 0)
        counts = (self.positives if label else self.negatives)[both]
        if not both.any():
            return {}
        wanted = rows.positive == label
        if self.number is None:
            picked = np.flatnonzero(wanted)
        else:
            known = np.append(both, False)[self.number]
            picked = np.flatnonzero(wanted & known)
            picked = picked[np.argsort(self.number[picked], kind="stable")]
        base, head = (each[picked] for each in placed)
        differs = rows.scores["base"][picked] != rows.scores["head"][picked]
        starts = np.cumsum(counts) - counts
        found = moments_by_segment((base, head - base), differs, starts, basis)
        return dict(zip(self.codes[both].tolist(), found, strict=True))


def _numbered(codes: Wholes) -> tuple[Wholes, NDArray[np.int16] | NDArray[np.int32]]:
    """The codes that occur, ascending and without −1, and each row's place among them."""
    top = int(codes.max(initial=-1))
    if top < len(codes):
        seen = np.bincount(codes + 1, minlength=top + 2)[1:] > 0
        found = np.flatnonzero(seen)
        places = np.append(np.cumsum(seen) - 1, -1)
    else:
        found, inverse = np.unique(codes, return_inverse=True)
        outside = int(found[0] < 0)
        return found[outside:], (inverse - outside).astype(np.int32)
    if len(found) < 1 << 15:
        return found, places.astype(np.int16)[codes]
    return found, places.astype(np.int32)[codes]


def _share(counted: Wholes, totals: Wholes, slices: NDArray[Any]) -> Reals:
    """The share of a class below each run of equal scores, ties counted half.

    ``counted`` holds the class's rows up to and with each run, over all slices; ``totals`` those
    of each slice, whose number is ``slices``.
    """
    here = np.diff(counted, prepend=0)
    before = np.cumsum(totals) - totals
    total = np.maximum(2 * totals, 1)[slices]
    share: Reals = (2 * (counted - before[slices]) - here) / total
    return share
