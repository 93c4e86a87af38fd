"""Do intervals cover the truth? A part of the grid, quickly; the page is made from all of it."""

from __future__ import annotations

import pytest

from honesty.counted import Classes, Grades, ZeroOne
from honesty.grid import World
from honesty.metrics import METRICS
from honesty.simulation import Batch

pytestmark = pytest.mark.honesty

EVERY = 13
"""One cell in so many where that takes long: prime to the grid's sides, so that each value of
each occurs."""
WORLDS = {metric.world.name: metric.world for metric in METRICS.values()}


def quick(world: World) -> list[Batch]:
    """The batches of the quick run."""
    names = tuple(name for name, metric in METRICS.items() if metric.world is world)
    if isinstance(world, Classes):
        return [Batch(metrics=names, place=place, number=0) for place in range(len(world.cells))]
    counted = isinstance(world, Grades | ZeroOne)
    return [
        Batch(metrics=names, place=place, number=0, size=200 if counted else 120)
        for place in range(EVERY // 2, len(world.cells), EVERY)
        # Ten thousand rows are drawn one by one in the long run only.
        if counted or world.cells[place].n < 10_000
    ]


CELLS = sum(len(batch.metrics) for world in WORLDS.values() for batch in quick(world))


@pytest.mark.parametrize("world", list(WORLDS.values()), ids=list(WORLDS))
def test_intervals_cover_the_truth(world: World) -> None:
    faults = [
        f"{name}, {batch.cell}: {fault}"
        for batch in quick(world)
        for name, found in batch.run().items()
        for fault in found.faults(METRICS[name], batch.cell, CELLS)
    ]
    assert faults == []
