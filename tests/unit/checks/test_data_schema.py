"""Data against the schema that was declared, frozen, or that the base has."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from assay.checks import CHECKS, check_data, freeze, severity_of, write_schema
from assay.config import Data, Severity
from assay.errors import InputError
from assay.evidence import StageState
from support.data_checks import AGES, TEST, TRAIN, checked, names, only, refusal, replaced, rules
from support.data_files import people


@pytest.mark.parametrize(
    ("check", "changed", "count", "rows", "says"),
    [
        ("schema-types", {"age": [str(v) for v in AGES]}, TRAIN, (), "schema says integer"),
        (
            "schema-types",
            {"age": [f"{v}" if i != 3 else "old" for i, v in enumerate(AGES)]},
            1,
            ("p3",),
            "not of type integer",
        ),
        ("schema-types", {"age": replaced(AGES, {5: 20.5})}, 1, ("p5",), "not of type integer"),
        ("schema-nulls", {"age": replaced(AGES, {2: None, 9: None})}, 2, ("p2", "p9"), "none may"),
        (
            "schema-nulls",
            {"visits": replaced(people(TRAIN)["visits"], {1: math.nan})},
            1,
            ("p1",),
            "no value",
        ),
        (
            "schema-ranges",
            {"age": replaced(AGES, dict.fromkeys(range(7, 14), -5))},
            7,
            ("p7", "p8", "p9", "p10", "p11"),
            "the data goes from −5 to 80",
        ),
        ("schema-ranges", {"visits": replaced(people(TRAIN)["visits"], {0: math.inf})}, 1, ("p0",),
         "outside"),
        (
            "schema-categories",
            {"plan": replaced(people(TRAIN)["plan"], {4: "platinum"})},
            1,
            ("p4",),
            "'platinum'",
        ),
        ("schema-categories", {"label": replaced(people(TRAIN)["label"], {8: 2})}, 1, ("p8",), "2"),
    ],
)  # fmt: skip
def test_schema_checks_name_the_rows(
    tmp_path: Path,
    check: str,
    changed: dict[str, Any],
    count: int,
    rows: tuple[str, ...],
    says: str,
) -> None:
    report = checked(tmp_path, train=people(TRAIN, **changed), frozen=True)
    finding = only(report, check)
    assert finding.dataset == "train"
    assert finding.columns == tuple(changed)
    assert finding.count == count
    assert finding.share == pytest.approx(count / TRAIN)
    assert finding.rows == rows
    assert says in finding.message
    assert severity_of(finding, rules()) is Severity.BLOCK
    assert report.state is StageState.FAILED


def test_whole_floats_are_integers_and_integers_are_floats(tmp_path: Path) -> None:
    train = people(
        TRAIN, age=[float(v) for v in AGES], visits=[n * 13 % 20 // 4 for n in range(TRAIN)]
    )
    report = checked(tmp_path, train=train, frozen=True)
    assert not [name for name in names(report) if name.startswith("schema-")]


def test_columns_that_come_and_go(tmp_path: Path) -> None:
    train = people(TRAIN)
    train["agee"] = train.pop("age")
    report = checked(tmp_path, train=train, frozen=True)
    found = [f for f in report.findings if f.check == "schema-columns"]
    assert [f.columns for f in found] == [("age",), ("agee",)]
    assert "It has 'agee'" in found[0].message
    both = [f for f in report.findings if f.check == "train-test-columns"]
    assert {f.columns for f in both} == {("age",), ("agee",)}


def test_ignored_columns_are_not_looked_at(tmp_path: Path) -> None:
    train = people(TRAIN, constant=[1] * TRAIN, age=[None] * TRAIN)
    report = checked(tmp_path, train=train, frozen=True, data=rules(ignore=["constant", "age"]))
    assert report.findings == ()


def test_types_that_differ_between_train_and_test(tmp_path: Path) -> None:
    test = people(TEST, start=TRAIN)
    report = checked(tmp_path, test={**test, "age": [str(v) for v in test["age"]]})
    assert "integer in train and text in test" in only(report, "train-test-columns").message


def test_declared_patterns_uniqueness_and_missing_shares(tmp_path: Path) -> None:
    (tmp_path / "data.schema.yaml").write_text(
        "version: 1\n"
        "columns:\n"
        "  id: {type: text, pattern: 'p\\d+'}\n"
        "  age: {type: integer, max_missing: 0.01}\n"
        "  plan: {type: text}\n"
        "  visits: {type: float, unique: true, max: 100}\n"
        "  label: {type: integer}\n"
    )
    clean = people(TRAIN)
    train = {
        **clean,
        "id": replaced(clean["id"], {6: "p6 ", 7: "\np7"}),
        "age": replaced(clean["age"], dict.fromkeys(range(12))),
        "visits": replaced(clean["visits"], {10: clean["visits"][2], 30: clean["visits"][2]}),
    }
    report = checked(tmp_path, train=train)
    assert only(report, "schema-patterns").count == 2
    assert "at most 1.0 % may" in only(report, "schema-nulls").message
    unique = only(report, "schema-unique")
    assert (unique.count, unique.rows) == (2, ("p10", "p30"))
    assert "missing-values" not in names(report)


def test_row_numbers_where_there_is_no_id(tmp_path: Path) -> None:
    train = people(TRAIN, age=replaced(AGES, {16: -400}))
    report = checked(tmp_path, train=train, frozen=True, data=rules(id=None, ignore=["id"]))
    assert only(report, "schema-ranges").rows == ("row 17",)


def test_a_column_called_rowid_does_not_number_the_rows(tmp_path: Path) -> None:
    train = people(TRAIN, age=replaced(AGES, {16: None}), ROWID=[9] * TRAIN, row=[0] * TRAIN)
    data = rules(id=None, label=None, checks={name: "off" for name in CHECKS if "train" in name})
    report = checked(tmp_path, train=train, frozen=True, data=data)
    assert only(report, "schema-nulls").rows == ("row 17",)
    constant = {f.columns for f in report.findings if f.check == "constant-columns"}
    assert constant == {("ROWID",), ("row",)}


def test_the_schema_of_the_base_judges(tmp_path: Path) -> None:
    base = tmp_path / "base"
    checked(tmp_path, frozen=True)
    text = (tmp_path / "data.schema.yaml").read_text()
    base.mkdir()
    (base / "data.schema.yaml").write_text(text)
    (tmp_path / "data.schema.yaml").write_text(text.replace("max: 100", "max: 1000"))
    train = people(TRAIN, age=replaced(AGES, {0: 500}))
    report = checked(tmp_path, train=train, base_folder=base)
    assert report.schema_changed
    assert only(report, "schema-ranges").rows == ("p0",)
    again = checked(tmp_path, train=train, schema_path=base / "data.schema.yaml")
    assert again.schema_changed
    assert only(again, "schema-ranges").rows == ("p0",)


def test_a_new_schema_judges_and_counts_as_changed(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    report = checked(tmp_path, frozen=True, base_folder=base)
    assert report.schema_changed
    assert report.schema_source == "declared"


def test_text_among_numbers_in_csv(tmp_path: Path) -> None:
    lines = [f"{n},{n % 7},{n * n}" for n in range(200)]
    (tmp_path / "good.csv").write_text("\n".join(["id,x,y", *lines]))
    data = Data.model_validate({"train": "good.csv", "id": "id"})
    (tmp_path / "data.schema.yaml").write_text(write_schema(freeze(data, tmp_path)))
    assert check_data(data, tmp_path, model="m").findings == ()
    lines[17] = "17,seven,1"
    (tmp_path / "good.csv").write_text("\n".join(["id,x,y", *lines]))
    report = check_data(data, tmp_path, model="m")
    found = [f for f in report.findings if f.check == "schema-types"]
    assert [f.rows for f in found if f.rows] == [("17",)]


def test_a_pattern_that_is_none(tmp_path: Path) -> None:
    checked(tmp_path)
    (tmp_path / "data.schema.yaml").write_text(
        "version: 1\ncolumns:\n  plan:\n    type: text\n    pattern: '(?=x)'\n"
    )
    error = refusal(tmp_path, rules())
    assert isinstance(error, InputError)
    assert str(error.where) == "data.schema.yaml:5:5"
    assert "regular expression" in error.message
