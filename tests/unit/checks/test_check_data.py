"""A check of data as a whole: what it runs, what it makes of it, and what it refuses."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

from assay.checks import CHECKS, check_data, freeze, severity_of, write_schema
from assay.config import Data, Severity
from assay.errors import SeveralErrors
from assay.evidence import Finding, StageState
from support.data_checks import TEST, TRAIN, checked, names, only, refusal, replaced, rules
from support.data_files import people, write_parquet


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
