"""The ROC AUC of more rows than fit into memory: scores in bands of value, each sorted by itself.

Every score is read once and written to its band's file with the number of its row. A band is a
range of values, so its rows rank above all rows of lower bands; sorting the bands one by one
ranks every row exactly. What stays in memory is one whole number per row and side.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock, local
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.tables.band_files import Bands, Flags, Points
from assay.tables.moments_arrays import Columns, moments_of_parts
from assay.tables.predictions import Pairs
from assay.tables.predictions_counts import ALL
from assay.tables.predictions_moments import Basis, Moments
from assay.tables.predictions_placements import Placements

_CHUNK = 1 << 21
"""Rows that are read at once."""
_MOST_ROWS = 1 << 31
"""What 32 bits hold, with one to spare."""
_BANDS = 128
_SAMPLE, _PIECES = 1 << 18, 64
"""Rows that choose the bands, from pieces spread over the file."""
_SIDES = ("base", "head")
_THREADS = 2


@dataclass(frozen=True, kw_only=True)
class Banded:
    """The ranked rows: ``twice[side]`` is twice the number of the other class's rows below each.

    Ties count once. ``roc`` are the places of each side's curve that are kept, as (rows of
    the negative, of the positive class) from the highest score down.
    """

    positive: Flags
    twice: dict[str, NDArray[np.uint32]]
    differs: Flags
    roc: dict[str, Points]

    def placements(self, basis: Basis) -> dict[str, Placements]:
        """Return the placements' moments over all rows; see predictions_placements."""
        hits = int(np.count_nonzero(self.positive))
        if not 0 < hits < len(self.positive):
            return {}
        with ThreadPoolExecutor(_THREADS) as pool:
            moments = pool.map(lambda label: self._moments(label, basis), (True, False))
            positives, negatives = moments
        return {ALL: Placements(positives=positives, negatives=negatives)}

    def roc_points(self, side: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the curve that predictions_counts.roc_points has from the engine."""
        hits = int(np.count_nonzero(self.positive))
        misses = len(self.positive) - hits
        if not hits or not misses:
            return (), ()
        points = self.roc[side]
        return (0.0, *(x / misses for x, _ in points)), (0.0, *(y / hits for _, y in points))

    def _moments(self, label: bool, basis: Basis) -> Moments | None:
        other = len(self.positive) - int(np.count_nonzero(self.positive == label))

        def parts() -> Iterator[tuple[Columns, Flags]]:
            for start in range(0, len(self.positive), _CHUNK):
                part = slice(start, start + _CHUNK)
                picked = np.flatnonzero(self.positive[part] == label)
                base, head = (
                    share if label else 1 - share
                    for share in (self.twice[side][part][picked] / (2 * other) for side in _SIDES)
                )
                yield (base, head - base), self.differs[part][picked]

        return moments_of_parts(parts, basis)


def banded(pairs: Pairs, most: int) -> Banded | None:
    """Rank all rows; None where slices are asked for, or rows cannot be read by their place.

    ``most`` is the number of points of a ROC curve.
    """
    rows = pairs.joined.rows
    if pairs.slices or pairs.select is None or rows >= _MOST_ROWS:
        return None
    read = _Reader(pairs=pairs)
    splits = _splits(read)
    bands = {
        side: Bands(side=side, splits=splits[side], folder=pairs.engine.scratch) for side in _SIDES
    }
    positive, differs = np.empty(rows, dtype=bool), np.empty(rows, dtype=bool)

    def scatter(start: int) -> None:
        part = range(start, min(start + _CHUNK, rows))
        found = read(part)
        here = slice(part.start, part.stop)
        positive[here] = found["positive"]
        differs[here] = found["base_p"] != found["head_p"]
        for side in _SIDES:
            bands[side].add(found[f"{side}_p"], part.start, positive[here])

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(scatter, range(0, rows, _CHUNK)))
        twice = {side: np.empty(rows, dtype=np.uint32) for side in _SIDES}
        roc: dict[str, Points] = {}
        for side in _SIDES:
            band = bands[side]
            ranked = list(
                pool.map(
                    lambda place, of=band, into=twice[side]: of.rank(place, into, most),
                    range(band.count),
                )
            )
            roc[side] = [point for part in reversed(ranked) for point in part]
    return Banded(positive=positive, twice=twice, differs=differs, roc=roc)


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """Reads labels and scores of a range of rows, in several threads."""

    pairs: Pairs
    own: local = field(default_factory=local)
    lock: Lock = field(default_factory=Lock)

    def __call__(self, rows: range) -> dict[str, NDArray[Any]]:
        select = self.pairs.select
        if select is None:
            raise ValueError("these rows have no place")
        query = f"SELECT label = 1 AS positive, base_p, head_p FROM ({select(rows)})"
        if self.pairs.own:
            with self.lock:
                return self.pairs.engine.arrays(query)
        if not hasattr(self.own, "engine"):
            self.own.engine = self.pairs.engine.beside()
        found: dict[str, NDArray[Any]] = self.own.engine.arrays(query)
        return found


def _splits(read: _Reader) -> dict[str, NDArray[np.float64]]:
    """Values that divide each side's scores into bands with few rows, or with one value."""
    rows, width = read.pairs.joined.rows, _SAMPLE // _PIECES
    starts = range(0, rows, max(width, rows // _PIECES))
    pieces = [read(range(start, min(start + width, rows))) for start in starts]
    result = {}
    for side in _SIDES:
        found = np.concatenate([piece[f"{side}_p"] for piece in pieces])
        ordered = np.sort(found)
        even = ordered[:: max(1, len(ordered) // _BANDS)]
        values, counts = np.unique(ordered, return_counts=True)
        heavy = values[counts > len(ordered) / (2 * _BANDS)]
        result[side] = np.unique(np.concatenate([even, heavy, np.nextafter(heavy, np.inf)]))
    return result
