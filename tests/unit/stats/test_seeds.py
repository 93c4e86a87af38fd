"""Means over training seeds: the variance is that of all rows and seeds, from pairs alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from assay.stats.estimate import Contrast
from assay.stats.seeds import PairVariance, Trained, seeds_difference


def pairs(values: np.ndarray, others: np.ndarray) -> list[PairVariance]:
    return [
        PairVariance(plain=float(np.var(a - b)) / a.size)
        for place, a in enumerate(values)
        for number, b in enumerate(others)
        if values is not others or place < number
    ]


def sides(base: np.ndarray, head: np.ndarray) -> tuple[Contrast, Trained, Trained]:
    left, right = (
        Trained(values=rows.mean(1).tolist(), within=pairs(rows, rows)) for rows in (base, head)
    )
    contrast = Contrast(n=base.shape[1], base=left.mean, head=right.mean)
    return contrast, left, right


def test_without_training_noise_measured_it_is_the_error_of_the_averaged_rows() -> None:
    rng = np.random.default_rng(1)
    own = rng.normal(size=400)
    base, head = own + rng.normal(size=(1, 400)), own + rng.normal(size=(4, 400))
    contrast, left, right = sides(base, head)
    found = seeds_difference(contrast, left, right, pairs(base, head), confidence=0.95)
    assert found.training_error is None
    averaged = head.mean(0) - base.mean(0)
    assert found.test_error == pytest.approx(math.sqrt(np.var(averaged) / 400))
    interval = found.estimate.interval
    assert interval is not None
    assert interval.high - interval.low == pytest.approx(2 * 1.959964 * found.test_error)


def test_the_rows_error_is_what_all_seeds_share() -> None:
    """With many seeds V(cross) − V(within)/2 − V(within)/2 is the variance of their means."""
    rng = np.random.default_rng(2)
    own = [rng.normal(size=300) for _ in range(2)]
    base, head = (rows + rng.normal(size=(200, 300)) for rows in own)
    contrast, left, right = sides(base, head)
    found = seeds_difference(contrast, left, right, pairs(base, head), confidence=0.95)
    shared = np.var(head.mean(0) - base.mean(0)) / 300
    # The mean over 200 seeds still holds 1/200 of what is each seed's own.
    assert found.test_error**2 == pytest.approx(shared - 2 / 200 / 300, rel=0.02)


def test_each_source_has_its_own_quantile() -> None:
    base = Trained(values=[0.80, 0.82, 0.81], within=[PairVariance(plain=0.0)])
    head = Trained(values=[0.84, 0.82, 0.83, 0.85], within=[PairVariance(plain=0.0)])
    contrast = Contrast(n=1000, base=base.mean, head=head.mean)
    cross = [PairVariance(plain=1e-4, smoothing=2e-5)]
    found = seeds_difference(contrast, base, head, cross, confidence=0.95)
    expected = math.sqrt(
        stats.t.ppf(0.975, 2) ** 2 * np.var(base.values, ddof=1) / 3
        + stats.t.ppf(0.975, 3) ** 2 * np.var(head.values, ddof=1) / 4
        + stats.norm.ppf(0.975) ** 2 * 1.2e-4
    )
    interval = found.estimate.interval
    assert interval is not None
    assert (interval.high - interval.low) / 2 == pytest.approx(expected)
    assert found.estimate.row_variance is None
    assert found.estimate.p_worse is not None
    assert 0.5 < found.estimate.p_worse < 1
    assert found.estimate.detectable is not None
    assert found.estimate.detectable > expected


def test_few_clusters_of_rows_widen_their_part() -> None:
    base = Trained(values=[0.8], within=[])
    contrast = Contrast(n=1000, base=0.8, head=0.8)
    cross = [PairVariance(plain=1e-4)]
    found = seeds_difference(contrast, base, base, cross, confidence=0.95, clusters=12)
    interval = found.estimate.interval
    assert interval is not None
    assert interval.high == pytest.approx(stats.t.ppf(0.975, 11) * 1e-2)


def test_a_weighted_base_counts_with_its_weight() -> None:
    base = Trained(values=[0.8, 0.81, 0.82], within=[PairVariance(plain=2e-5)])
    contrast = Contrast(n=1000, base=base.mean, head=base.mean, base_weight=0.5)
    cross = [PairVariance(plain=1e-4)]
    found = seeds_difference(contrast, base, base, cross, confidence=0.95)
    assert found.test_error**2 == pytest.approx(1e-4 - 0.25e-5 - 1e-5)
    assert found.training_error is not None
    assert found.training_error**2 == pytest.approx(1.25 * np.var(base.values, ddof=1) / 3)


def test_two_seeds_are_not_judged() -> None:
    base = Trained(values=[0.8, 0.81], within=[PairVariance(plain=1e-5)])
    contrast = Contrast(n=1000, base=base.mean, head=base.mean)
    found = seeds_difference(contrast, base, base, [PairVariance(plain=1e-4)], confidence=0.95)
    assert found.estimate.interval is None
    assert found.estimate.regime == "too few seeds: 3 on each side are the least"
    assert found.training_error is not None
