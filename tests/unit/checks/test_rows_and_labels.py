"""Values, rows and labels that cannot be right, and rows that lie in training and test alike."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from assay.checks import severity_of
from assay.config import Severity
from assay.evidence import StageState
from support.data_checks import TEST, TRAIN, checked, names, only, replaced, rules
from support.data_files import people


def test_missing_infinite_and_constant_columns(tmp_path: Path) -> None:
    clean = people(TRAIN)
    train = {
        **clean,
        "age": [None if index % 10 == 0 else v for index, v in enumerate(clean["age"])],
        "visits": replaced(clean["visits"], {1: math.inf, 2: -math.inf, 3: math.nan}),
        "plan": ["free"] * TRAIN,
        "note": [None] * TRAIN,
    }
    report = checked(tmp_path, train=train, data=rules(checks={"train-test-columns": "off"}))
    missing = [f for f in report.findings if f.check == "missing-values"]
    assert [f.columns for f in missing] == [("age",), ("note",)]
    assert missing[0].count == 60
    assert missing[0].rows == ("p0", "p10", "p20", "p30", "p40")
    infinite = only(report, "non-finite-values")
    assert (infinite.count, infinite.rows) == (2, ("p1", "p2"))
    constant = {f.columns: f.message for f in report.findings if f.check == "constant-columns"}
    assert constant == {("plan",): "Every row has 'free'."}
    assert report.state is StageState.PASSED
    assert "train-test-columns" not in report.checks


def test_duplicates_of_ids_and_rows(tmp_path: Path) -> None:
    clean = people(TRAIN)
    train = {name: [*values, *values[:2]] for name, values in clean.items()}
    train["id"] = [*clean["id"][:-1], None, "again", clean["id"][1]]
    report = checked(tmp_path, train=train)
    ids = [f for f in report.findings if f.check == "duplicate-ids"]
    assert [(f.count, f.rows) for f in ids] == [(1, (f"row {TRAIN}",)), (1, ("p1",))]
    rows = only(report, "duplicate-rows")
    assert (rows.count, rows.rows) == (2, ("again", "p1"))
    assert severity_of(rows, rules()) is Severity.WARN
    assert severity_of(ids[0], rules()) is Severity.BLOCK


def test_label_problems(tmp_path: Path) -> None:
    clean, test = people(TRAIN), people(TEST, start=TRAIN)
    train = {name: [*values, *values[:3]] for name, values in clean.items()}
    train["id"] = [f"q{index}" for index in range(TRAIN + 3)]
    train["label"] = [
        *replaced(clean["label"], {20: None}),
        *[1 - v for v in clean["label"][:2]],
        0,
    ]
    test["label"] = replaced(test["label"], {4: 7})
    report = checked(tmp_path, train=train, test=test)
    assert only(report, "label-missing").rows == ("q20",)
    conflicts = only(report, "label-conflicts")
    assert (conflicts.count, conflicts.rows) == (4, ("q0", "q1", f"q{TRAIN}", f"q{TRAIN + 1}"))
    unseen = only(report, "label-unseen")
    assert (unseen.count, unseen.rows, unseen.dataset) == (1, (f"p{TRAIN + 4}",), "train/test")
    balance = only(report, "class-balance")
    assert (balance.dataset, balance.count) == ("test", 1)
    assert "the class '7'" in balance.message


def test_a_missing_label_or_id_is_told_once(tmp_path: Path) -> None:
    clean = people(TRAIN)
    train = {name: replaced(clean[name], {4: None}) for name in ("id", "label")}
    report = checked(tmp_path, train={**clean, **train}, frozen=True)
    assert sorted(names(report)) == ["duplicate-ids", "label-missing"]
    off = rules(checks={"label-missing": "off", "duplicate-ids": "off"})
    again = checked(tmp_path, train={**clean, **train}, frozen=True, data=off)
    assert names(again) == ["schema-nulls", "schema-nulls"]


def test_quantities_are_no_classes(tmp_path: Path) -> None:
    train = people(TRAIN, label=[n * 1.37 for n in range(TRAIN)])
    test = people(TEST, start=TRAIN, label=[-n * 1.41 - 1 for n in range(TEST)])
    report = checked(tmp_path, train=train, test=test)
    assert "label-unseen" not in report.checks
    assert "class-balance" not in report.checks
    assert "drift-train-test" in names(report)


def test_leakage_by_id_key_and_whole_row(tmp_path: Path) -> None:
    train, test = people(TRAIN), people(TEST, start=TRAIN)
    test["id"] = replaced(test["id"], {0: "p5"})
    for name in ("age", "plan", "visits", "label"):
        test[name] = replaced(test[name], {1: train[name][40], 2: train[name][41]})
    test["visits"] = replaced(test["visits"], {2: 1.23})
    report = checked(tmp_path, train=train, test=test, data=rules(keys=["age", "visits"]))
    ids = only(report, "leakage-ids")
    assert (ids.count, ids.rows, ids.dataset) == (1, ("p5",), "train/test")
    keys = only(report, "leakage-keys")
    assert (keys.count, keys.rows, keys.columns) == (1, (f"p{TRAIN + 1}",), ("age", "visits"))
    rows = only(report, "leakage-rows")
    assert (rows.count, rows.rows) == (1, (f"p{TRAIN + 1}",))
    assert report.state is StageState.FAILED


def test_leakage_is_found_across_number_types(tmp_path: Path) -> None:
    test = people(TEST, start=TRAIN)
    train = people(TRAIN, key=np.arange(TRAIN, dtype=np.int32))
    test["key"] = np.arange(TRAIN - 1, TRAIN + TEST - 1, dtype=np.float64)
    report = checked(tmp_path, train=train, test=test, data=rules(keys=["key"]))
    assert only(report, "leakage-keys").rows == (f"p{TRAIN}",)


def test_a_missing_key_matches_nothing(tmp_path: Path) -> None:
    train = people(TRAIN, key=[None, *range(TRAIN - 1)])
    test = people(TEST, start=TRAIN, key=[None, *range(TRAIN, TRAIN + TEST - 1)])
    report = checked(tmp_path, train=train, test=test, data=rules(keys=["key"]))
    assert "leakage-keys" not in names(report)
