"""Counts of two files over named cells, and how far they lie apart. Pure."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np

from assay.checks.side import number, percent
from assay.evidence import Effect, Histogram
from assay.stats.drift import chi_square_p, jensen_shannon_distance, psi, wasserstein_sd
from assay.tables.histograms import Bins, Categories

_LEAST_EXPECTED = 5.0
_LONGEST_NAME = 60
_DIGITS = 6
_MOST_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """Counts of two files at ascending finite numbers."""

    values: tuple[float, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Counts of two files over the same cells; ``ladder`` where the column holds numbers."""

    names: tuple[str, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]
    ladder: Ladder | None = None

    def with_missing(self, reference: int, current: int) -> Cells:
        """Add a cell of missing values, so that a column that goes missing has moved."""
        if not reference and not current:
            return self
        return Cells(
            names=(*self.names, "no value"),
            reference=(*self.reference, reference),
            current=(*self.current, current),
            ladder=self.ladder,
        )


def from_categories(counted: Categories, *, numbers: bool = False) -> Cells:
    """Cells of listed values; with ``numbers`` they are put in order and have a ladder."""
    triples = list(zip(counted.values, counted.reference, counted.current, strict=True))
    if numbers:
        triples.sort(key=lambda triple: float(triple[0]))
    names = [repr(str(value)[:_LONGEST_NAME]) for value, _, _ in triples]
    before, after = [b for _, b, _ in triples], [a for _, _, a in triples]
    ladder = None
    if numbers:
        ladder = _ladder([float(value) for value, _, _ in triples], before, after)
    if any(counted.other):
        names.append("any other value")
        before.append(counted.other[0])
        after.append(counted.other[1])
    return Cells(names=tuple(names), reference=tuple(before), current=tuple(after), ladder=ladder)


def from_bins(bins: Bins, *, times: bool = False) -> Cells:
    """Cells between the reference's deciles; the ladder stands on the middles of all bins.

    With ``times`` the numbers are seconds since 1970, and shown as times.
    """
    write: Callable[[float], str] = _time if times else number
    bounds = (bins.low, *bins.deciles, bins.high)
    before, after = [0] * (len(bins.deciles) + 1), [0] * (len(bins.deciles) + 1)
    uppers = (*bins.edges, math.inf)
    for upper, b, a in zip(uppers, bins.reference, bins.current, strict=True):
        cell = bisect.bisect_left(bins.deciles, upper)
        before[cell] += b
        after[cell] += a
    names = [f"{write(low)} … {write(high)}" for low, high in pairwise(bounds)]
    ends = (bins.low, *bins.edges, bins.high)
    middles = [low / 2 + high / 2 for low, high in pairwise(ends)]
    return Cells(
        names=tuple(names),
        reference=tuple(before),
        current=tuple(after),
        ladder=_ladder(middles, bins.reference, bins.current),
    )


def _time(seconds: float) -> str:
    try:
        moment = datetime.fromtimestamp(seconds, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return number(seconds)
    day = seconds % 86_400 == 0
    return moment.date().isoformat() if day else moment.replace(tzinfo=None).isoformat(" ")


def _ladder(
    values: Sequence[float], reference: Sequence[int], current: Sequence[int]
) -> Ladder | None:
    """A ladder of distinct rungs, or None where a side has no number."""
    if not sum(reference) or not sum(current):
        return None
    rungs: dict[float, list[int]] = {}
    for value, b, a in zip(values, reference, current, strict=True):
        rung = rungs.setdefault(value, [0, 0])
        rung[0] += b
        rung[1] += a
    places = sorted(rungs)
    return Ladder(
        values=tuple(places),
        reference=tuple(rungs[place][0] for place in places),
        current=tuple(rungs[place][1] for place in places),
    )


def p_value(cells: Cells) -> float:
    """Chi-square p-value of equal distributions, with rare cells put together first."""
    counts = np.array([cells.reference, cells.current], dtype=np.float64)
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    rare = expected.min(axis=0) < _LEAST_EXPECTED
    if rare.sum() > 1:
        merged = counts[:, rare].sum(axis=1, keepdims=True)
        counts = np.concatenate([counts[:, ~rare], merged], axis=1)
    return float(chi_square_p(counts[0], counts[1]))


def effects(cells: Cells, max_psi: float) -> tuple[Effect, ...]:
    """Population stability index first, which decides; then what else describes the move."""
    index = psi(cells.reference, cells.current)
    distance = jensen_shannon_distance(cells.reference, cells.current)
    found = [
        Effect(name="psi", value=rounded(index), threshold=max_psi),
        Effect(name="jensen_shannon", value=rounded(distance)),
    ]
    ladder = cells.ladder
    if ladder is not None:
        # Scale-free, so that neither very large nor very small numbers leave the range of floats.
        scale = max(abs(value) for value in ladder.values) or 1.0
        places = sorted({value / scale for value in ladder.values})
        if len(places) == len(ladder.values):
            moved = wasserstein_sd(places, ladder.reference, ladder.current)
            if math.isfinite(moved):
                found.append(Effect(name="wasserstein_sd", value=rounded(moved)))
    return tuple(found)


def describe(cells: Cells) -> str:
    """Name the cell whose share of the rows changed most, from the reference to the current."""
    before, after = sum(cells.reference), sum(cells.current)
    shares = [(b / before, a / after) for b, a in zip(cells.reference, cells.current, strict=True)]
    index = max(range(len(shares)), key=lambda i: abs(shares[i][1] - shares[i][0]))
    return (
        f"{cells.names[index]} went from {percent(shares[index][0])} "
        f"to {percent(shares[index][1])} of the rows"
    )


def histogram(cells: Cells) -> Histogram:
    """Return the cells for a plot; the smallest beyond 20 are put together at the end."""
    counts = list(zip(cells.names, cells.reference, cells.current, strict=True))
    if len(counts) > _MOST_SHOWN:
        by_size = sorted(range(len(counts)), key=lambda i: (-counts[i][1] - counts[i][2], i))
        kept = set(by_size[: _MOST_SHOWN - 1])
        rest = [count for index, count in enumerate(counts) if index not in kept]
        together = (f"{len(rest)} others", sum(r for _, r, _ in rest), sum(c for *_, c in rest))
        counts = [*(count for index, count in enumerate(counts) if index in kept), together]
    names, reference, current = zip(*counts, strict=True)
    return Histogram(cells=names, reference=reference, current=current)


def rounded(value: float) -> float:
    """Six digits that matter: sums over threads may differ in the last bits of a float."""
    return float(f"{value:.{_DIGITS}g}")
