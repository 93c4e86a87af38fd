"""Slices of two columns at once, and bins of equal size: held to the rows they are made of."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.config import Cross, Slice, WorstSlice
from assay.errors import InputError
from assay.evidence import Comparison
from support.compared import compared
from support.predictions import binary, regression

PLANS = np.array(["basic", "plus", "pro & more"])


def with_plan(sides: tuple[Any, Any]) -> tuple[Any, Any]:
    rows = len(next(iter(sides[0].values())))
    plan = PLANS[np.random.default_rng(5).integers(0, 3, rows)]
    return {**sides[0], "plan": plan}, {**sides[1], "plan": plan}


def only(columns: Any, mask: Any) -> Any:
    return {name: np.asarray(values)[mask] for name, values in columns.items()}


def strip(comparison: Comparison, where: str) -> list[Any]:
    """The numbers of one slice, without its name."""
    return [
        measured.model_copy(update={"slice": "all"})
        for measured in comparison.measurements
        if measured.slice == where
    ]


@pytest.mark.parametrize(
    ("make", "report"),
    [
        (binary, ("accuracy", "f1", "log_loss", "roc_auc", "average_precision")),
        (regression, ("mae", "rmse", "r2", "median_absolute_error")),
    ],
    ids=["binary", "regression"],
)
def test_a_crossing_is_the_comparison_of_its_rows_alone(
    tmp_path: Path, make: Callable[[int], tuple[Any, Any]], report: tuple[str, ...]
) -> None:
    base, head = with_plan(make(900))
    base["age"] = head["age"] = np.random.default_rng(6).integers(18, 90, 900)
    slices = (Slice(column="age", bins=(30.0, 60.0)), Cross(cross=("plan", "age")))
    asked = {"report": report, "min_slice_rows": 30}
    found = compared(tmp_path / "all", base, head, slices=slices, **asked)
    names = {measured.slice for measured in found.measurements}
    assert len(names) == 1 + 3 + 9
    for plan, shown in (("plus", "plus"), ("pro & more", "'pro & more'")):
        mask = (base["plan"] == plan) & (base["age"] >= 30) & (base["age"] < 60)
        alone = compared(tmp_path / shown, only(base, mask), only(head, mask), report=report)
        # Sums run about another centre, which moves the last digits.
        for one, other in zip(
            strip(found, f"plan={shown} & age=30 to below 60"), strip(alone, "all"), strict=True
        ):
            assert (one.metric, one.n, one.regime) == (other.metric, other.n, other.regime)
            assert one.difference == pytest.approx(other.difference, abs=1e-12)
            if one.interval is not None:
                assert one.interval == pytest.approx(other.interval, rel=1e-6)


def test_a_column_may_be_crossed_without_being_sliced(tmp_path: Path) -> None:
    base, head = with_plan(binary(900))
    found = compared(tmp_path, base, head, slices=(Cross(cross=("region", "plan")),))
    names = {measured.slice for measured in found.measurements} - {"all"}
    assert names == {
        f"region={region} & plan={plan}"
        for region in ("north", "south")
        for plan in ("basic", "plus", "'pro & more'")
    }


def test_a_crossing_with_thousands_of_pairs_keeps_those_with_enough_rows(tmp_path: Path) -> None:
    rows = 3000
    random = np.random.default_rng(7)
    shop = np.where(np.arange(rows) < 1200, 0, random.integers(1, 900, rows))
    base, head = binary(rows)
    base["shop"] = head["shop"] = shop
    base["region"] = head["region"] = np.where(np.arange(rows) % 2, "north", "south")
    found = compared(tmp_path, base, head, slices=(Cross(cross=("shop", "region")),))
    assert {measured.slice for measured in found.measurements} == {
        "all", "shop=0 & region=north", "shop=0 & region=south",
    }  # fmt: skip
    assert len(found.small_slices) == 98
    assert any("'shop & region' has" in note for note in found.notes)


def test_ten_thousand_slices_are_listed_in_part_and_searched_in_full(tmp_path: Path) -> None:
    rows = 300_000
    base, head = binary(rows)
    keep = ("id", "y_true", "y_pred")
    shop = np.arange(rows) % 10_000
    sides = tuple({**{name: side[name] for name in keep}, "shop": shop} for side in (base, head))
    search = WorstSlice(min_rows=30)
    asked = {"slices": (Slice(column="shop"),), "min_slice_rows": 30, "report": ("accuracy",)}
    found = compared(tmp_path, *sides, worst_slice=search, **asked)
    assert len(found.measurements) == 1 + 100
    assert found.worst_slice is not None
    assert found.worst_slice.searched == 10_000
    assert len(found.to_json()) < 200_000
    assert any("'shop' has 10,000 values; the 100 with most rows" in note for note in found.notes)


def test_fifty_thousand_classes_are_compared_and_their_average_is_not_judged(
    tmp_path: Path,
) -> None:
    rows, classes = 60_000, 50_000
    random = np.random.default_rng(8)
    label = np.arange(rows) % classes
    names = np.array([f"product {number}" for number in range(classes)])
    right = random.random((2, rows)) < 0.9
    sides = tuple(
        {"id": np.arange(rows), "y_true": names[label],
         "y_pred": names[np.where(each, label, (label + 1) % classes)]}
        for each in right
    )  # fmt: skip
    found = compared(tmp_path, *sides, report=("accuracy", "f1_macro"))
    accuracy, average = found.measurements
    assert accuracy.interval is not None
    assert accuracy.base == pytest.approx(right[0].mean())
    assert average.base is not None
    assert average.regime == "too few rows in most classes"
    assert average.rows_needed == 20 * rows


def test_names_stay_apart_whatever_columns_and_values_are_called(tmp_path: Path) -> None:
    base, head = binary(200)
    half = np.arange(200) % 2 == 0
    for side in (base, head):
        side |= {"a": np.where(half, "b=c", "x & y=1"), "a=b": np.where(half, "c", "d")}
        side |= {"y": np.ones(200, int), "q": np.where(half, "'it''s'", "'")}
    slices = (*(Slice(column=name) for name in ("a", "a=b", "q")), Cross(cross=("a", "y")))
    found = compared(tmp_path, base, head, report=("accuracy",), slices=slices)
    assert [measured.slice for measured in found.measurements[1:]] == [
        "a=b=c", "a='x & y=1'", "'a=b'=c", "'a=b'=d", "q='", "q='''it''''s'''",
        "a=b=c & y=1", "a='x & y=1' & y=1",
    ]  # fmt: skip


def test_bins_of_equal_size_are_quantiles_of_the_truth(tmp_path: Path) -> None:
    base, head = binary(1000)
    edges = np.quantile(base["age"], [0.25, 0.5, 0.75], method="inverted_cdf")
    found = compared(
        tmp_path, base, head, report=("accuracy",), slices=(Slice(column="age", bins=4),),
    )  # fmt: skip
    rows = {measured.slice: measured.n for measured in found.measurements[1:]}
    assert list(rows) == [
        f"age=below {edges[0]:g}",
        *(f"age={low:g} to below {high:g}" for low, high in itertools.pairwise(edges)),
        f"age={edges[2]:g} and above",
    ]
    assert max(rows.values()) - min(rows.values()) <= 2


def test_edges_that_print_alike_keep_their_digits(tmp_path: Path) -> None:
    base, head = binary(400)
    base["t"] = head["t"] = 1e9 + np.arange(400) % 4 / 8
    found = compared(tmp_path, base, head, slices=(Slice(column="t", bins=4),))
    assert "t=1000000000.125 to below 1000000000.25" in {m.slice for m in found.measurements}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.ones(200), "most of its values are 1"),
        (np.full(200, np.nan), "it has no number"),
        (np.array(["x"] * 200), "holds text values, which have no bins"),
    ],
)
def test_what_cannot_be_divided_is_refused(tmp_path: Path, values: Any, words: str) -> None:
    base, head = binary(200)
    base["t"] = head["t"] = values
    with pytest.raises(InputError, match=words):
        compared(tmp_path, base, head, slices=(Slice(column="t", bins=4),))


def test_a_crossing_of_an_unknown_column_is_refused(tmp_path: Path) -> None:
    base, head = binary(200)
    with pytest.raises(InputError, match="no column 'plan' to slice"):
        compared(tmp_path, base, head, slices=(Cross(cross=("region", "plan")),))
