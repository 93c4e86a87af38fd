"""Every data check, found and not found, over real files."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.checks import CHECKS, check_data, freeze, severity_of, write_schema
from assay.config import Data, Severity
from assay.errors import AssayError, InputError, SeveralErrors
from assay.evidence import DataReport, Finding, StageState
from support.data_files import people, write_parquet

TRAIN, TEST = 600, 300


def rules(**more: Any) -> Data:
    given = {"train": "train.parquet", "test": "test.parquet", "id": "id", "label": "label", **more}
    return Data.model_validate(given)


def checked(
    folder: Path,
    *,
    train: dict[str, Sequence[Any]] | None = None,
    test: dict[str, Sequence[Any]] | None = None,
    data: Data | None = None,
    frozen: bool = False,
    **more: Any,
) -> DataReport:
    """Check files; with ``frozen`` against the schema of the clean ones."""
    data = data or rules()
    if frozen:
        write_parquet(folder / "train.parquet", people(TRAIN))
        write_parquet(folder / "test.parquet", people(TEST, start=TRAIN))
        (folder / "data.schema.yaml").write_text(write_schema(freeze(data, folder)))
    write_parquet(folder / "train.parquet", train or people(TRAIN))
    write_parquet(folder / "test.parquet", test or people(TEST, start=TRAIN))
    return check_data(data, folder, model="m", **more)


def replaced(values: Sequence[Any], at: dict[int, Any]) -> list[Any]:
    return [at.get(index, value) for index, value in enumerate(values)]


def only(report: DataReport, check: str) -> Finding:
    found = [finding for finding in report.findings if finding.check == check]
    assert len(found) == 1, report.findings
    return found[0]


def names(report: DataReport) -> list[str]:
    return [finding.check for finding in report.findings]


def test_clean_data_pass_every_check(tmp_path: Path) -> None:
    report = checked(tmp_path, frozen=True, data=rules(keys=["id"]))
    assert report.findings == ()
    assert report.state is StageState.PASSED
    assert report.schema_source == "declared"
    assert set(report.checks) == set(CHECKS) - {"drift-base-head"}
    assert [(d.name, d.rows, d.columns) for d in report.datasets] == [
        ("train", TRAIN, 5),
        ("test", TEST, 5),
    ]
    assert set(report.inputs) == {"data:train", "data:test"}


def test_the_report_is_the_same_every_time(tmp_path: Path) -> None:
    broken = people(TRAIN, age=[None, 7, 7.5] * 200, plan=["x"] * TRAIN)
    first = checked(tmp_path, train=broken, frozen=True)
    second = check_data(rules(), tmp_path, model="m")
    assert len(first.findings) > 3
    assert first.to_json() == second.to_json()


AGES = people(TRAIN)["age"]


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


def test_rules_count_null_as_broken(tmp_path: Path) -> None:
    clean = people(TRAIN)
    data = rules(
        rules=[
            {"name": "adult", "expression": "age >= 18"},
            {
                "name": "gold pays",
                "expression": "plan <> 'gold' OR visits < 100",
                "severity": "warn",
            },
            {"name": "never", "expression": "age > 1000", "severity": "off"},
        ]
    )
    train = {**clean, "age": replaced(clean["age"], {3: None, 4: 5})}
    report = checked(tmp_path, train=train, data=data)
    finding = only(report, "rule:adult")
    assert (finding.count, finding.rows) == (2, ("p3", "p4"))
    assert "'adult': age >= 18" in finding.message
    assert {"rule:adult", "rule:gold pays"} <= set(report.checks)
    assert "rule:never" not in report.checks


def test_severities_and_what_is_off(tmp_path: Path) -> None:
    train = people(TRAIN, plan=["free"] * TRAIN)
    blocking = rules(checks={"constant-columns": "block"})
    assert checked(tmp_path, train=train, data=blocking).state is StageState.FAILED
    off = rules(checks={"constant-columns": "off", "drift-train-test": "off"})
    report = checked(tmp_path, train=train, data=off)
    assert report.findings == ()
    assert not {"constant-columns", "drift-train-test"} & set(report.checks)


def test_severity_of_rules_and_of_what_nobody_knows() -> None:
    data = rules(rules=[{"name": "a", "expression": "true", "severity": "warn"}])

    def finding(check: str, **more: Any) -> Finding:
        return Finding(check=check, dataset="train", message="", **more)

    assert severity_of(finding("rule:a"), data) is Severity.WARN
    assert severity_of(finding("rule:gone"), data) is Severity.BLOCK
    assert severity_of(finding("invented"), data) is Severity.BLOCK
    assert severity_of(finding("IsSingleValue", source="deepchecks"), data) is Severity.BLOCK
    asked = rules(deepchecks={"checks": {"IsSingleValue": "off", "FeatureDrift": "block"}})
    deep = {"source": "deepchecks"}
    assert severity_of(finding("IsSingleValue", **deep), asked) is Severity.OFF
    assert severity_of(finding("IsSingleValue", state="not-run", **deep), asked) is Severity.OFF
    assert severity_of(finding("FeatureDrift", **deep), asked) is Severity.BLOCK
    assert severity_of(finding("LabelDrift", **deep), asked) is Severity.WARN
    assert severity_of(finding("LabelDrift", state="not-run", **deep), asked) is Severity.BLOCK


HOSTILE = [
    'a"b',
    "x'; DROP TABLE train; --",
    "line\nbreak",
    "${{ secrets.T }}",
    "<script>",
    "λ",
    ")",
]


def test_hostile_names_and_values_stay_data(tmp_path: Path) -> None:
    def columns(count: int) -> dict[str, Any]:
        return {name: [HOSTILE[n % len(HOSTILE)] for n in range(count)] for name in HOSTILE}

    train = people(TRAIN, **columns(TRAIN))
    test = people(TEST, start=TRAIN, **columns(TEST))
    write_parquet(tmp_path / "train.parquet", train)
    write_parquet(tmp_path / "test.parquet", test)
    data = rules(keys=[*HOSTILE, "visits"])
    (tmp_path / "data.schema.yaml").write_text(write_schema(freeze(data, tmp_path)))
    assert check_data(data, tmp_path, model="m").findings == ()
    broken = {**train}
    for name in HOSTILE:
        broken[name] = replaced(broken[name], {2: "'); --", 9: None})
    report = checked(tmp_path, train=broken, test=test, data=data)
    for check, row in (("schema-categories", "p2"), ("schema-nulls", "p9")):
        found = [finding for finding in report.findings if finding.check == check]
        assert [finding.rows for finding in found] == [(row,)] * len(HOSTILE)
        assert {finding.columns[0] for finding in found} == set(HOSTILE)


def refusal(folder: Path, data: Data, **more: Any) -> AssayError:
    with pytest.raises(AssayError) as caught:
        check_data(data, folder, model="m", **more)
    return caught.value


def test_columns_that_the_configuration_names_must_be_there(tmp_path: Path) -> None:
    checked(tmp_path)
    for data, says in (
        (rules(id="nr"), "'nr', which data.id names"),
        (rules(label="y"), "'y', which data.label names"),
        (rules(keys=["customer"]), "no column 'customer'"),
    ):
        error = refusal(tmp_path, data)
        assert error.exit_code == 2
        assert says in str(error)


def test_names_of_checks_must_be_known(tmp_path: Path) -> None:
    checked(tmp_path)
    error = refusal(tmp_path, rules(checks={"constant-colums": "off"}))
    assert "Did you mean 'constant-columns'?" in str(error)
    several = refusal(
        tmp_path, rules(checks={"foo": "off"}, deepchecks={"checks": {"FeatureDrif": "warn"}})
    )
    assert isinstance(several, SeveralErrors)
    assert "Did you mean 'FeatureDrift'?" in str(several)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert "names neither train nor test" in str(refusal(tmp_path, Data()))
    assert "no such file" in str(refusal(tmp_path, rules()))
    checked(tmp_path)
    whole = (tmp_path / "train.parquet").read_bytes()
    (tmp_path / "train.parquet").write_bytes(whole[: len(whole) // 2])
    assert refusal(tmp_path, rules()).exit_code == 2
    (tmp_path / "train.parquet").write_bytes(b"")
    assert "empty" in str(refusal(tmp_path, rules()))
    write_parquet(tmp_path / "train.parquet", {name: [] for name in people(1)})
    assert "no rows" in str(refusal(tmp_path, rules()))


def test_one_row_and_columns_without_values(tmp_path: Path) -> None:
    train = {"id": [1], "label": [1], "x": [None], "y": [math.nan]}
    report = checked(tmp_path, train=train, test=train, data=rules(checks={"leakage-ids": "off"}))
    assert report.state is StageState.PASSED
    assert "constant-columns" not in names(report)
    assert report.to_json()


def test_huge_numbers_and_odd_types(tmp_path: Path) -> None:
    def odd(count: int, start: int) -> dict[str, Any]:
        return people(
            count,
            start=start,
            huge=[2**62 + n for n in range(count)],
            wide=[(-1) ** n * 1.7e308 for n in range(count)],
            tiny=[n * 5e-324 for n in range(count)],
            money=[Decimal(n) / 100 for n in range(count)],
            day=[dt.date(2020, 1, 1) + dt.timedelta(days=n % 300) for n in range(count)],
            clock=[dt.time(n % 24) for n in range(count)],
            nested=[{"a": n} for n in range(count)],
            listed=[[n, None] for n in range(count)],
            blob=[bytes([n % 256, n // 256]) for n in range(count)],
        )

    data = rules()
    train, test = odd(TRAIN, 0), odd(TEST, TRAIN)
    write_parquet(tmp_path / "train.parquet", train)
    write_parquet(tmp_path / "test.parquet", test)
    (tmp_path / "data.schema.yaml").write_text(write_schema(freeze(data, tmp_path)))
    report = check_data(data, tmp_path, model="m")
    assert not [name for name in names(report) if name.startswith("schema")]
    drifted = {f.columns[0] for f in report.findings if f.check == "drift-train-test"}
    assert {"huge", "money"} <= drifted
    assert report.to_json()


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


def test_only_test_rows(tmp_path: Path) -> None:
    write_parquet(tmp_path / "test.parquet", people(TEST))
    report = check_data(rules(train=None), tmp_path, model="m")
    assert report.findings == ()
    assert not [name for name in report.checks if "leakage" in name or "drift" in name]


def test_deepchecks_that_nothing_can_run_blocks(tmp_path: Path) -> None:
    report = checked(tmp_path, data=rules(deepchecks=True))
    assert {f.check for f in report.findings} == {"data_integrity", "train_test_validation"}
    assert {f.state for f in report.findings} == {"not-run"}
    assert report.state is StageState.FAILED


def test_a_pattern_that_is_none(tmp_path: Path) -> None:
    checked(tmp_path)
    (tmp_path / "data.schema.yaml").write_text(
        "version: 1\ncolumns:\n  plan:\n    type: text\n    pattern: '(?=x)'\n"
    )
    error = refusal(tmp_path, rules())
    assert isinstance(error, InputError)
    assert str(error.where) == "data.schema.yaml:5:5"
    assert "regular expression" in error.message
