"""Drift between training and test, and from the base, over real files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from assay.evidence import StageState
from support.data_checks import TEST, TRAIN, checked, names, only, rules
from support.data_files import people, write_parquet


@pytest.mark.parametrize(
    ("column", "values", "says"),
    [
        ("age", [60 + n % 20 for n in range(TEST)], "of the rows"),
        ("plan", ["gold"] * TEST, "'gold' went from 33.3 % to 100 % of the rows"),
        ("visits", [n / 10 for n in range(TEST)], "of the rows"),
        ("visits", [None] * TEST, "any value went from 100 % to 0 % of the rows"),
    ],
)
def test_drift_between_train_and_test(
    tmp_path: Path, column: str, values: Sequence[Any], says: str
) -> None:
    report = checked(tmp_path, test=people(TEST, start=TRAIN, **{column: values}))
    finding = only(report, "drift-train-test")
    assert finding.columns == (column,)
    assert says in finding.message
    effects = {effect.name: effect for effect in finding.effects}
    assert effects["psi"].value > 0.2 == effects["psi"].threshold
    assert 0 < effects["jensen_shannon"].value <= 1
    assert finding.p_value is not None
    assert finding.p_adjusted is not None
    assert finding.p_value <= finding.p_adjusted < 0.05
    if column == "plan" or values[0] is None:
        assert "wasserstein_sd" not in effects
    else:
        assert effects["wasserstein_sd"].value > 0.2


def test_a_large_index_of_few_rows_is_not_confirmed(tmp_path: Path) -> None:
    train = people(30, x=[n * 7 % 30 for n in range(30)])
    test = people(12, start=30, x=[n * 11 % 30 for n in range(12)])
    report = checked(tmp_path, train=train, test=test, data=rules(checks={"class-balance": "off"}))
    assert "drift-train-test" not in names(report)


def test_drift_from_the_base(tmp_path: Path) -> None:
    base = tmp_path / "base"
    write_parquet(base / "train.parquet", people(TRAIN, age=[20 + n % 9 for n in range(TRAIN)]))
    write_parquet(base / "test.parquet", people(TEST, start=TRAIN))
    report = checked(tmp_path, base_folder=base)
    drift = only(report, "drift-base-head")
    assert (drift.dataset, drift.columns) == ("base/head train", ("age",))
    assert "drift-base-head" in report.checks


def test_a_base_without_data_says_so(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    report = checked(tmp_path, base_folder=base)
    found = [f for f in report.findings if f.check == "drift-base-head"]
    assert [(f.state, f.dataset) for f in found] == [
        ("not-run", "base/head train"),
        ("not-run", "base/head test"),
    ]
    assert "drift-base-head" not in report.checks
    assert report.state is StageState.PASSED
