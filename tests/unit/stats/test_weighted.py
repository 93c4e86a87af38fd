"""Comparing arms whose shares change: unbiased by time, and one batch is an ordinary comparison."""

from __future__ import annotations

import numpy as np
import pytest

from assay.stats.sequential.means import Sums, mean_difference, separate_difference
from assay.stats.sequential.weighted import Stratum, weighted_difference, weighted_estimate


def drawn(
    rng: np.random.Generator, n: int, share: float, rates: tuple[float, float], usual: float = 1.0
) -> Stratum:
    head = rng.random(n) < share
    values = (rng.random(n) < np.where(head, rates[1], rates[0])).astype(float)
    return Stratum(
        share=share,
        base=Sums.of(values[~head], usual=usual),
        head=Sums.of(values[head], usual=usual),
    )


def test_one_even_batch_is_an_ordinary_comparison() -> None:
    rng = np.random.default_rng(3)
    batch = drawn(rng, 20_000, 0.5, (0.8, 0.83))
    found = weighted_difference([batch], planned=5_000)
    plain = mean_difference(batch.base, batch.head, planned=5_000)
    assert found.interval is not None
    assert plain.interval is not None
    assert found.difference == pytest.approx(plain.difference, abs=1e-3)
    assert found.interval.low == pytest.approx(plain.interval.low, abs=1e-3)
    assert found.interval.high == pytest.approx(plain.interval.high, abs=1e-3)


def test_hours_and_versions_are_not_mixed_up() -> None:
    """Morning: few get the new one and most are right; evening: the other way round."""
    rng = np.random.default_rng(4)
    batches = [
        drawn(rng, 100_000, 0.05, (0.9, 0.9)),
        drawn(rng, 100_000, 0.5, (0.6, 0.6)),
    ]
    found, error = weighted_estimate(batches)
    plain = (
        sum((each.head for each in batches), start=Sums()).mean
        - sum((each.base for each in batches), start=Sums()).mean
    )
    assert abs(found) < 4 * error
    assert plain < -0.1


def test_the_estimate_agrees_with_its_formula_on_rows() -> None:
    rng = np.random.default_rng(5)
    rows, batches = [], []
    for share in (0.1, 0.4, 0.9):
        head = rng.random(500) < share
        values = rng.normal(1.0 + 0.3 * head, 1.0)
        rows.append((values, head, np.full(500, share)))
        batches.append(
            Stratum(share=share, base=Sums.of(values[~head]), head=Sums.of(values[head]))
        )
    y, a, p = (np.concatenate(part) for part in zip(*rows, strict=True))
    score = (a - p) * (y - y.mean())
    overlap = (p * (1 - p)).sum()
    found, error = weighted_estimate(batches)
    assert found == pytest.approx(score.sum() / overlap)
    assert error == pytest.approx(np.sqrt((score**2).sum()) / overlap)


def test_it_is_oriented() -> None:
    batch = drawn(np.random.default_rng(6), 5_000, 0.3, (0.2, 0.3))
    up = weighted_difference([batch], planned=1_000)
    down = weighted_difference([batch], planned=1_000, greater_is_better=False)
    assert up.interval is not None
    assert down.interval is not None
    assert up.difference == -down.difference
    assert (up.interval.low, up.interval.high) == (-down.interval.high, -down.interval.low)


def test_what_cannot_be_judged_says_why() -> None:
    few = Stratum(share=0.5, base=Sums.of([0.0] * 30), head=Sums.of([1.0] * 30))
    assert weighted_difference([few], planned=100).regime == "too few events"
    assert weighted_difference([], planned=100).regime == "too few events"
    equal = Stratum(share=0.5, base=Sums.of([1.0] * 30), head=Sums.of([1.0] * 30))
    assert weighted_difference([equal], planned=100).regime == "too few events"
    with pytest.raises(ValueError, match="between 0 and 1"):
        Stratum(share=1.0, base=Sums(), head=Sums())


def test_two_times_are_compared_by_two_sequences() -> None:
    rng = np.random.default_rng(7)
    before, after = (Sums.of(rng.normal(mean, 1, 4_000)) for mean in (0.0, 1.0))
    look = separate_difference(before, after, planned=4_000)
    direct = mean_difference(before, after, planned=4_000)
    assert look.interval is not None
    assert direct.interval is not None
    assert look.difference == direct.difference
    assert look.interval.low < direct.interval.low < direct.interval.high < look.interval.high
    assert separate_difference(before, Sums(), planned=100).regime == "too few events"
