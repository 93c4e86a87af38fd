"""Windows that drifted in one way, with what their quality was estimated to be and what it was.

One feature x, standard normal on the test set; the truth is logistic in it, and the score is
monotone in the truth's probability and too sure of itself, as real ones are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.evidence.monitoring import Reference
from assay.monitoring.estimate import ScoredCounts, estimated

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
TEST_ROWS, WINDOW_ROWS = 5_000, 1_000
METRICS = ("accuracy", "precision", "recall", "f1")
KINDS = {
    "none": "",
    "covariate": "x moves by up to a deviation, its spread by 0.6 to 1.4",
    "label shift": "positives become 20 to 80 %, each class stays as it was",
    "concept": "the truth's threshold moves by up to a deviation",
}
_SLOPE, _SURE = 1.5, 3.0
_CELLS = 20


@dataclass(frozen=True, kw_only=True)
class Estimated:
    """One metric of one window."""

    kind: str
    metric: str
    value: float
    low: float
    high: float
    realised: float
    usual: float
    """On the test set: what somebody would say who estimates nothing."""

    @property
    def held(self) -> bool:
        """Whether the interval holds what the labels showed."""
        return self.low <= self.realised <= self.high


def truth(x: Array, concept: float = 0.0) -> Array:
    """The chance of a positive."""
    result: Array = 1 / (1 + np.exp(-_SLOPE * (x - concept)))
    return result


def score(x: Array) -> Array:
    """A score that is too sure of itself."""
    result: Array = 1 / (1 + np.exp(-_SURE * x))
    return result


def window(rng: np.random.Generator, kind: str) -> tuple[Array, Bools]:
    """The feature and the labels of one window that drifted so."""
    if kind == "covariate":
        x = rng.normal(rng.uniform(-1, 1), rng.uniform(0.6, 1.4), WINDOW_ROWS)
        return x, rng.random(WINDOW_ROWS) < truth(x)
    if kind == "label shift":
        pool = rng.normal(0, 1, 20 * WINDOW_ROWS)
        labels = rng.random(pool.size) < truth(pool)
        y = rng.random(WINDOW_ROWS) < rng.uniform(0.2, 0.8)
        drawn = [rng.choice(pool[labels == side], WINDOW_ROWS, replace=False) for side in (0, 1)]
        return np.where(y, drawn[1], drawn[0]), y
    moved = rng.uniform(-1, 1) if kind == "concept" else 0.0
    x = rng.normal(0, 1, WINDOW_ROWS)
    return x, rng.random(WINDOW_ROWS) < truth(x, moved)


def profile(rng: np.random.Generator) -> tuple[Reference, Array]:
    """A test set's reference, and the inner edges of the score's cells."""
    x = rng.normal(0, 1, TEST_ROWS)
    s, y = score(x), rng.random(TEST_ROWS) < truth(x)
    edges = np.quantile(s, np.arange(1, _CELLS) / _CELLS)
    cell = np.searchsorted(edges, s)
    bins = tuple(
        (float(s[cell == c].mean()), float(y[cell == c].mean()), int((cell == c).sum()))
        for c in range(_CELLS)
    )
    quality = realised(s > 0.5, y)
    return Reference(
        model="m", columns=(), positive="1", calibration=bins, quality=quality
    ), edges  # fmt: skip


def realised(guess: Bools, y: Bools) -> dict[str, float]:
    """Each metric, as the labels show it."""
    hits = float((guess & y).sum())
    return {
        "accuracy": float((guess == y).mean()),
        "precision": hits / float(guess.sum()),
        "recall": hits / float(y.sum()),
        "f1": 2 * hits / float(guess.sum() + y.sum()),
    }


def simulated(rng: np.random.Generator, kind: str) -> list[Estimated]:
    """One test set and one window; every metric, by the code that estimates real ones."""
    reference, edges = profile(rng)
    x, y = window(rng, kind)
    s = score(x)
    guess, cell = s > 0.5, np.searchsorted(edges, s)
    there = [c for c in range(_CELLS) if (cell == c).any()]
    counts = ScoredCounts(
        scores=tuple(float(s[cell == c].mean()) for c in there),
        positives=tuple(int(guess[cell == c].sum()) for c in there),
        negatives=tuple(int((~guess)[cell == c].sum()) for c in there),
        unscored=0,
    )
    real = realised(guess, y)
    found = []
    for quality in estimated(reference, counts, metrics=METRICS):
        assert quality.value is not None
        assert quality.interval is not None
        low, high = quality.interval
        found.append(
            Estimated(
                kind=kind, metric=quality.metric, value=quality.value, low=low, high=high,
                realised=real[quality.metric], usual=reference.quality[quality.metric],
            )
        )  # fmt: skip
    return found
