"""Forecast errors go on for a while: is the series, or a block of time, the right unit?"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.stats import binomtest

from assay.stats.design import Design, designed_difference
from assay.stats.estimate import Contrast
from assay.stats.influence import of_mean

pytestmark = pytest.mark.honesty

RUNS = 400
Array = NDArray[np.float64]


def errors(rng: np.random.Generator, series: int, steps: int, memory: float) -> tuple[Array, Array]:
    """Absolute errors of two forecasts of equal skill, each with an AR(1) error, row by row."""
    shared = rng.normal(size=(series, steps))
    sides = []
    for _ in range(2):
        noise = 0.8 * shared + 0.6 * rng.normal(size=(series, steps))
        start = rng.normal(size=(series, 1)) / np.sqrt(1 - memory**2) * memory
        path, _ = lfilter([1.0], [1.0, -memory], noise, axis=1, zi=start)
        sides.append(np.abs(path).ravel())
    return sides[0], sides[1]


def covered(sides: tuple[Array, Array], cluster: NDArray[np.int64] | None) -> bool | None:
    weights = np.ones(sides[0].size)
    base, head = (of_mean(side, weights) for side in sides)
    assert base.value is not None
    assert head.value is not None
    design = Design(rows=weights.size, cluster=cluster)
    contrast = Contrast(
        n=weights.size, base=base.value, head=head.value, greater_is_better=False, lowest=0.0
    )
    found = designed_difference(base, head, design, contrast)
    return None if found.interval is None else found.interval.low <= 0 <= found.interval.high


def shown(name: str, results: list[bool | None]) -> tuple[float, float]:
    judged = [each for each in results if each is not None]
    ends = binomtest(sum(judged), len(judged)).proportion_ci(0.95, "exact")
    print(
        f"{name}: {sum(judged) / len(judged):.3f} [{ends.low:.3f}, {ends.high:.3f}] of "
        f"{len(judged)}, {len(results) - len(judged)} refused"
    )
    return float(ends.low), float(ends.high)


@pytest.mark.parametrize("memory", [0.7, 0.95])
def test_many_series_are_the_unit(memory: float) -> None:
    """60 series of 20 steps: rows as units miss, series as units do not."""
    rng = np.random.default_rng(81)
    series = np.repeat(np.arange(60), 20)
    declared, rows = [], []
    for _ in range(RUNS):
        sides = errors(rng, 60, 20, memory)
        declared.append(covered(sides, series))
        rows.append(covered(sides, None))
    assert shown(f"60 series, memory {memory}, by series", declared)[1] >= 0.935
    assert shown(f"60 series, memory {memory}, by row", rows)[1] < 0.93


@pytest.mark.parametrize(("block", "enough"), [(1, False), (7, False), (100, True)])
def test_one_series_needs_blocks_longer_than_its_memory(block: int, enough: bool) -> None:
    """2,000 steps of one series that remembers about seven: blocks of time as units."""
    rng = np.random.default_rng(82)
    blocks = np.arange(2000) // block
    results = [covered(errors(rng, 1, 2000, 0.85), blocks) for _ in range(RUNS)]
    low, high = shown(f"one series, blocks of {block}", results)
    assert (high >= 0.93) if enough else (low < 0.935)
