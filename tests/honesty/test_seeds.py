"""Several training seeds: does the interval cover the difference of the expected models?

`-s` prints each cell, and beside it what an interval from one seed a side would have covered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from assay.comparison.seeds import pairs_of
from assay.stats.cells import PairedCells
from assay.stats.classification import compare_cells
from assay.stats.estimate import Contrast, Estimate
from assay.stats.means import mean_difference
from assay.stats.moments import JointMoments
from assay.stats.seeds import PairVariance, Trained, seeds_difference
from honesty.regimes import Tally

pytestmark = [pytest.mark.honesty, pytest.mark.usefixtures("without_p_values")]

REPEATS = [
    pytest.param(1, id="quick"),
    pytest.param(25, id="long", marks=[pytest.mark.heavy, pytest.mark.timeout(3600)]),
]
Rows = np.ndarray
Compare = Callable[[Rows, Rows], Estimate]


@dataclass(frozen=True, kw_only=True)
class World:
    """Equal expected models; a row's value is its own, a seed's, and the two together.

    `base_noise` and `head_noise` are the standard deviations of a seed's effect on every row, in
    those of a row's own value.
    """

    n: int
    base: int
    head: int
    base_noise: float
    head_noise: float

    def draw(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Values of shape (seeds, n) of each side."""
        own = rng.normal(size=self.n)
        return {
            side: own + noise * rng.normal(size=(count, 1)) + 0.5 * rng.normal(size=(count, self.n))
            for side, count, noise in (
                ("base", self.base, self.base_noise),
                ("head", self.head, self.head_noise),
            )
        }


def accuracy(base: Rows, head: Rows) -> Estimate:
    """Right where the value is below 1: about 0.85 of the rows."""
    label = np.zeros(len(base), dtype=int)
    cells = PairedCells.from_rows(
        label, (base >= 1).astype(int), (head >= 1).astype(int), classes=2
    )
    return compare_cells(cells, "accuracy")


def mean(base: Rows, head: Rows) -> Estimate:
    return mean_difference(JointMoments.from_sides(base, head), greater_is_better=True)


def combined(values: dict[str, np.ndarray], compare: Compare) -> Estimate:
    """What assay.comparison.seeds makes of all pairs."""
    found = {
        pair: compare(values[pair[0][0]][pair[0][1]], values[pair[1][0]][pair[1][1]])
        for pair in pairs_of(len(values["base"]), len(values["head"]))
    }
    each: dict[tuple[str, int], float] = {}
    for (left, right), estimate in found.items():
        assert estimate.base is not None
        assert estimate.head is not None
        each |= {left: estimate.base, right: estimate.head}

    def variances(sides: set[str]) -> list[PairVariance]:
        return [
            PairVariance(
                plain=(estimate.row_variance or 0.0) / estimate.n,
                smoothing=estimate.extra_variance / estimate.n**2,
            )
            for (left, right), estimate in found.items()
            if {left[0], right[0]} == sides
        ]

    base, head = (
        Trained(
            values=[each[side, place] for place in range(len(values[side]))],
            within=variances({side}),
        )
        for side in ("base", "head")
    )
    contrast = Contrast(n=values["base"].shape[1], base=base.mean, head=head.mean)
    across = variances({"base", "head"})
    return seeds_difference(contrast, base, head, across, confidence=0.95).estimate


WORLDS = [
    *(
        World(n=500, base=k, head=k, base_noise=noise, head_noise=noise)
        for k in (3, 5, 10)
        for noise in (0.0, 0.05, 0.3)
    ),
    *(World(n=2000, base=k, head=k, base_noise=0.1, head_noise=0.1) for k in (3, 5)),
    World(n=500, base=3, head=10, base_noise=0.1, head_noise=0.1),
    World(n=500, base=3, head=3, base_noise=0.3, head_noise=0.0),
]


@pytest.mark.parametrize("times", REPEATS)
@pytest.mark.parametrize("compare", [accuracy, mean])
def test_the_expected_models_difference_is_covered(compare: Compare, times: int) -> None:
    rng = np.random.default_rng(61)
    faults = []
    for world in WORLDS:
        many, one = Tally(name=f"{compare.__name__} in {world}"), Tally(name="one seed")
        widths = []
        for _ in range((40 if max(world.base, world.head) < 10 else 16) * times):
            values = world.draw(rng)
            found = combined(values, compare)
            assert found.interval is not None
            many.add(found, 0.0)
            one.add(compare(values["base"][0], values["head"][0]), 0.0)
            widths.append(found.interval.high - found.interval.low)
        print(
            f"{compare.__name__} {world.n} rows, {world.base}+{world.head} seeds, noise "
            f"{world.base_noise}/{world.head_noise}: {_covered(many)}, median width "
            f"{np.median(widths):.4f}; one seed a side {_covered(one)}"
        )
        faults += many.faults(cells=2 * len(WORLDS))
    assert faults == []


def _covered(tally: Tally) -> str:
    share = 1 - (tally.above + tally.below) / max(1, tally.judged)
    error = 1.96 * np.sqrt(share * (1 - share) / max(1, tally.judged))
    return f"covers {share:.1%} ± {error:.1%}"
