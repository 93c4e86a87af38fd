"""Running the grid: batches of test sets, kept as they finish, so that a cut-off run loses none."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.stats import estimate as estimates
from honesty.counted import Classes, ZeroOne
from honesty.coverage import Coverage
from honesty.grid import ROWS, Cell
from honesty.metrics import METRICS

BATCH = 500
"""Test sets that are drawn from one seed, where a world draws counts."""
ROW_BATCH = 100
"""Where it draws rows."""

Results = dict[tuple[str, Cell], Coverage]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Test sets of one cell, and the metrics (of one world) that they are drawn for."""

    metrics: tuple[str, ...]
    place: int
    """Of the cell among those of the world."""
    number: int
    size: int = BATCH

    @property
    def cell(self) -> Cell:
        """The cell itself."""
        return METRICS[self.metrics[0]].world.cells[self.place]

    def run(self) -> dict[str, Coverage]:
        """Draw, and ask every metric.

        p-values are left out: they invert the same intervals, which tests/unit/stats shows.
        """
        world = METRICS[self.metrics[0]].world
        cell = self.cell
        rng = np.random.default_rng([zlib.crc32(world.name.encode()), self.place, self.number])
        truths = {name: METRICS[name].truth(cell) for name in self.metrics}
        found = {name: Coverage() for name in self.metrics}
        inverted, estimates.inverted_p = estimates.inverted_p, lambda _: 0.5
        try:
            if isinstance(world, Classes):
                tables = world.tables(cell, rng, self.size)
                for name, coverage in found.items():
                    metric = METRICS[name]
                    assert metric.of_tables is not None
                    intervals = metric.of_tables(tables)
                    coverage.add_tables(intervals, tables, metric.estimate, truths[name])
                return found
            for data, times in world.draw(cell, rng, self.size):
                for name, coverage in found.items():
                    coverage.add(METRICS[name].estimate(data), truths[name], times)
        finally:
            estimates.inverted_p = inverted
        return found


def counted(metric: str) -> bool:
    """Whether ten thousand test sets of a metric's world are drawn in seconds."""
    return isinstance(METRICS[metric].world, Classes | ZeroOne)


@dataclass(frozen=True, kw_only=True)
class Draws:
    """Test sets a cell: where a world draws counts, and where it draws rows, which takes longer."""

    counts: int
    rows: int

    def batches(self, metric: str) -> int:
        """How many batches a metric's cells get."""
        if counted(metric):
            return -(-self.counts // BATCH)
        return -(-self.rows // ROW_BATCH)


def planned(
    metrics: Sequence[str], draws: Draws, done: frozenset[tuple[str, int, int]]
) -> Iterator[Batch]:
    """What is left to run, every cell's first batches before any later one.

    Cells of many rows, where rows are drawn, take longest and are the least doubtful: they get
    their first batch after the others' second, and so on.
    """
    worlds: dict[str, list[str]] = {}
    for name in metrics:
        worlds.setdefault(METRICS[name].world.name, []).append(name)
    left = []
    for names in worlds.values():
        by_counts = counted(names[0])
        for place, cell in enumerate(METRICS[names[0]].world.cells):
            late = 2 if cell.n == max(ROWS) and not by_counts else 1
            for number in range(draws.batches(names[0])):
                missing = tuple(name for name in names if (name, place, number) not in done)
                size = BATCH if by_counts else ROW_BATCH
                batch = Batch(metrics=missing, place=place, number=number, size=size)
                if missing:
                    left.append(((number + 1) * late, batch))
    yield from (batch for _, batch in sorted(left, key=lambda each: each[0]))


def append(path: Path, batch: Batch, found: dict[str, Coverage]) -> None:
    """Keep what a batch counted, a line for each metric."""
    with path.open("a", encoding="utf-8") as lines:
        for name, coverage in found.items():
            key = {"metric": name, "place": batch.place, "batch": batch.number}
            lines.write(json.dumps(key | vars(coverage), ensure_ascii=False) + "\n")


def read(path: Path) -> Iterable[tuple[tuple[str, int, int], Coverage]]:
    """What earlier runs kept; a line that was cut off is left out."""
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            kept = json.loads(line)
        except json.JSONDecodeError:
            continue
        key = kept.pop("metric"), kept.pop("place"), kept.pop("batch")
        yield key, Coverage(**kept | {"reasons": Counter(kept["reasons"])})


def collected(path: Path, metrics: Sequence[str], draws: Draws) -> Results:
    """The kept batches of these metrics, as many as are asked for, summed by cell."""
    results: Results = {
        (name, cell): Coverage() for name in metrics for cell in METRICS[name].world.cells
    }
    kept = dict(read(path))
    for name, place, number in sorted(kept):
        if name in metrics and number < draws.batches(name):
            cell = METRICS[name].world.cells[place]
            results[name, cell].merge(kept[name, place, number])
    return {key: coverage for key, coverage in results.items() if coverage.drawn}
