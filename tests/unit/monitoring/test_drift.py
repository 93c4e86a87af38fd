"""Drift of a window: effects decide, p-values confirm, and the costly comes first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from assay.config import Columns
from assay.config.monitoring import DriftRule
from assay.evidence.monitoring import Drift, Reference
from assay.monitoring.drift import Counted, drifted, sentence
from assay.monitoring.profile import layouts, make_reference
from assay.tables.column_counts import count_columns
from assay.tables.source import open_tables
from support.data_files import write_parquet

ROWS = 6_000
RULE = DriftRule()


def drawn(seed: int, *, shift: float = 0.0, rows: int = ROWS) -> dict[str, NDArray[Any]]:
    """`harm` decides the label, `idle` does not; `plan` is a category."""
    rng = np.random.default_rng(seed)
    harm, idle = rng.normal(shift, 1, rows), rng.normal(0, 1, rows)
    plan = rng.choice(["free", "basic", "gold"], rows, p=[0.5, 0.3, 0.2])
    return {"harm": harm, "idle": idle, "plan": plan}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    folder = tmp_path_factory.mktemp("reference")
    features = drawn(1)
    rng = np.random.default_rng(2)
    right = rng.random(ROWS) < np.where(features["harm"] > 0, 0.95, 0.6)
    label = rng.integers(0, 2, ROWS)
    return make_reference(
        model="m",
        predictions=write_parquet(
            folder / "p.parquet",
            {**features, "label": label, "prediction": np.where(right, label, 1 - label)},
        ),
        data=None,
        columns=Columns(),
    )


def counted(folder: Path, reference: Reference, rows: Mapping[str, Sequence[Any]]) -> Counted:
    with open_tables({"log": write_parquet(folder / "log.parquet", rows)}) as engine:
        return count_columns(engine, "log", layouts(reference))


def found(drifts: Sequence[Drift], name: str, against: str = "reference") -> Drift:
    return next(each for each in drifts if (each.column, each.against) == (name, against))


def effect(drift: Drift, name: str) -> float:
    return next(each.value for each in drift.effects if each.name == name)


def test_nothing_moved(tmp_path: Path, reference: Reference) -> None:
    drifts = drifted(reference, counted(tmp_path, reference, drawn(3)), rule=RULE)
    assert {drift.column for drift in drifts} == {"harm", "idle", "plan"}
    assert not any(drift.moved for drift in drifts)
    assert all(abs(drift.cost or 0) < 0.02 for drift in drifts)


def test_effects_are_those_of_the_rows(tmp_path: Path, reference: Reference) -> None:
    """Wasserstein over rows is scipy's but for the bins; the index is the one of ten equal bins."""
    now = drawn(3, shift=0.7)
    drift = found(drifted(reference, counted(tmp_path, reference, now), rule=RULE), "harm")
    before = drawn(1)["harm"]
    exact = wasserstein_distance(before, now["harm"]) / before.std()
    assert effect(drift, "wasserstein_sd") == pytest.approx(exact, rel=0.04)
    edges = np.quantile(before, np.arange(1, 10) / 10, method="inverted_cdf")
    p, q = (
        np.bincount(np.searchsorted(edges, side), minlength=10) / ROWS
        for side in (before, now["harm"])
    )
    assert effect(drift, "psi") == pytest.approx(float(((q - p) * np.log(q / p)).sum()), rel=1e-4)
    assert drift.moved
    assert drift.histogram is not None


def test_the_costly_comes_first(tmp_path: Path, reference: Reference) -> None:
    """Both moved alike; where the model is bad, it costs. Its size is the loss by reweighting."""
    now = drawn(3, shift=-1.0)
    now["idle"] = now["idle"] - 1.5
    drifts = drifted(reference, counted(tmp_path, reference, now), rule=RULE)
    assert [drift.column for drift in drifts if drift.moved] == ["harm", "idle"]
    accuracy = [np.where(rows["harm"] > 0, 0.95, 0.6).mean() for rows in (drawn(1), now)]
    assert drifts[0].cost == pytest.approx(accuracy[0] - accuracy[1], abs=0.02)
    assert abs(drifts[1].cost or 0) < 0.03
    assert "the estimated cost in quality is" in sentence(drifts[0])


def test_few_rows_confirm_nothing(tmp_path: Path, reference: Reference) -> None:
    rows = {name: values[:8] for name, values in drawn(3, shift=1.0).items()}
    drift = found(drifted(reference, counted(tmp_path, reference, rows), rule=RULE), "harm")
    assert effect(drift, "psi") > RULE.psi
    assert not drift.moved


