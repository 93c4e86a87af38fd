from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, chi2_contingency, ttest_1samp
from sklearn.metrics import f1_score

from assay.stats import live


@pytest.mark.parametrize(("events", "n"), [(0, 10), (3, 10), (10, 10), (420, 1_000)])
def test_a_share_has_wilsons_interval(events: int, n: int) -> None:
    found = live.share(events, n, confidence=0.95)
    oracle = binomtest(events, n).proportion_ci(0.95, method="wilson")
    assert found.interval == pytest.approx((oracle.low, oracle.high), abs=1e-12)


def test_nothing_has_no_share() -> None:
    assert live.share(0, 0, nothing="no positives") == live.Measured(n=0, reason="no positives")


def test_f1_is_that_of_scikit_learn_and_lies_in_its_interval() -> None:
    random = np.random.default_rng(1)
    truth, said = random.random(500) < 0.3, random.random(500) < 0.4
    hits, wrong = int((truth & said).sum()), int((truth ^ said).sum())
    found = live.f1(hits, wrong)
    assert found.value == pytest.approx(f1_score(truth, said))
    assert found.interval is not None
    assert found.interval[0] < found.value < found.interval[1]


def test_f1_intervals_cover() -> None:
    random = np.random.default_rng(2)
    covered = 0
    for _ in range(400):
        truth = random.random(300) < 0.3
        said = np.where(random.random(300) < 0.15, ~truth, truth)
        found = live.f1(int((truth & said).sum()), int((truth ^ said).sum()))
        assert found.interval is not None
        # In the population: TP 0.3·0.85, errors 0.15.
        covered += found.interval[0] <= live.f1_of(0.255 / 0.405) <= found.interval[1]
    assert covered / 400 > 0.92


def test_a_mean_has_students_interval() -> None:
    values = np.random.default_rng(3).exponential(size=80)
    found = live.mean(80, values.sum(), (values**2).sum())
    oracle = ttest_1samp(values, 0).confidence_interval(0.95)
    assert found.interval == pytest.approx((oracle.low, oracle.high))


def test_few_rows_have_a_mean_without_an_interval() -> None:
    found = live.mean(5, 10.0, 30.0)
    assert (found.value, found.interval, found.reason) == (2.0, None, "too few rows")


def test_the_root_of_a_mean() -> None:
    errors = np.random.default_rng(4).normal(size=500)
    found = live.root_mean(500, (errors**2).sum(), (errors**4).sum())
    assert found.value == pytest.approx(np.sqrt((errors**2).mean()))
    assert found.interval is not None
    assert found.interval[0] < 1 < found.interval[1]


def test_the_calibration_error_of_bins() -> None:
    random = np.random.default_rng(5)
    score = random.random(4_000)
    truth = random.random(4_000) < np.clip(score + 0.1, 0, 1)
    bins = np.minimum((score * 10).astype(int), 9)
    gap = score - truth
    sums = [np.bincount(bins, weights=w, minlength=10) for w in (np.ones(4_000), gap, gap**2)]
    found = live.calibration_error(*sums)
    oracle = sum(
        abs(score[bins == b].mean() - truth[bins == b].mean()) * (bins == b).mean()
        for b in range(10)
    )
    assert found.value == pytest.approx(oracle)
    assert found.interval is not None
    assert found.interval[0] < 0.0955 < found.interval[1]


def test_uneven_shares_are_pearsons_test() -> None:
    p = live.uneven([90, 40], [100, 100])
    oracle = chi2_contingency([[90, 40], [10, 60]], correction=False)
    assert p == pytest.approx(oracle.pvalue)
    assert live.uneven([5], [10]) == 1.0
    assert live.uneven([10, 20], [10, 20]) == 1.0
