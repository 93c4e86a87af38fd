"""Do the intervals of quantile loss, calibration, ranking and label sets cover the truth?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from assay.stats import estimate as estimates
from assay.stats.estimate import Estimate
from assay.stats.means import mean_difference
from assay.stats.moments import JointMoments
from honesty.regimes import Tally

pytestmark = pytest.mark.honesty

REPEATS = [
    pytest.param(1, id="quick"),
    pytest.param(25, id="long", marks=[pytest.mark.heavy, pytest.mark.timeout(3600)]),
]
Draw = Callable[[np.random.Generator, int], Estimate]


@pytest.fixture(autouse=True)
def _without_p_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "inverted_p", lambda _: 0.5)


def check(name: str, draw: Draw, n: int, *, runs: int, truth: float | None = None) -> None:
    """Draw test sets of n units; the truth is that of large ones where it is not given."""
    rng = np.random.default_rng(31)
    if truth is None:
        truth = float(np.mean([draw(rng, 40_000).difference for _ in range(12)]))
    tally = Tally(name=f"{name} n={n}")
    width = []
    for _ in range(runs):
        found = draw(rng, n)
        tally.add(found, truth)
        if found.interval is not None:
            width.append(found.interval.high - found.interval.low)
    covered = tally.judged - tally.above - tally.below
    print(
        f"{tally.name}: {covered}/{tally.judged} covered, {runs - tally.judged} not judged, "
        f"mean width {np.mean(width) if width else float('nan'):.4f}"
    )
    assert tally.faults(cells=60) == []


@pytest.mark.parametrize("times", REPEATS)
@pytest.mark.parametrize("changed", [0.06, 1.0])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_quantile_loss(level: float, changed: float, times: int) -> None:
    def draw(rng: np.random.Generator, n: int) -> Estimate:
        label = rng.normal(size=n)
        base = level + rng.normal(0, 0.5, n)
        head = np.where(rng.random(n) < changed, level + rng.normal(0, 0.4, n), base)
        losses = (
            np.maximum(level * (label - side), (level - 1) * (label - side))
            for side in (base, head)
        )
        return mean_difference(JointMoments.from_sides(*losses), greater_is_better=False, lowest=0)

    for n in (200, 1000):
        check(f"quantile_loss:{level} changed={changed}", draw, n, runs=200 * times)
