"""How often does an estimate's interval hold what the labels show?"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.evidence.monitoring import Reference
from assay.monitoring.estimate import ScoredCounts, estimated
from honesty.test_sequential import shown

pytestmark = pytest.mark.honesty

Array = NDArray[np.float64]
DRIFTS = 400
TEST_ROWS, WINDOW_ROWS = 5_000, 1_000


def truth(x: Array, concept: float = 0.0) -> Array:
    """The chance of a positive; the score is monotone in it and off, as real ones are."""
    result: Array = 1 / (1 + np.exp(-1.5 * (x - concept)))
    return result


def score(x: Array) -> Array:
    """A score that is too sure of itself."""
    result: Array = 1 / (1 + np.exp(-3 * x))
    return result


def profile(rng: np.random.Generator) -> tuple[Reference, Array]:
    x = rng.normal(0, 1, TEST_ROWS)
    s, y = score(x), rng.random(TEST_ROWS) < truth(x)
    edges = np.quantile(s, np.arange(1, 20) / 20)
    cell = np.searchsorted(edges, s)
    bins = tuple(
        (float(s[cell == c].mean()), float(y[cell == c].mean()), int((cell == c).sum()))
        for c in range(20)
    )
    return Reference(model="m", columns=(), positive="1", calibration=bins), edges


def held(rng: np.random.Generator, *, concept: float = 0.0) -> tuple[int, int]:
    """One test set and one window that drifted; whether accuracy's and F1's intervals held."""
    reference, edges = profile(rng)
    shift, spread = rng.uniform(-1, 1), rng.uniform(0.6, 1.4)
    x = rng.normal(shift, spread, WINDOW_ROWS)
    s, y = score(x), rng.random(WINDOW_ROWS) < truth(x, concept)
    guess, cell = s > 0.5, np.searchsorted(edges, s)
    there = [c for c in range(20) if (cell == c).any()]
    counts = ScoredCounts(
        scores=tuple(float(s[cell == c].mean()) for c in there),
        positives=tuple(int(guess[cell == c].sum()) for c in there),
        negatives=tuple(int((~guess)[cell == c].sum()) for c in there),
        unscored=0,
    )
    accuracy, f1 = estimated(reference, counts)
    real = {
        "accuracy": float((guess == y).mean()),
        "f1": float(2 * (guess & y).sum() / (guess.sum() + y.sum())),
    }
    inside = [
        quality.interval is not None
        and quality.interval[0] <= real[quality.metric] <= quality.interval[1]
        for quality in (accuracy, f1)
    ]
    return int(inside[0]), int(inside[1])


def test_covariate_drifts_are_estimated_honestly() -> None:
    """Shifts up to a deviation, spreads from 0.6 to 1.4; nominal 95 %."""
    rng = np.random.default_rng(17)
    found = np.array([held(rng) for _ in range(DRIFTS)])
    for place, metric in enumerate(("accuracy", "f1")):
        _, high = shown(f"{metric}, covariate drift", int(found[:, place].sum()), DRIFTS)
        assert high >= 0.95
        assert found[:, place].mean() >= 0.9


def test_a_concept_drift_is_invisible() -> None:
    """What the documentation says: the interval then does not hold."""
    rng = np.random.default_rng(18)
    found = np.array([held(rng, concept=1.0) for _ in range(100)])
    shown("accuracy, concept drift", int(found[:, 0].sum()), 100)
    assert found[:, 0].mean() < 0.5
