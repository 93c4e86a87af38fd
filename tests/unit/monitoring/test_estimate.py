"""Quality without labels: the expectation where scores are calibrated, refusals where not."""

from __future__ import annotations

import numpy as np
import pytest

from assay.evidence.monitoring import Quality, Reference
from assay.monitoring.estimate import ScoredCounts, estimated, retrospect
from assay.stats.confidence_based import Calibration, estimate

REFERENCE = Reference(
    model="m",
    columns=(),
    quality={"accuracy": 0.8},
    positive="1",
    calibration=tuple((p, p, 1_000) for p in (0.1, 0.3, 0.5, 0.7, 0.9)),
)


def test_the_expected_confusion() -> None:
    """By hand: 100 at 0.9 predicted positive, 100 at 0.1 predicted negative."""
    counts = ScoredCounts(scores=(0.1, 0.9), positives=(0, 100), negatives=(100, 0), unscored=0)
    accuracy, f1 = estimated(REFERENCE, counts)
    assert accuracy.value == pytest.approx(0.9, abs=1e-3)
    # 90 hits of 100 guesses and 100 expected positives.
    assert f1.value == pytest.approx(2 * 90 / (100 + 100), abs=1e-3)
    assert accuracy.interval is not None
    low, high = accuracy.interval
    assert low < 0.9 < high
    # The labels' chance, and that of two rates of 1,000 rows that hold half of the rows each.
    spread = np.sqrt(0.09 / 200 + 2 * 0.5**2 * 0.09 / 1_000)
    assert high - low == pytest.approx(2 * 1.96 * spread, rel=0.01)
    assert accuracy.estimated


def test_rates_rise_with_the_score() -> None:
    fitted = Calibration.fitted([0.2, 0.4, 0.6], [0.1, 0.5, 0.3], [100, 100, 100])
    assert (np.diff(fitted.rates) >= 0).all()
    assert fitted.weights([0.3]).sum() == pytest.approx(1)


@pytest.mark.parametrize("metric", ["precision", "recall", "f1"])
def test_the_gradient_is_that_of_finite_differences(metric: str) -> None:
    """The spread of simulated labels under the same calibration is what the interval says."""
    rng = np.random.default_rng(5)
    scores = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    n1, n0 = np.array([0, 10, 300, 400, 500]), np.array([900, 400, 300, 20, 0])
    sure = Calibration(scores=scores, rates=scores, rows=np.full(5, 1e12))
    found = estimate(metric, sure, scores=scores, positives=n1, negatives=n0, confidence=0.95)
    assert found is not None
    hits = rng.binomial(n1, scores, (4_000, 5)).sum(axis=1)
    labels = hits + rng.binomial(n0, scores, (4_000, 5)).sum(axis=1)
    real = {"precision": hits / n1.sum(), "recall": hits / labels,
            "f1": 2 * hits / (n1.sum() + labels)}[metric]  # fmt: skip
    assert found.value == pytest.approx(real.mean(), abs=2e-3)
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * real.std(), rel=0.06)


@pytest.mark.parametrize(
    ("reference", "counts", "words"),
    [
        (Reference(model="m", columns=()), None, "no labelled scores"),
        (REFERENCE, None, "no column with the score"),
        (REFERENCE, ScoredCounts(scores=(), positives=(), negatives=(), unscored=4), "no row"),
    ],
)
def test_refusals(reference: Reference, counts: ScoredCounts | None, words: str) -> None:
    (quality,) = estimated(reference, counts, metrics=("accuracy", "mae"))
    assert quality.value is None
    assert words in (quality.reason or "")


def test_no_positive_has_no_precision() -> None:
    counts = ScoredCounts(scores=(0.1,), positives=(0,), negatives=(50,), unscored=3)
    precision, accuracy = estimated(REFERENCE, counts, metrics=("precision", "accuracy"))
    assert precision.value is None
    assert "positive" in (precision.reason or "")
    assert "3 rows" in (accuracy.reason or "")


def test_in_retrospect() -> None:
    def guess(value: float) -> Quality:
        return Quality(
            metric="accuracy", value=value, interval=(value - 0.02, value + 0.02), n=9,
            estimated=True,
        )  # fmt: skip

    def truth(value: float | None) -> Quality:
        return Quality(metric="accuracy", value=value, n=9)

    pairs = [(guess(0.7), truth(0.71)), (guess(0.75), truth(0.7)), (guess(0.6), truth(None))]
    found = retrospect(REFERENCE, "accuracy", pairs)
    assert found is not None
    assert (found.windows, found.held) == (2, 1)
    assert found.error == pytest.approx(0.03)
    assert found.constant == pytest.approx((0.09 + 0.1) / 2)
    assert "of 2 earlier windows the interval held 1" in found.sentence()
    assert retrospect(REFERENCE, "f1", pairs) is None
