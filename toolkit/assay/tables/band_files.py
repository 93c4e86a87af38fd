"""One side's scores in files, a band of values each, so that every row can be ranked exactly."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from assay.tables.ascending import ascending

_BLOCK = 1 << 19
"""Rows that are put into order at once: what stays in a processor's cache."""
Flags = NDArray[np.bool_]
Points = list[tuple[int, int]]


@dataclass(kw_only=True)
class Bands:
    """The rows by bands of score; band k holds splits[k−1] ≤ score < splits[k].

    A row is its score and, in a second file, twice its number, plus 1 where it is positive.
    """

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
        blocks = []
        for start in range(0, len(scores), _BLOCK):
            block = scores[start : start + _BLOCK]
            order, _ = ascending(block)
            written = block[order]
            numbers: NDArray[np.uint32] = (first + start + order).astype(np.uint32)
            numbers <<= 1
            numbers |= positive[start : start + _BLOCK][order]
            ends = np.searchsorted(written, self.splits, side="left")
            blocks.append((written, numbers, [0, *ends.tolist(), len(block)]))
        with self.lock:
            for place in range(self.count):
                pieces = [
                    (written[ends[place] : ends[place + 1]], numbers[ends[place] : ends[place + 1]])
                    for written, numbers, ends in blocks
                ]
                self._append(place, [piece for piece in pieces if len(piece[0])])

    def _append(
        self, place: int, pieces: list[tuple[NDArray[np.float64], NDArray[np.uint32]]]
    ) -> None:
        if not pieces:
            return
        values, numbers = self._files(place)
        with values.open("ab") as ours, numbers.open("ab") as theirs:
            for scores, found in pieces:
                ours.write(scores.data)
                theirs.write(found.data)
                hits = int(np.count_nonzero(found & 1))
                self.rows[place] += (len(found) - hits, hits)

    def rank(self, place: int, twice: NDArray[np.uint32], most: int) -> Points:
        """Rank one band's rows into ``twice``; return its points of the ROC curve."""
        if not self.rows[place].any():
            return []
        if 0 < place < self.count - 1 and (
            np.nextafter(self.splits[place - 1], np.inf) == self.splits[place]
        ):
            return self._rank_equal(place, twice, most)
        values, listed = self._files(place)
        order, ends = ascending(np.fromfile(values, dtype=np.float64))
        numbers = np.fromfile(listed, dtype=np.uint32)[order]
        values.unlink()
        listed.unlink()
        hit = (numbers & 1).astype(bool)
        numbers >>= 1
        hits = np.cumsum(hit)
        misses = np.arange(1, len(hit) + 1) - hits
        below = self.rows[:place].sum(axis=0)
        # Twice the other class's rows up to here: of the row's own run, all but none count half.
        other = np.where(hit, misses + below[0], hits + below[1]) * 2
        if not ends.all():
            hits, misses = hits[ends], misses[ends]
            runs = np.diff(np.flatnonzero(ends), prepend=-1)
            up, down = np.diff(hits, prepend=0), np.diff(misses, prepend=0)
            other = np.where(
                hit,
                np.repeat(2 * (misses + below[0]) - down, runs),
                np.repeat(2 * (hits + below[1]) - up, runs),
            )
        twice[numbers] = other
        return self._points(hits, misses, place, most)

    def _rank_equal(self, place: int, twice: NDArray[np.uint32], most: int) -> Points:
        """Rank a band of one value, which may hold any share of the rows."""
        below, (misses, hits) = self.rows[:place].sum(axis=0), self.rows[place]
        values, listed = self._files(place)
        with listed.open("rb") as stream:
            while (numbers := np.fromfile(stream, dtype=np.uint32, count=_BLOCK)).size:
                twice[numbers >> 1] = np.where(
                    numbers & 1, 2 * below[0] + misses, 2 * below[1] + hits
                )
        values.unlink()
        listed.unlink()
        return self._points(np.array([hits]), np.array([misses]), place, most)

    def _points(
        self, hits: NDArray[np.int64], misses: NDArray[np.int64], place: int, most: int
    ) -> Points:
        """Where the curve passes another of even steps; see predictions_counts.roc_points.

        ``hits`` and ``misses`` are the rows of either class up to each run of the band.
        """
        steps = (most - 1) // 2
        total = self.rows.sum(axis=0)
        if not total.all():
            return []
        above, of_band = self.rows[place + 1 :].sum(axis=0), self.rows[place]
        kept: set[int] = set()
        for rows, before, own, whole in (
            (hits, int(above[1]), int(of_band[1]), int(total[1])),
            (misses, int(above[0]), int(of_band[0]), int(total[0])),
        ):
            # n rows at and above a run reach the step n * steps // whole. These are all of the
            # band's rows but those below the run: the last run with few enough is the first.
            reached = range(before * steps // whole + 1, (before + own) * steps // whole + 1)
            most_below = [before + own - -(-step * whole // steps) for step in reached]
            kept |= set(np.searchsorted(rows, most_below, side="right").tolist())
        upto = above + of_band
        return [
            (
                int(upto[0] - (misses[run - 1] if run else 0)),
                int(upto[1] - (hits[run - 1] if run else 0)),
            )
            for run in sorted(kept, reverse=True)
        ]

    def _files(self, place: int) -> tuple[Path, Path]:
        """The files of a band's scores and of its rows' numbers."""
        name = f"band-{self.side}-{place}"
        return self.folder / f"{name}-scores", self.folder / f"{name}-rows"
