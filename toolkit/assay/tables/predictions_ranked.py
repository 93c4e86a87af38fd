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

from assay.tables.ascending import ascending
from assay.tables.moments_arrays import moments_by_segment
from assay.tables.predictions import Pairs
from assay.tables.predictions_counts import slice_name
from assay.tables.predictions_moments import Basis, Moments
from assay.tables.predictions_placements import Placements

SIDES = ("base", "head")
MOST_ROWS = 16_000_000
"""Rows that are ranked in memory, at some 60 bytes each; beyond, in bands (predictions_bands)."""
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
    hits: dict[str, Flags]
    """Whether a row is positive, in each side's order."""
    tied: dict[str, NDArray[np.int32] | None]
    """The number of each row's run of equal scores, in that order; None where none are equal."""
    codes: tuple[Wholes, ...]
    """Of each group of ``pairs.slices``; −1 where a row is in no slice."""


def ranked(pairs: Pairs) -> Ranked | None:
    """Read the scores of ``pairs`` and rank them; None for more than MOST_ROWS.

    None, too, where the rows are on other machines: the engine's own windows rank there.
    """
    if pairs.joined.rows > MOST_ROWS or not pairs.engine.has_order:
        return None
    keys = "".join(f", COALESCE({group.key}, -1) AS {group.key}" for group in pairs.slices)
    found = pairs.engine.arrays(f"SELECT label = 1 AS label, base_p, head_p{keys} FROM paired")
    scores = {side: found[f"{side}_p"] for side in SIDES}
    with ThreadPoolExecutor(2) as pool:
        ordered = dict(zip(SIDES, pool.map(ascending, scores.values()), strict=True))
        orders = {side: order for side, (order, _) in ordered.items()}
        tied = pool.map(lambda side: _tied(ordered[side][1]), SIDES)
        hits = pool.map(lambda side: found["label"][orders[side]], SIDES)
    return Ranked(
        pairs=pairs,
        positive=found["label"],
        scores=scores,
        orders=orders,
        hits=dict(zip(SIDES, hits, strict=True)),
        tied=dict(zip(SIDES, tied, strict=True)),
        codes=tuple(found[group.key] for group in pairs.slices),
    )


def _tied(ends: Flags) -> NDArray[np.int32] | None:
    """The number of each row's run, from where the runs end."""
    return None if ends.all() else np.cumsum(np.append(True, ends[:-1]), dtype=np.int32)


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
    hit = np.cumsum(rows.hits[side][::-1])
    missed = np.arange(1, len(hit) + 1) - hit
    tied = rows.tied[side]
    if tied is not None:
        runs = tied[::-1]
        last = np.append(runs[1:] != runs[:-1], True)
        hit, missed = hit[last], missed[last]
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
        order, positive, tied = rows.orders[side], rows.hits[side], rows.tied[side]
        if self.number is not None:
            listed = self.number[order]
            turn = np.argsort(listed, kind="stable")[np.count_nonzero(listed < 0) :]
            order, positive = order[turn], positive[turn]
            tied = None if tied is None else tied[turn]
        hits = np.cumsum(positive, dtype=np.int32)
        misses = np.arange(1, len(hits) + 1, dtype=np.int32) - hits
        ends = np.cumsum(self.positives + self.negatives)
        twice = 2 * np.where(positive, misses, hits)
        if tied is not None:
            # Less those of the other class within the run of equal scores, which count half.
            new = np.append(True, tied[1:] != tied[:-1])
            new[ends[:-1]] = True
            first = np.flatnonzero(new)
            last = np.append(first[1:], len(hits)) - 1
            runs = last - first + 1
            up, down = (np.diff(each[last], prepend=0) for each in (hits, misses))
            twice = np.where(
                positive,
                np.repeat(2 * misses[last] - down, runs),
                np.repeat(2 * hits[last] - up, runs),
            )
        result = np.empty(len(rows.positive))
        result[order] = self._shares(twice, positive)
        return result

    def _shares(self, twice: NDArray[Any], positive: Flags) -> Reals:
        """Placements from twice the rows of the other class that lie below, over all slices."""
        if self.number is None:
            downs, ups = (max(1, int(each[0])) for each in (self.negatives, self.positives))
            share = twice / np.where(positive, 2 * downs, 2 * ups)
        else:
            rows = self.positives + self.negatives
            for flag, each in ((True, self.negatives), (False, self.positives)):
                before = np.repeat((2 * (np.cumsum(each) - each)).astype(np.int32), rows)
                total = np.repeat(np.maximum(2 * each, 1).astype(np.int32), rows)
                if flag:
                    skipped, totals = before, total
            share = (twice - np.where(positive, skipped, before)) / np.where(
                positive, totals, total
            )
        result: Reals = np.where(positive, share, 1 - share)
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
