"""Classification metrics against scikit-learn and statsmodels, and the properties of intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle
from statsmodels.stats.contingency_tables import mcnemar

from assay.stats.cells import PairedCells
from assay.stats.classification import AVERAGES, METRICS, compare_cells
from assay.stats.mcnemar import mcnemar_worse

SCORES = {
    "accuracy": lambda y, p, _: oracle.accuracy_score(y, p),
    "balanced_accuracy": lambda y, p, _: oracle.balanced_accuracy_score(y, p),
    "mcc": lambda y, p, _: oracle.matthews_corrcoef(y, p),
    "precision": lambda y, p, a: oracle.precision_score(y, p, average=a),
    "recall": lambda y, p, a: oracle.recall_score(y, p, average=a),
    "f1": lambda y, p, a: oracle.f1_score(y, p, average=a),
}
CASES = [
    (metric, average)
    for metric in METRICS
    for average in (AVERAGES if metric in {"precision", "recall", "f1"} else ("binary",))
]


def rows(classes: int, n: int = 2000, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = rng.choice(classes, size=n, p=np.arange(1, classes + 1) / sum(range(classes + 1)))
    base = np.where(rng.random(n) < 0.8, label, rng.integers(0, classes, n))
    head = np.where(rng.random(n) < 0.15, rng.integers(0, classes, n), base)
    return label, base, head


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize(("metric", "average"), CASES)
def test_values_are_scikit_learns(classes: int, metric: str, average: str) -> None:
    if classes > 2 and average == "binary" and metric in {"precision", "recall", "f1"}:
        return
    label, base, head = rows(classes)
    cells = PairedCells.from_rows(label, base, head, classes=classes)
    found = compare_cells(cells, metric, average=average, positive=1)
    score = SCORES[metric]
    assert found.base == pytest.approx(score(label, base, average), abs=1e-12)
    assert found.head == pytest.approx(score(label, head, average), abs=1e-12)
    assert found.difference == pytest.approx(found.head - found.base)
    assert found.n == label.size


def test_one_class_of_many_is_judged_against_the_rest() -> None:
    label, base, head = rows(4)
    cells = PairedCells.from_rows(label, base, head, classes=4)
    found = compare_cells(cells, "f1", positive=2)
    assert found.base == pytest.approx(oracle.f1_score(label == 2, base == 2))
    assert found.head == pytest.approx(oracle.f1_score(label == 2, head == 2))


@pytest.mark.parametrize("base_weight", [1.0, 0.9])
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize(("metric", "average"), CASES)
def test_standard_error_is_the_jackknifes(
    classes: int, metric: str, average: str, base_weight: float
) -> None:
    """Without smoothing the delta method equals the infinitesimal jackknife over cells."""
    label, base, head = rows(classes)
    cells = PairedCells.from_rows(label, base, head, classes=classes)

    def difference(counts: np.ndarray) -> float:
        scaled = PairedCells.from_arrays(
            cells.label, cells.base, cells.head, counts, classes=classes
        )
        found = compare_cells(scaled, metric, average=average, positive=1, base_weight=base_weight)
        assert found.difference is not None
        return found.difference

    million = 10**6
    scaled = cells.count * million
    slopes = []
    for place in range(cells.count.size):
        step = np.zeros_like(scaled)
        step[place] = million // 100
        slopes.append((difference(scaled + step) - difference(scaled)) * 100)
    variance = float(cells.count @ np.square(slopes))
    found = compare_cells(cells, metric, average=average, positive=1, base_weight=base_weight)
    assert found.row_variance == pytest.approx(variance * cells.n, rel=2e-3)


@given(base_only=st.integers(0, 60), head_only=st.integers(0, 60), both=st.integers(30, 500))
def test_p_values_are_mcnemars(base_only: int, head_only: int, both: int) -> None:
    table = [[both, base_only], [head_only, 3]]
    expected = mcnemar(table, exact=True).pvalue
    larger, smaller = max(base_only, head_only), min(base_only, head_only)
    assert min(1.0, 2 * mcnemar_worse(larger, smaller)) == pytest.approx(expected)
    cells = PairedCells.from_arrays(
        [1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 1, 0], [both, base_only, head_only, 3], classes=2
    )
    for metric in ("accuracy", "recall"):
        found = compare_cells(cells, metric, positive=1)
        assert found.p_worse == pytest.approx(mcnemar_worse(base_only, head_only))


@pytest.mark.parametrize("metric", ["accuracy", "recall", "balanced_accuracy"])
def test_a_handful_of_rows_is_never_better(metric: str) -> None:
    cells = PairedCells.from_arrays([1, 0], [0, 0], [1, 0], [4, 5], classes=2)
    found = compare_cells(cells, metric, positive=1)
    assert found.interval is None
    assert found.regime in ("too few rows", "too few positives")
    assert found.rows_to_judge is not None


def test_no_discordant_row_still_admits_ignorance() -> None:
    cells = PairedCells.from_dense([[[700, 0], [0, 50]], [[0, 50], [0, 200]]])
    agreeing = PairedCells.from_arrays(
        [0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 0, 1], [700, 50, 50, 200], classes=2
    )
    assert cells.n == agreeing.n == 1000
    found = compare_cells(agreeing, "accuracy")
    z2 = 1.959963984540054**2
    assert found.interval is not None
    assert found.interval.high == pytest.approx(z2 / (1000 + z2))
    assert found.interval.low == -found.interval.high
    assert found.p_worse == 1.0
    same = compare_cells(agreeing, "accuracy", identical=True)
    assert same.interval is not None
    assert (same.interval.low, same.interval.high, same.identical) == (0.0, 0.0, True)


dense = st.lists(st.integers(0, 40), min_size=8, max_size=8).filter(lambda cells: sum(cells) > 0)


@settings(max_examples=60)
@given(cells=dense, case=st.sampled_from(CASES))
def test_swapping_the_sides_mirrors_the_estimate(cells: list[int], case: tuple[str, str]) -> None:
    metric, average = case
    forward = np.array(cells).reshape(2, 2, 2)
    there = compare_cells(PairedCells.from_dense(forward), metric, average=average, positive=1)
    back = compare_cells(
        PairedCells.from_dense(forward.transpose(0, 2, 1)), metric, average=average, positive=1
    )
    assert (there.regime, there.undefined) == (back.regime, back.undefined)
    assert (there.base, there.head) == (back.head, back.base)
    if there.interval is None or back.interval is None:
        return
    assert there.interval.low == pytest.approx(-back.interval.high, abs=1e-12)
    assert there.interval.high == pytest.approx(-back.interval.low, abs=1e-12)


@settings(max_examples=60)
@given(cells=dense, case=st.sampled_from(CASES), weight=st.sampled_from([1.0, 0.98, 0.8]))
def test_estimates_are_whole_and_within_range(
    cells: list[int], case: tuple[str, str], weight: float
) -> None:
    metric, average = case
    paired = PairedCells.from_dense(np.array(cells).reshape(2, 2, 2))
    found = compare_cells(paired, metric, average=average, positive=1, base_weight=weight)
    given_up = [found.regime, found.undefined]
    assert sum(reason is not None for reason in given_up) + (found.interval is not None) == 1
    if found.interval is None:
        return
    assert found.difference is not None
    assert found.interval.low <= found.difference <= found.interval.high
    lowest = -1 if metric == "mcc" else 0
    assert found.interval.low >= lowest - weight - 1e-12
    assert found.interval.high <= 1 - weight * lowest + 1e-12
    assert found.p_worse is not None
    assert 0 <= found.p_worse <= 1
    assert found.detectable is not None
    assert found.detectable > 0


@settings(max_examples=40)
@given(cells=dense, factor=st.integers(2, 50), case=st.sampled_from(CASES))
def test_more_of_the_same_rows_narrow_the_interval(
    cells: list[int], factor: int, case: tuple[str, str]
) -> None:
    metric, average = case
    few = PairedCells.from_dense(np.array(cells).reshape(2, 2, 2))
    many = PairedCells.from_dense(np.array(cells).reshape(2, 2, 2) * factor)
    small, large = (
        compare_cells(each, metric, average=average, positive=1) for each in (few, many)
    )
    if small.interval is None or large.interval is None:
        return
    assert large.difference == pytest.approx(small.difference)
    assert large.interval.low >= small.interval.low - 1e-12
    assert large.interval.high <= small.interval.high + 1e-12


def test_order_and_splitting_of_cells_do_not_matter() -> None:
    label, base, head = rows(4)
    cells = PairedCells.from_rows(label, base, head, classes=4)
    mixed = np.random.default_rng(1).permutation(label.size)
    ones = np.ones(label.size, dtype=int)
    loose = PairedCells.from_arrays(label[mixed], base[mixed], head[mixed], ones, classes=4)
    for metric in ("accuracy", "mcc", "f1"):
        one = compare_cells(cells, metric, average="macro")
        other = compare_cells(loose, metric, average="macro")
        assert one.difference == pytest.approx(other.difference, abs=1e-14)
        assert one.interval is not None
        assert other.interval is not None
        assert one.interval.low == pytest.approx(other.interval.low, abs=1e-12)


def test_interval_and_inverted_p_agree_about_zero() -> None:
    """The upper end lies below 0 exactly where the inverted p is below 2.5 %."""
    rng = np.random.default_rng(5)
    for _ in range(60):
        counts = rng.multinomial(400, [0.35, 0.05, 0.03, 0.07, 0.07, 0.03, 0.06, 0.34])
        paired = PairedCells.from_dense(counts.reshape(2, 2, 2))
        found = compare_cells(paired, "f1", positive=1)
        assert found.interval is not None
        assert found.p_worse is not None
        assert (found.interval.high < 0) == (found.p_worse < 0.025)
        assert (found.interval.low > 0) == (found.p_worse > 0.975)


@pytest.mark.parametrize(
    ("cells", "metric", "average", "reason"),
    [
        ([[[90, 0], [0, 10]], [[0, 0], [0, 0]]], "recall", "binary", "no row has the positive"),
        ([[[90, 0], [0, 10]], [[0, 0], [0, 0]]], "balanced_accuracy", "binary", "one class among"),
        ([[[90, 0], [0, 10]], [[0, 0], [0, 0]]], "f1", "macro", "only one class among"),
        ([[[90, 0], [0, 0]], [[30, 0], [0, 0]]], "precision", "binary", "predicted positive"),
        ([[[90, 0], [0, 0]], [[30, 0], [0, 0]]], "mcc", "binary", "one class is predicted"),
        ([[[0, 0], [0, 0]], [[0, 0], [0, 0]]], "accuracy", "binary", "no rows"),
    ],
)
def test_what_is_zero_over_zero_has_no_value(
    cells: list[list[list[int]]], metric: str, average: str, reason: str
) -> None:
    paired = PairedCells.from_dense(cells)
    found = compare_cells(paired, metric, average=average, positive=1)
    assert found.undefined is not None
    assert reason in found.undefined
    assert found.interval is None


@pytest.mark.parametrize(
    ("metric", "average"), [("precision", "binary"), ("f1", "binary"), ("mcc", "binary")]
)
def test_few_positives_are_not_judged(metric: str, average: str) -> None:
    cells = PairedCells.from_dense([[[900, 5], [5, 40]], [[2, 1], [1, 6]]])
    found = compare_cells(cells, metric, average=average, positive=1)
    assert found.regime == "too few positives"
    assert found.base is not None
    assert found.rows_to_judge == math.ceil(960 * 20 / 10)


def test_a_relative_margin_needs_a_positive_base() -> None:
    cells = PairedCells.from_dense([[[100, 50], [50, 200]], [[200, 50], [50, 100]]])
    found = compare_cells(cells, "mcc", base_weight=0.98)
    assert found.base is not None
    assert found.base < 0
    assert found.regime == "a relative margin needs a base above 0"


def test_a_thousand_classes_need_no_dense_table() -> None:
    rng = np.random.default_rng(2)
    label = rng.integers(0, 1000, 50_000)
    base = np.where(rng.random(50_000) < 0.8, label, (label * 7 + 3) % 1000)
    head = np.where(rng.random(50_000) < 0.9, base, label)
    cells = PairedCells.from_rows(label, base, head, classes=1000)
    found = compare_cells(cells, "f1", average="macro")
    assert found.base == pytest.approx(oracle.f1_score(label, base, average="macro"))
    assert found.interval is not None
    assert found.interval.low > 0


def test_cells_refuse_what_is_not_a_table() -> None:
    with pytest.raises(ValueError, match="class numbers"):
        PairedCells.from_arrays([2], [0], [0], [1], classes=2)
    with pytest.raises(ValueError, match="negative"):
        PairedCells.from_arrays([1], [0], [0], [-1], classes=2)
    with pytest.raises(ValueError, match="one length"):
        PairedCells.from_arrays([1, 0], [0], [0], [1], classes=2)
    cells = PairedCells.from_arrays([1], [0], [0], [1], classes=2)
    with pytest.raises(ValueError, match="unknown metric"):
        compare_cells(cells, "accuracy_score")
    with pytest.raises(ValueError, match="positive class"):
        compare_cells(cells, "f1")
    with pytest.raises(ValueError, match="confidence"):
        compare_cells(cells, "accuracy", confidence=95)
