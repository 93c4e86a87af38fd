"""What holds for every metric: orientation, swap symmetry, row order, and the same bytes twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.config import METRICS, Task
from support.compared import compared, numbers
from support.predictions import binary, multiclass, regression

PROPERTY = settings(
    max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
Sides = tuple[dict[str, Any], dict[str, Any]]


def score(rows: int, seed: int) -> Sides:
    """A free per-row score without labels."""
    random = np.random.default_rng(seed)
    base = random.gamma(2.0, 1.0, rows)
    return (
        {"id": np.arange(rows), "cost": base},
        {"id": np.arange(rows), "cost": base + random.normal(0, 0.3, rows)},
    )


TASKS = {
    Task.BINARY: (binary, "y_score", "y_pred"),
    Task.MULTICLASS: (multiclass, "proba_", "prediction"),
    Task.REGRESSION: (regression, "pred", "pred"),
    Task.SCORE: (score, "cost", "cost"),
}


def metrics(task: Task) -> tuple[str, ...]:
    """Every built-in metric of a task; a score's are its columns."""
    if task is Task.SCORE:
        return ("mean:cost",)
    return tuple(name for name, metric in METRICS.items() if task in metric.tasks)


def partly(task: Task, sides: Sides, changed: float, seed: int) -> Sides:
    """The sides, of which a share of the rows differs: the others are the base's."""
    base, head = sides
    rows = len(next(iter(base.values())))
    keep = np.random.default_rng(seed).random(rows) >= changed
    predicted = [name for name in head if name.startswith(TASKS[task][1:])]
    mixed = {name: np.where(keep, base[name], head[name]) for name in predicted}
    return base, {**head, **mixed}


@pytest.mark.parametrize("task", TASKS)
@PROPERTY
@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(2, 220),
    changed=st.sampled_from([0.02, 0.1, 0.5, 1.0]),
)
def test_swapping_the_sides_mirrors_the_interval(
    tmp_path: Path, task: Task, seed: int, rows: int, changed: float
) -> None:
    base, head = partly(task, TASKS[task][0](rows, seed), changed, seed)
    asked = {"report": metrics(task), "task": task}
    forth, back = compared(tmp_path, base, head, **asked), compared(tmp_path, head, base, **asked)
    for left, right in zip(forth.measurements, back.measurements, strict=True):
        assert (left.regime, left.undefined) == (right.regime, right.undefined), left.metric
        assert left.base == (None if right.head is None else pytest.approx(right.head, abs=1e-12))
        if left.interval is None or right.interval is None:
            assert left.interval == right.interval, left.metric
            continue
        mirrored = (-right.interval[1], -right.interval[0])
        assert left.interval == pytest.approx(mirrored, rel=1e-6, abs=1e-9), left.metric


@pytest.mark.parametrize("task", TASKS)
@PROPERTY
@given(seed=st.integers(0, 10_000), rows=st.integers(2, 200))
def test_row_order_and_repetition_change_no_byte(
    tmp_path: Path, task: Task, seed: int, rows: int
) -> None:
    base, head = TASKS[task][0](rows, seed)
    asked = {"report": metrics(task), "task": task}
    once = numbers(compared(tmp_path, base, head, **asked))
    assert numbers(compared(tmp_path, base, head, **asked)) == once
    random = np.random.default_rng(seed)
    mixed = [
        {name: np.asarray(values)[order] for name, values in side.items()}
        for side, order in ((side, random.permutation(rows)) for side in (base, head))
    ]
    assert numbers(compared(tmp_path, *mixed, **asked)) == once


def improved(task: Task, base: dict[str, Any]) -> dict[str, Any]:
    """A head that is nowhere worse than the base and somewhere better."""
    if task is Task.BINARY:
        right = np.asarray(base["y_true"]) == 1
        nearer = np.where(right, (1 + base["y_score"]) / 2, base["y_score"] / 2)
        return {**base, "y_score": nearer, "y_pred": (nearer >= 0.5).astype(int)}
    if task is Task.MULTICLASS:
        names = [name.removeprefix("proba_") for name in base if name.startswith("proba_")]
        shares = np.stack([base[f"proba_{name}"] for name in names], axis=1)
        truth = np.stack([np.asarray(base["label"]) == name for name in names], axis=1)
        nearer = (shares + truth) / 2
        return {
            **base,
            **{f"proba_{name}": nearer[:, place] for place, name in enumerate(names)},
            "prediction": np.array(names)[nearer.argmax(axis=1)],
        }
    if task is Task.REGRESSION:
        return {**base, "pred": (base["pred"] + base["target"]) / 2}
    return {**base, "cost": base["cost"] + 1}


@pytest.mark.parametrize("task", TASKS)
@PROPERTY
@given(seed=st.integers(0, 10_000))
def test_positive_means_that_the_head_is_better(tmp_path: Path, task: Task, seed: int) -> None:
    base, _ = TASKS[task][0](200, seed)
    head = improved(task, base)
    # A head that comes nearer to the labels is surer, and may be too sure.
    report = tuple(name for name in metrics(task) if name != "calibration_error")
    found = compared(tmp_path, base, head, report=report, task=task)
    for each in found.measurements:
        assert each.difference is not None, each.undefined
        assert each.difference > 0, each.metric
        metric = METRICS.get(each.metric)
        rises = metric is None or metric.higher_is_better
        assert (each.head > each.base) == rises, each.metric
