"""The ROC AUC of more rows than fit into memory: scores in bands of value, each sorted by itself.

Every score is read once and written to its band's file with the number of its row. A band is a
range of values, so its rows rank above all rows of lower bands; sorting the bands one by one
ranks every row exactly. What stays in memory is one whole number per row and side.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, local

import numpy as np
from numpy.typing import NDArray

from assay.tables.moments_arrays import Columns, moments_of_parts
from assay.tables.predictions import Pairs
from assay.tables.predictions_counts import ALL
from assay.tables.predictions_moments import Basis, Moments
from assay.tables.predictions_placements import Placements

_CHUNK = 1 << 21
"""Rows that are read at once."""
_BANDS = 48
_SAMPLE, _PIECES = 1 << 18, 64
"""Rows that choose the bands, from pieces spread over the file."""
_SIDES = ("base", "head")
_THREADS = 2
_ROW = np.dtype([("score", "<f8"), ("number", "<u4")])
Flags = NDArray[np.bool_]
Points = list[tuple[int, int]]


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
    """Rank the rows of two Parquet files in one order; None where rows cannot be read by number.

    ``most`` is the number of points of a ROC curve.
    """
    plain = not pairs.slices and pairs.drawn is None
    if not (pairs.joined.streamed and plain and pairs.engine.has_numbers()):
        return None
    rows = pairs.joined.rows
    splits = _splits(pairs)
    bands = {
        side: _Bands(side=side, splits=splits[side], folder=pairs.engine.scratch) for side in _SIDES
    }
    positive, differs = np.empty(rows, dtype=bool), np.empty(rows, dtype=bool)
    connections = local()

    def scatter(start: int) -> None:
        if not hasattr(connections, "engine"):
            connections.engine = pairs.engine.beside()
        part = range(start, min(start + _CHUNK, rows))
        found = connections.engine.arrays(
            f"SELECT label = 1 AS positive, base_p, head_p FROM ({pairs.select(rows=part)})"
        )
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
                    lambda place, of=band, into=twice[side]: of.rank(place, positive, into, most),
                    range(band.count),
                )
            )
            roc[side] = [point for part in reversed(ranked) for point in part]
    return Banded(positive=positive, twice=twice, differs=differs, roc=roc)


def _splits(pairs: Pairs) -> dict[str, NDArray[np.float64]]:
    """Values that divide each side's scores into bands with few rows, or with one value."""
    rows, width = pairs.joined.rows, _SAMPLE // _PIECES
    starts = range(0, rows, max(width, rows // _PIECES))
    pieces = [
        pairs.engine.arrays(
            "SELECT base_p, head_p FROM "
            f"({pairs.select(rows=range(start, min(start + width, rows)))})"
        )
        for start in starts
    ]
    result = {}
    for side in _SIDES:
        found = np.concatenate([piece[f"{side}_p"] for piece in pieces])
        ordered = np.sort(found)
        even = ordered[:: max(1, len(ordered) // _BANDS)]
        values, counts = np.unique(ordered, return_counts=True)
        heavy = values[counts > len(ordered) / (2 * _BANDS)]
        result[side] = np.unique(np.concatenate([even, heavy, np.nextafter(heavy, np.inf)]))
    return result


@dataclass(kw_only=True)
class _Bands:
    """One side's rows by bands of score, in files; band k holds splits[k−1] ≤ score < splits[k]."""

    side: str
    splits: NDArray[np.float64]
    folder: Path
    lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.count = len(self.splits) + 1
        self.rows = np.zeros((self.count, 2), dtype=np.int64)
        """Negative and positive rows of each band."""

    def add(self, scores: NDArray[np.float64], first: int, positive: Flags) -> None:
        """Write the scores of the rows from number ``first`` on into their bands' files."""
        band = np.searchsorted(self.splits, scores, side="right").astype(np.uint8)
        order = np.argsort(band, kind="stable")
        written = np.empty(len(scores), dtype=_ROW)
        written["score"] = scores[order]
        written["number"] = first + order
        ends = np.cumsum(np.bincount(band, minlength=self.count))
        hits = np.bincount(band[positive], minlength=self.count)
        counts = np.diff(ends, prepend=0)
        with self.lock:
            self.rows += np.stack([counts - hits, hits], axis=1)
            for place in np.flatnonzero(counts).tolist():
                with self._file(place).open("ab") as stream:
                    stream.write(written[ends[place] - counts[place] : ends[place]].data)

    def rank(self, place: int, positive: Flags, twice: NDArray[np.uint32], most: int) -> Points:
        """Rank one band's rows into ``twice``; return its points of the ROC curve."""
        if not self.rows[place].any():
            return []
        if 0 < place < self.count - 1 and (
            np.nextafter(self.splits[place - 1], np.inf) == self.splits[place]
        ):
            return self._rank_equal(place, positive, twice, most)
        found = np.fromfile(self._file(place), dtype=_ROW)
        self._file(place).unlink()
        scores = np.ascontiguousarray(found["score"])
        order = np.argsort(scores)
        scores, numbers = scores[order], found["number"][order]
        hit = positive[numbers]
        last = np.append(np.flatnonzero(scores[1:] != scores[:-1]), len(scores) - 1)
        below = self.rows[:place].sum(axis=0)
        hits = np.cumsum(hit)[last]
        misses = last + 1 - hits
        runs = np.diff(last, prepend=-1)
        up, down = np.diff(hits, prepend=0), np.diff(misses, prepend=0)
        twice[numbers] = np.where(
            hit,
            np.repeat(2 * (misses + below[0]) - down, runs),
            np.repeat(2 * (hits + below[1]) - up, runs),
        )
        return self._points(hits, misses, place, most)

    def _rank_equal(
        self, place: int, positive: Flags, twice: NDArray[np.uint32], most: int
    ) -> Points:
        """Rank a band of one value, which may hold any share of the rows."""
        below, (misses, hits) = self.rows[:place].sum(axis=0), self.rows[place]
        with self._file(place).open("rb") as stream:
            while (found := np.fromfile(stream, dtype=_ROW, count=_CHUNK)).size:
                numbers = found["number"]
                twice[numbers] = np.where(
                    positive[numbers], 2 * below[0] + misses, 2 * below[1] + hits
                )
        self._file(place).unlink()
        return self._points(np.array([hits]), np.array([misses]), place, most)

    def _points(
        self, hits: NDArray[np.int64], misses: NDArray[np.int64], place: int, most: int
    ) -> Points:
        """Where the curve passes another of even steps; see predictions_counts.roc_points."""
        steps = (most - 1) // 2
        total = self.rows.sum(axis=0)
        above, of_band = self.rows[place + 1 :].sum(axis=0), self.rows[place]
        # From the highest score down, with what lies at and above each run.
        hit = (above[1] + of_band[1] - np.append(0, hits[:-1]))[::-1]
        missed = (above[0] + of_band[0] - np.append(0, misses[:-1]))[::-1]

        def crossed(rows: NDArray[np.int64], before: int, whole: int) -> Flags:
            flags: Flags = np.diff(rows * steps // whole, prepend=before * steps // whole) != 0
            return flags

        if not total.all():
            return []
        crossed_up = crossed(hit, above[1], total[1])
        kept = crossed_up | crossed(missed, above[0], total[0])
        return list(zip(missed[kept].tolist(), hit[kept].tolist(), strict=True))

    def _file(self, place: int) -> Path:
        return self.folder / f"band-{self.side}-{place}"
