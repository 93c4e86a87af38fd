"""Expected calibration error, for two classes and for the likeliest of several."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.config import Columns, Gate, Slice
from assay.stats.calibration import calibration_error_difference
from support.compared import compared as compared_as
from support.compared import measured as measured_of
from support.predictions import binary, multiclass

METRIC = "calibration_error"
compared = partial(compared_as, report=(METRIC,))
measured = partial(measured_of, metric=METRIC)


def oracle(confidence: Any, right: Any) -> float:
    """Σ over bins of the share of rows times |mean confidence − share right|."""
    bins = np.clip(np.digitize(confidence, np.arange(1, 10) / 10), 0, 9)
    parts = [bins == place for place in range(10)]
    return float(
        sum(
            part.mean() * abs(confidence[part].mean() - right[part].mean())
            for part in parts
            if part.any()
        )
    )


def test_two_classes(tmp_path: Path) -> None:
    base, head = binary(900)
    found = compared(tmp_path, base, head, slices=(Slice(column="region"),))
    for where, rows in (("all", slice(None)), ("region=north", base["region"] == "north")):
        here = measured(found, where=where)
        y = base["y_true"][rows]
        sides = [side["y_score"][rows] for side in (base, head)]
        assert (here.base, here.head) == pytest.approx([oracle(p, y) for p in sides])
        assert here.difference == pytest.approx(here.base - here.head)
        assert here.interval is not None
        expected = calibration_error_difference((sides[0], y), (sides[1], y))
        assert expected.interval is not None
        assert here.interval == pytest.approx((expected.interval.low, expected.interval.high))


def test_several_classes_count_by_the_likeliest(tmp_path: Path) -> None:
    base, head = multiclass(600)
    here = measured(compared(tmp_path, base, head))
    names = np.array(["cat", "dog", "owl"])
    for side, value in ((base, here.base), (head, here.head)):
        scores = np.column_stack([side[f"proba_{name}"] for name in names])
        right = names[scores.argmax(axis=1)] == side["label"]
        assert value == pytest.approx(oracle(scores.max(axis=1), right))


def test_it_gates(tmp_path: Path) -> None:
    base, head = binary(3000)
    found = compared(tmp_path, base, head, gates={METRIC: Gate(margin=0.1)}, report=None)
    assert measured(found).higher_is_better is False
    assert measured(found).p_worse is not None


def test_the_interval_is_wider_than_that_of_the_rows_where_both_are_calibrated() -> None:
    rng = np.random.default_rng(8)
    p = rng.random(1000)
    y = rng.random(1000) < p
    other = np.clip(p + rng.normal(0, 0.05, 1000), 0, 1)
    found = calibration_error_difference((p, y), (other, y))
    back = calibration_error_difference((other, y), (p, y))
    assert found.interval is not None
    assert back.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx(
        (-back.interval.high, -back.interval.low)
    )
    assert found.interval.low < 0 < found.interval.high


def test_rows_that_agree_leave_little_doubt_about_the_excess() -> None:
    rng = np.random.default_rng(9)
    p = rng.random(5000)
    y = rng.random(5000) < p
    few = np.where(np.arange(5000) < 50, 1 - p, p)
    widths = []
    for other in (few, 1 - p):
        found = calibration_error_difference((p, y), (other, y))
        assert found.interval is not None
        widths.append(found.interval.high - found.interval.low)
    assert widths[0] < 0.8 * widths[1]


def test_what_cannot_be_measured_says_why(tmp_path: Path) -> None:
    base, head = binary(100)
    few = [{name: values[:20] for name, values in side.items()} for side in (base, head)]
    assert measured(compared(tmp_path, *few)).regime == "too few rows"
    head["y_score"] = head["y_score"] + 1
    assert "outside 0 to 1" in (measured(compared(tmp_path, base, head)).undefined or "")


@pytest.mark.parametrize("task", [binary, multiclass])
def test_rows_that_are_weighted_and_clustered_are_judged(tmp_path: Path, task: Any) -> None:
    base, head = task(900)
    weights = np.where(np.arange(900) % 3 == 0, 3.0, 1.0)
    for side in (base, head):
        side["user"] = np.arange(900) % 75
        side["w"] = weights
    columns = Columns(entity="user", weight="w")
    here = measured(compared(tmp_path, base, head, columns=columns))
    assert here.clusters == 75
    assert here.interval is not None
    # A row that weighs three times stands for three.
    copies = np.repeat(np.arange(900), weights.astype(int))
    repeated = [
        {name: np.asarray(values)[copies] for name, values in side.items() if name != "w"}
        | {"id": np.arange(copies.size)}
        for side in (base, head)
    ]
    again = measured(compared(tmp_path, *repeated, columns=Columns(entity="user")))
    assert (here.base, here.head) == pytest.approx((again.base, again.head))
    assert here.interval == pytest.approx(again.interval)


def test_over_several_seeds_it_is_shown_and_not_judged(tmp_path: Path) -> None:
    base, head = (
        {
            "id": np.tile(side["id"], 2),
            "run": np.repeat([1, 2], 300),
            "y_true": np.tile(side["y_true"], 2),
            "y_score": np.tile(side["y_score"], 2),
        }
        for side in binary(300)
    )
    here = measured(compared(tmp_path, base, head, columns=Columns(seed="run")))
    assert here.interval is None
    assert here.regime == "the bias of calibration error is not known over several seeds"
