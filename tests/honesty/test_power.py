"""Does a test set of the stated size have the stated power? `-s` prints what happened."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import ndtr

from assay.stats.auc import roc_auc_from_scores
from assay.stats.classification import compare_cells
from assay.stats.estimate import Estimate
from assay.stats.means import mean_difference
from assay.stats.moments import JointMoments
from assay.stats.planning import Design, of_auc, of_mean, of_share
from assay.stats.power import exact_share_power, power_for_margin
from honesty.regimes import Cells

pytestmark = [pytest.mark.honesty, pytest.mark.usefixtures("without_p_values")]

REPEATS = [
    pytest.param(1, id="quick"),
    pytest.param(10, id="long", marks=[pytest.mark.heavy, pytest.mark.timeout(3600)]),
]


def passed(found: Estimate, margin: float) -> bool:
    return found.interval is not None and found.interval.low > -margin


def check(name: str, stated: float, passes: int, runs: int, slack: float) -> None:
    happened = passes / runs
    error = np.sqrt(stated * (1 - stated) / runs)
    print(f"{name}: stated {stated:.1%}, happened {happened:.1%} ± {1.96 * error:.1%}")
    assert abs(happened - stated) <= 4 * error + slack


@pytest.mark.parametrize("times", REPEATS)
@pytest.mark.parametrize(
    ("rows", "discordant", "margin"),
    [(1000, 0.06, 0.01), (4710, 0.06, 0.01), (4749, 0.06, 0.01), (500, 0.2, 0.05)],
)
def test_accuracy(rows: int, discordant: float, margin: float, times: int) -> None:
    rng = np.random.default_rng(51)
    cells = Cells(n=rows, shares=(0.5, 0.5), discordant=discordant, won=0.5).draw(rng, 2000 * times)
    passes = sum(passed(compare_cells(each, "accuracy"), margin) for each in cells)
    stated = exact_share_power(rows, discordant, margin)
    check(f"accuracy, {rows} rows, margin {margin}", stated, passes, 2000 * times, 0.0)


def recall(rng: np.random.Generator) -> tuple[Callable[[], Estimate], Design, int]:
    world = Cells(n=8000, shares=(0.9, 0.1), discordant=0.1, won=0.5)
    return (
        lambda: compare_cells(next(iter(world.draw(rng, 1))), "recall", positive=1),
        of_share(0.1, share=0.1),
        8000,
    )


def mean(rng: np.random.Generator) -> tuple[Callable[[], Estimate], Design, int]:
    def draw() -> Estimate:
        base = rng.normal(size=400)
        moments = JointMoments.from_sides(base, base + rng.normal(0, 0.5, 400))
        return mean_difference(moments, greater_is_better=True)

    return draw, of_mean(0.5), 400


def auc(rng: np.random.Generator) -> tuple[Callable[[], Estimate], Design, int]:
    """Normal scores, of the correlation that is stated."""
    rows, correlation = 1000, 0.9

    def draw() -> Estimate:
        label = rng.random(rows) < 0.3
        shared = rng.normal(size=rows) * np.sqrt(correlation) + 1.4 * label
        sides = (shared + rng.normal(0, np.sqrt(1 - correlation), rows) for _ in range(2))
        return roc_auc_from_scores(label, *sides)

    return draw, of_auc(float(ndtr(1.4 / np.sqrt(2))), correlation=correlation, positives=0.3), rows


@pytest.mark.parametrize("times", REPEATS)
@pytest.mark.parametrize(
    ("world", "margin", "slack"), [(recall, 0.025, 0.02), (mean, 0.07, 0.02), (auc, 0.02, 0.02)]
)
def test_other_metrics(
    world: Callable[[np.random.Generator], tuple[Callable[[], Estimate], Design, int]],
    margin: float,
    slack: float,
    times: int,
) -> None:
    """The normal approximation may be two points off."""
    draw, design, rows = world(np.random.default_rng(52))
    runs = 600 * times
    passes = sum(passed(draw(), margin) for _ in range(runs))
    stated = power_for_margin(
        rows, design.row_variance, margin, extra_variance=design.extra_variance
    )
    check(f"{world.__name__}, {rows} rows, margin {margin}", stated, passes, runs, slack)
