"""Do intervals cover the truth in the hard corners: few rows, rare classes, few changes?

The quick run looks for gross faults in seconds; `-m heavy` draws 25 times as many test sets.
p-values are left out here (they invert the same intervals, which tests/unit/stats shows).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from assay.stats import estimate as estimates
from assay.stats.auc import roc_auc_from_scores
from assay.stats.average_precision import average_precision_difference
from assay.stats.cells import PairedCells
from assay.stats.classification import compare_cells
from assay.stats.estimate import Estimate
from assay.stats.means import mean_difference, r2_difference, regression_moments, rmse_difference
from assay.stats.median_error import median_absolute_error_difference
from assay.stats.moments import JointMoments
from honesty.regimes import Cells, Tally

pytestmark = pytest.mark.honesty

REPEATS = [
    pytest.param(1, id="quick"),
    pytest.param(25, id="long", marks=[pytest.mark.heavy, pytest.mark.timeout(3600)]),
]
BINARY = [
    Cells(n=n, shares=(1 - positive, positive), discordant=discordant, won=won)
    for n, positive, discordant, won in itertools.chain(
        itertools.product((200,), (0.5, 0.02), (0.001, 0.06, 0.2), (0.5, 0.0)),
        itertools.product((1000,), (0.1, 0.02), (0.01, 0.2), (0.25, 0.05)),
    )
]
SEVERAL = [
    Cells(n=n, shares=shares, discordant=discordant, won=won)
    for n, shares, discordant, won in [
        (200, (0.9, 0.06, 0.02, 0.02), 0.2, 0.05),
        (200, (0.2,) * 5, 0.06, 0.0),
        (1000, (0.1,) * 10, 0.2, 0.5),
    ]
]


@pytest.fixture(autouse=True)
def _without_p_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "inverted_p", lambda _: 0.5)


def of(metric: str, average: str = "binary") -> Callable[[PairedCells], Estimate]:
    return lambda cells: compare_cells(cells, metric, average=average, positive=1)


@pytest.mark.parametrize("times", REPEATS)
@pytest.mark.parametrize(
    ("metric", "average"),
    [
        ("accuracy", "binary"),
        ("recall", "binary"),
        ("balanced_accuracy", "binary"),
        ("precision", "binary"),
        ("f1", "binary"),
        ("f1", "macro"),
        ("precision", "weighted"),
        ("mcc", "binary"),
    ],
)
def test_classification(metric: str, average: str, times: int) -> None:
    rng = np.random.default_rng(20)
    estimate = of(metric, average)
    worlds = BINARY if metric == "recall" or average == "binary" else BINARY + SEVERAL
    worlds = [*worlds, *SEVERAL] if metric in {"balanced_accuracy", "mcc"} else worlds
    faults = []
    for world in worlds:
        if world.won * world.discordant > 0.15:
            continue
        truth = world.truth(estimate)
        tally = Tally(name=f"{metric} {average} in {world}")
        for cells in world.draw(rng, 120 * times):
            tally.add(estimate(cells), truth)
        faults += tally.faults(cells=200)
    assert faults == []


Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def scored(positive: float, changed: float) -> Callable[[np.random.Generator, int], Rows]:
    """Labels and two scores; the head draws `changed` of its rows anew and a little better."""

    def draw(rng: np.random.Generator, n: int) -> Rows:
        label = rng.random(n) < positive
        signal = rng.normal(size=n) + 1.5 * label
        base = signal + rng.normal(0, 0.3, n)
        anew = signal + 0.2 * label + rng.normal(0, 0.4, n)
        return label, base, np.where(rng.random(n) < changed, anew, base)

    return draw


def predicted(freedom: float, changed: float) -> Callable[[np.random.Generator, int], Rows]:
    """Targets and two predictions with Student's t errors."""

    def draw(rng: np.random.Generator, n: int) -> Rows:
        label = rng.normal(size=n)
        error = rng.standard_t(freedom, size=n)
        anew = label + 0.9 * error + 0.3 * rng.normal(size=n)
        return label, label + error, np.where(rng.random(n) < changed, anew, label + error)

    return draw


def log_loss(label: np.ndarray, base: np.ndarray, head: np.ndarray) -> Estimate:
    sides = (np.logaddexp(0, np.where(label, 3 - 2 * s, 2 * s - 3)) for s in (base, head))
    return mean_difference(JointMoments.from_sides(*sides), greater_is_better=False)


def brier(label: np.ndarray, base: np.ndarray, head: np.ndarray) -> Estimate:
    sides = ((label - 1 / (1 + np.exp(3 - 2 * s))) ** 2 for s in (base, head))
    moments = JointMoments.from_sides(*sides)
    return mean_difference(moments, greater_is_better=False, lowest=0, highest=1)


def mae(label: np.ndarray, base: np.ndarray, head: np.ndarray) -> Estimate:
    moments = JointMoments.from_sides(np.abs(base - label), np.abs(head - label))
    return mean_difference(moments, greater_is_better=False)


def rmse(label: np.ndarray, base: np.ndarray, head: np.ndarray) -> Estimate:
    moments = JointMoments.from_sides((base - label) ** 2, (head - label) ** 2)
    return rmse_difference(moments)


def r2(label: np.ndarray, base: np.ndarray, head: np.ndarray) -> Estimate:
    return r2_difference(regression_moments(label, base, head))


SCORED = [(200, 0.5, 0.01), (200, 0.1, 1.0), (1000, 0.02, 0.06), (1000, 0.1, 0.2), (1000, 0.1, 1.0)]
PREDICTED = [(200, 100.0, 0.06), (200, 100.0, 1.0), (1000, 5.0, 1.0), (1000, 100.0, 0.06)]


@pytest.mark.parametrize("times", REPEATS)
@pytest.mark.parametrize(
    ("estimate", "world", "corners"),
    [
        *(
            (each, scored, SCORED)
            for each in (log_loss, brier, roc_auc_from_scores, average_precision_difference)
        ),
        *(
            (each, predicted, PREDICTED)
            for each in (mae, rmse, r2, median_absolute_error_difference)
        ),
    ],
)
def test_values_per_row(
    estimate: Callable[..., Estimate],
    world: Callable[..., Callable[[np.random.Generator, int], Rows]],
    corners: list[tuple[int, float, float]],
    times: int,
) -> None:
    rng = np.random.default_rng(21)
    faults = []
    for n, shape, changed in corners:
        draw = world(shape, changed)
        # Large draws, so that the truth's own error is small beside an interval's width.
        large = [estimate(*draw(rng, 40_000)).difference for _ in range(8 + 3 * times)]
        truth = np.mean(large)
        tally = Tally(name=f"{estimate.__name__} n={n} {shape} changed={changed}")
        for _ in range(200 * times):
            tally.add(estimate(*draw(rng, n)), float(truth))
        faults += tally.faults(cells=40)
    assert faults == []
