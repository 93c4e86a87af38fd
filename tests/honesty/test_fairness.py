"""Does the interval for a change of a gap between groups cover it?"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from assay.stats.cells import Outcomes
from assay.stats.fairness import gap_difference

pytestmark = pytest.mark.honesty

SIDES = {
    "two equal groups": ([0.5, 0.5], [0.5, 0.5]),
    "two groups, gap kept": ([0.5, 0.7], [0.5, 0.7]),
    "two groups, gap halved": ([0.5, 0.7], [0.5, 0.6]),
    "two groups that change places": ([0.8, 0.5], [0.5, 0.8]),
    "three equal groups": ([0.5] * 3, [0.5] * 3),
    "three groups apart": ([0.3, 0.5, 0.7], [0.3, 0.5, 0.7]),
    "six groups, extremes close": ([0.3, 0.35, 0.5, 0.5, 0.6, 0.65],) * 2,
    "rare positives": ([0.05, 0.1], [0.05, 0.1]),
}


def shares(base: float, head: float, discordant: float) -> list[float]:
    """Probabilities of both, base only, head only, neither: `discordant` beyond what they must."""
    base_only = max(base - head, 0.0) + discordant / 2
    head_only = max(head - base, 0.0) + discordant / 2
    both = max(base - base_only, 0.0)
    return [both, base_only, head_only, 1 - both - base_only - head_only]


@pytest.mark.parametrize("rows", [50, 200, 1000])
@pytest.mark.parametrize("name", SIDES)
def test_a_change_of_the_gap_is_covered(name: str, rows: int) -> None:
    rng = np.random.default_rng(61)
    runs = 200 if len(SIDES[name][0]) < 6 else 60
    for discordant in (0.01, 0.05, 0.2):
        cells = [
            shares(*pair, min(discordant, 2 * pair[0])) for pair in zip(*SIDES[name], strict=True)
        ]
        base = [both + base_only for both, base_only, _, _ in cells]
        head = [both + head_only for both, _, head_only, _ in cells]
        truth = float(np.ptp(base) - np.ptp(head))
        draws = [rng.multinomial(rows, cell, runs).tolist() for cell in cells]
        low = high = 0
        width = []
        for groups in zip(*draws, strict=True):
            found = gap_difference(
                {
                    str(place): Outcomes(both=a, base_only=b, head_only=c, neither=d)
                    for place, (a, b, c, d) in enumerate(groups)
                },
                n=rows * len(cells),
            )
            assert found.interval is not None
            low += found.interval.low > truth
            high += found.interval.high < truth
            width.append(found.interval.high - found.interval.low)
        covered = 1 - (low + high) / runs
        print(
            f"{name}, {rows} rows a group, {discordant:.0%} discordant: coverage {covered:.3f}, "
            f"mean width {np.mean(width):.3f}"
        )
        # Bonferroni over the 72 cells of this file.
        ends = binomtest(runs - low - high, runs).proportion_ci(1 - 0.05 / 72)
        assert ends.high >= 0.935
        for miss in (low, high):
            assert binomtest(miss, runs).proportion_ci(1 - 0.05 / 72).low <= 0.05
