"""Malformed data files, schemas and rules of ``assay check-data``."""

from __future__ import annotations

import pytest

from faults.conftest import Case, Files, Place

CONFIG = """version: 1
models:
  m:
    predictions: p.csv
    gates: {accuracy: {margin: 0.01}}
    data: {train: train.csv, test: test.csv, label: y, id: id, keys: [k]}
"""
TRAIN = "id,k,x,y\n" + "".join(f"{i},{i},{i / 10},{i % 2}\n" for i in range(50))
TEST = "id,k,x,y\n" + "".join(f"{i},{i},{i / 10},{i % 2}\n" for i in range(100, 150))
OLD_SCHEMA = "version: 1\ncolumns:\n  x: {type: float}\n"
GOOD: dict[str, str | bytes] = {"assay.yaml": CONFIG, "train.csv": TRAIN, "test.csv": TEST}


def files(changes: Files, *says: str, code: int = 2) -> Case:
    return Case(argv=("check-data",), files={**GOOD, **changes}, says=says, code=code)


def rules(text: str, *says: str) -> Case:
    return files({"assay.yaml": CONFIG.replace("keys: [k]", text)}, "error: assay.yaml: ", *says)


def schema(text: str | bytes, *says: str) -> Case:
    return files({"data.schema.yaml": text}, "data.schema.yaml", *says)


CASES = {
    "no training rows": Case(
        argv=("check-data",),
        files={"assay.yaml": CONFIG, "test.csv": TEST},
        says=("train.csv: there is no such file. Check the path",),
    ),
    "no test rows": Case(
        argv=("check-data",),
        files={"assay.yaml": CONFIG, "train.csv": TRAIN},
        says=("test.csv: there is no such file. Check the path",),
    ),
    "empty": files({"train.csv": ""}, "train.csv: the file is empty"),
    "a header alone": files({"train.csv": "id,k,x,y\n"}, "train.csv: the file has columns but no"),
    "ragged": files({"test.csv": TEST + "1,2,3,4,5\n"}, "test.csv:52: the row has 5 values"),
    "an open quote": files({"test.csv": TEST + '1,"2\n'}, "test.csv:52: a quoted value is never"),
    "Latin-1": files({"test.csv": TEST.encode() + b"\xe9,2,3,4\n"}, "test.csv:52: ", "not UTF-8"),
    "a Git LFS pointer": files(
        {"train.csv": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"},
        "train.csv",
        "LFS",
    ),
    "no such label": files(
        {"assay.yaml": CONFIG.replace("label: y", "label: z")},
        "train.csv: there is no column 'z', which data.label names. The file has id, k, x, y.",
    ),
    "no such id": files(
        {"assay.yaml": CONFIG.replace("id: id", "id: z")},
        "train.csv: there is no column 'z', which data.id names.",
    ),
    "no such key": files(
        {"assay.yaml": CONFIG.replace("[k]", "[z]")},
        "train.csv: there is no column 'z'",
        "for leakage",
    ),
    "a label on one side": files(
        {"test.csv": TEST.replace(",y\n", ",w\n")}, "test.csv: there is no column 'y'"
    ),
    "a rule that is no SQL": rules(
        'rules: [{name: a, expression: "x >"}]', "the data rule 'a' (x >) is not an SQL expression"
    ),
    "a rule on no column": rules(
        'rules: [{name: a, expression: "zz > 1"}]', "the column 'zz'", "columns are id, k, x, y"
    ),
    "a rule that is a number": rules(
        'rules: [{name: a, expression: "x + 1"}]', "of type DOUBLE, not true or false"
    ),
    "a rule that looks elsewhere": rules(
        'rules: [{name: a, expression: "x > (SELECT 1)"}]', "it holds a subquery"
    ),
    "a rule that reads a file": rules(
        "rules: [{name: a, expression: \"x IN (FROM read_text('/etc/passwd'))\"}]",
        "may only compute with the row's own columns",
    ),
    "a rule of two statements": rules(
        'rules: [{name: a, expression: "true; DROP TABLE x"}]', "is not an SQL expression"
    ),
    "two rules of one name": rules(
        'rules: [{name: a, expression: "x>0"}, {name: a, expression: "x>1"}]', "'a' stands there"
    ),
    "a check that is none": rules("checks: {leakage-row: off}", "Did you mean 'leakage-rows'?"),
    "a deepchecks check that is none": rules(
        "deepchecks: {checks: {DataDuplicate: off}}", "Did you mean 'DataDuplicates'?"
    ),
    "a schema cut off": schema("version: 1\ncolumns: [a\n", ":2:10: this is not valid YAML"),
    "an empty schema": schema("", ":1:1: a data schema must be a mapping"),
    "a schema in Latin-1": schema(b"version: 1 # \xe9\n", "is not UTF-8"),
    "a misspelt key of a schema": schema(
        "version: 1\ncolumns:\n  x: {type: float, nulable: true}\n", ":3:20: ", "'nullable'?"
    ),
    "a type that is none": schema("version: 1\ncolumns:\n  x: {type: double}\n", ":3:13: "),
    "a range upside down": schema(
        "version: 1\ncolumns:\n  x: {type: float, min: 3, max: 1}\n", ":3:6: ", "min is larger"
    ),
    "a pattern that is none": schema(
        'version: 1\ncolumns:\n  x: {type: text, pattern: "("}\n', ":3:", "no regular expression"
    ),
    "no data to freeze": Case(
        argv=("check-data", "--freeze"),
        files={"assay.yaml": CONFIG.rpartition("    data")[0]},
        says=("assay.yaml: the model 'm' names no data. Write `data:",),
    ),
    "a base that is not there": Case(
        argv=("check-data", "--base", "no"), files=GOOD, says=("Directory 'no' does not exist",)
    ),
    "evidence cut off": files(
        {".assay/evidence/plan.json": "{"}, "plan.json:1: this is not JSON", code=4
    ),
    "evidence of a later version": files(
        {".assay/evidence/plan.json": '{"schema": "assay/plan/9"}'}, "found 'assay/plan/9'", code=4
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_malformed_data(name: str, place: Place) -> None:
    place.demand(CASES[name])


def test_a_schema_is_not_overwritten_by_a_failed_freeze(place: Place) -> None:
    place.demand(
        Case(
            argv=("check-data", "--freeze"),
            files={**GOOD, "train.csv": "", "data.schema.yaml": OLD_SCHEMA},
            says=("train.csv: the file is empty",),
        )
    )
