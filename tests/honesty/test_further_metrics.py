"""Do the intervals of quantile loss, calibration, ranking and label sets cover the truth?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import norm

from assay.stats.calibration import calibration_error_difference
from assay.stats.estimate import Estimate
from assay.stats.label_sets import label_sets_difference
from assay.stats.means import mean_difference
from assay.stats.moments import JointMoments
from honesty.regimes import Tally

pytestmark = [pytest.mark.honesty, pytest.mark.usefixtures("without_p_values")]

REPEATS = [
    pytest.param(1, id="quick"),
    pytest.param(25, id="long", marks=[pytest.mark.heavy, pytest.mark.timeout(3600)]),
]
Draw = Callable[[np.random.Generator, int], Estimate]


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


@pytest.mark.parametrize("times", REPEATS)
@pytest.mark.parametrize("changed", [0.06, 1.0])
@pytest.mark.parametrize("metric", ["ndcg", "reciprocal rank", "hit rate"])
def test_ranking(metric: str, changed: float, times: int) -> None:
    discount = 1 / np.log2(np.arange(2, 12))

    def of(relevance: np.ndarray, score: np.ndarray) -> np.ndarray:
        ranked = np.take_along_axis(relevance, np.argsort(-score, axis=1), axis=1)
        if metric == "reciprocal rank":
            return 1 / (1 + np.argmax(ranked > 0, axis=1))
        if metric == "hit rate":
            return (ranked[:, :2] > 0).any(axis=1).astype(float)
        return ranked @ discount / (np.sort(relevance, axis=1)[:, ::-1] @ discount)

    def draw(rng: np.random.Generator, n: int) -> Estimate:
        relevance = rng.choice([0, 1, 2], (n, 10), p=[0.8, 0.15, 0.05])
        relevance[:, 0] = np.maximum(relevance[:, 0], 1)
        base = relevance + 1.5 * rng.normal(size=(n, 10))
        anew = relevance + 1.4 * rng.normal(size=(n, 10))
        head = np.where(rng.random((n, 1)) < changed, anew, base)
        sides = (of(relevance, side) for side in (base, head))
        moments = JointMoments.from_sides(*sides)
        return mean_difference(moments, greater_is_better=True, lowest=0, highest=1)

    for n in (200, 1000):
        check(f"{metric} changed={changed}", draw, n, runs=120 * times)


@pytest.mark.parametrize("times", REPEATS)
@pytest.mark.parametrize("changed", [0.06, 1.0])
@pytest.mark.parametrize(
    ("base_slope", "head_slope"), [(1.0, 1.0), (1.0, 2.0), (2.0, 1.0), (1.3, 2.0), (1.0, 1.2)]
)
def test_calibration_error(
    base_slope: float, head_slope: float, changed: float, times: int
) -> None:
    """A slope of 1 is calibrated; the truth is that of a test set without sampling error."""

    def draw(rng: np.random.Generator, n: int) -> Estimate:
        signal = rng.normal(-0.5, 1.5, n)
        label = rng.random(n) < 1 / (1 + np.exp(-signal))
        base = 1 / (1 + np.exp(-base_slope * signal))
        anew = 1 / (1 + np.exp(-head_slope * signal + 0.1 * rng.normal(size=n)))
        head = np.where(rng.random(n) < changed, anew, base)
        return calibration_error_difference((base, label), (head, label))

    rng = np.random.default_rng(32)
    truth = float(np.mean([draw(rng, 300_000).difference for _ in range(4)]))
    name = f"calibration_error {base_slope}->{head_slope} changed={changed}"
    for n in (200, 1000, 10_000):
        check(name, draw, n, runs=120 * times, truth=truth)


@pytest.mark.parametrize("times", REPEATS)
@pytest.mark.parametrize("changed", [0.06, 1.0])
@pytest.mark.parametrize("average", ["micro", "macro"])
@pytest.mark.parametrize("metric", ["precision", "recall", "f1"])
def test_label_sets(metric: str, average: str, changed: float, times: int) -> None:
    """Labels from common to rare, which go together and are mistaken together."""
    shares = np.array([0.5, 0.3, 0.2, 0.1])
    names = np.array(list("abcd"))

    def marks(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        true = 0.8 * rng.normal(size=(n, 1)) + 0.6 * rng.normal(size=(n, 4)) < norm.ppf(shares)
        chance = np.where(rng.random((n, 1)) < 0.3, 0.3, 0.05)
        base = true ^ (rng.random((n, 4)) < chance)
        anew = true ^ (rng.random((n, 4)) < 1.1 * chance)
        return true, base, np.where(rng.random((n, 1)) < changed, anew, base)

    def value(true: np.ndarray, said: np.ndarray) -> float:
        axis = 0 if average == "macro" else None
        hits, positive, predicted = (x.sum(axis=axis) for x in (true & said, true, said))
        below = {"precision": predicted, "recall": positive, "f1": (positive + predicted) / 2}
        return float(np.mean(hits / below[metric]))

    def draw(rng: np.random.Generator, n: int) -> Estimate:
        true, base, head = ([names[row] for row in each] for each in marks(rng, n))
        return label_sets_difference((true, base, head), metric=metric, average=average)

    true, base, head = marks(np.random.default_rng(33), 4_000_000)
    truth = value(true, head) - value(true, base)
    for n in (200, 1000):
        check(f"{metric}_{average} sets changed={changed}", draw, n, runs=60 * times, truth=truth)