def test_many_rows_make_no_drift_of_a_trifle(tmp_path: Path, reference: Reference) -> None:
    rows = drawn(3, shift=0.12, rows=60_000)
    drift = found(drifted(reference, counted(tmp_path, reference, rows), rule=RULE), "harm")
    assert drift.p_adjusted is not None
    assert drift.p_adjusted < 1e-9
    assert not drift.moved


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"idle": lambda x: [None if n % 8 == 0 else v for n, v in enumerate(x)]}, "missing"),
        ({"idle": lambda x: [9.0 if n % 40 == 0 else float(v) for n, v in enumerate(x)]}, "unseen"),
        ({"plan": lambda x: ["team" if n % 40 == 0 else v for n, v in enumerate(x)]}, "unseen"),
        ({"plan": lambda x: ["" if n % 40 == 0 else v for n, v in enumerate(x)]}, "unseen"),
        ({"idle": lambda x: [math.nan if n % 8 == 0 else v for n, v in enumerate(x)]}, "missing"),
    ],
)  # fmt: skip
def test_what_else_can_move(
    tmp_path: Path, reference: Reference, change: dict[str, Any], name: str
) -> None:
    rows: dict[str, Any] = {key: value.tolist() for key, value in drawn(3).items()}
    ((column, how),) = change.items()
    rows[column] = how(rows[column])
    drifts = drifted(reference, counted(tmp_path, reference, rows), rule=RULE)
    assert [drift.column for drift in drifts if drift.moved] == [column]
    drift = found(drifts, column)
    above = {each.name for each in drift.effects if each.value > (each.threshold or 1)}
    assert name in above


def test_a_night_is_no_drift(tmp_path: Path, reference: Reference) -> None:
    """The night is far from the reference, but nights always are, and the week is not."""
    night = counted(tmp_path, reference, drawn(3, shift=1.0))
    week = counted(tmp_path, reference, drawn(4, rows=50_000))
    nights = [counted(tmp_path, reference, drawn(seed, shift=1.0)) for seed in (5, 6, 7, 8)]
    drifts = drifted(reference, night, rule=RULE, week=week, days=[nights])
    assert len(drifts) == 6
    assert not any(drift.moved for drift in drifts)
    other = counted(tmp_path, reference, drawn(6, shift=0.2))
    drifts = drifted(reference, other, rule=RULE, week=week, days=[nights])
    moved = [(drift.column, drift.against) for drift in drifts if drift.moved]
    assert moved == [("harm", "same hours")]


def test_weeks_that_differ_make_no_drift(tmp_path: Path, reference: Reference) -> None:
    """Where earlier weeks are restless, the window must be more so; two weeks tell too little."""
    week = counted(tmp_path, reference, drawn(4, rows=50_000))
    window = counted(tmp_path, reference, drawn(3, shift=0.7))
    shifts = enumerate((0.0, 0.5, -0.5, 0.1))
    restless = [counted(tmp_path, reference, drawn(9 + n, shift=shift)) for n, shift in shifts]
    calm = [counted(tmp_path, reference, drawn(seed)) for seed in (5, 6, 7, 8)]
    for earlier, moved in ((restless, False), (calm, True), (calm[:2], False)):
        drifts = drifted(reference, window, rule=RULE, week=week, days=[earlier])
        assert any(drift.moved for drift in drifts) is moved


def test_other_weekdays_tell_what_is_usual(tmp_path: Path, reference: Reference) -> None:
    """Four Mondays that were alike by chance make no drift of a fifth, where other days differ."""
    week = counted(tmp_path, reference, drawn(4, rows=50_000))
    window = counted(tmp_path, reference, drawn(3, shift=0.7))
    mondays = [counted(tmp_path, reference, drawn(seed)) for seed in (5, 6, 7, 8)]
    shifts = enumerate((0.0, 0.4, -0.4, 0.1))
    tuesdays = [counted(tmp_path, reference, drawn(9 + n, shift=shift)) for n, shift in shifts]
    for days, moved in (([mondays], True), ([mondays, tuesdays], False), ([mondays[:2]], False)):
        drifts = drifted(reference, window, rule=RULE, week=week, days=days)
        assert any(drift.moved for drift in drifts) is moved


def test_columns_that_are_ignored_or_gone(tmp_path: Path, reference: Reference) -> None:
    rows = drawn(3, shift=2.0)
    del rows["plan"]
    rule = DriftRule(ignore=("harm",))
    drifts = drifted(reference, counted(tmp_path, reference, rows), rule=rule)
    assert [drift.column for drift in drifts] == ["idle"]


def test_text_where_numbers_were(tmp_path: Path, reference: Reference) -> None:
    """What cannot be read as a number is missing, and so has moved."""
    rows: dict[str, Any] = {key: value.tolist() for key, value in drawn(3).items()}
    rows["idle"] = ["n/a" if n % 2 else str(v) for n, v in enumerate(rows["idle"])]
    drifts = drifted(reference, counted(tmp_path, reference, rows), rule=RULE)
    assert [drift.column for drift in drifts if drift.moved] == ["idle"]
    assert effect(found(drifts, "idle"), "missing") == pytest.approx(0.5)
