"""Malformed prediction files and arguments of ``assay compare``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb
import pytest

from faults.conftest import Case, Files, Place

GOOD = "id,y_true,y_pred,y_score\n" + "".join(
    f"{i},{i % 2},{(i // 2) % 2},{i % 10 / 10}\n" for i in range(60)
)
BASE = {"b.csv": GOOD}
EVERY_ROW = "FROM range(60) t(i)"


def parquet(columns: str, rows: str = EVERY_ROW) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.parquet"
        duckdb.sql(f"SELECT {columns} {rows}").write_parquet(str(path))
        return path.read_bytes()


PARQUET = parquet("i AS id, i % 2 AS y_true, i % 2 AS y_pred")


def head(content: str | bytes, *says: str, name: str = "h.csv", more: tuple[str, ...] = ()) -> Case:
    """The head's file is wrong."""
    return Case(
        argv=("compare", "b.csv", name, *more),
        files={**BASE, name: content},
        says=(name, *says),
    )


def asked(*arguments: str, says: tuple[str, ...], files: Files | None = None) -> Case:
    """Both files are right, the arguments are not."""
    return Case(
        argv=("compare", "b.csv", "h.csv", *arguments),
        files={**BASE, "h.csv": GOOD, **(files or {})},
        says=says,
    )


FILES = {
    "no base": Case(argv=("compare", "b.csv", "h.csv"), says=("b.csv: there is no such file",)),
    "no head": Case(
        argv=("compare", "b.csv", "h.csv"), files=BASE, says=("h.csv: there is no such file",)
    ),
    "a folder": Case(
        argv=("compare", "b.csv", "h.csv"),
        files={**BASE, "h.csv/x": ""},
        says=("h.csv: this is a folder",),
    ),
    "an address": Case(
        argv=("compare", "b.csv", "s3://bucket/h.csv"),
        files=BASE,
        says=("h.csv: there is no such file",),
    ),
    "a pattern": Case(
        argv=("compare", "b.csv", "?.csv"), files=BASE, says=("?.csv: there is no such",)
    ),
    "empty": head("", "the file is empty", "did not finish"),
    "a header alone": head("id,y_true,y_pred\n", "has columns but no rows"),
    "a row too long": head(GOOD + "1,2,3,4,5,6\n", "h.csv:62: the row has", "the header has 4"),
    "a row too short": head(GOOD + "1,2\n", "h.csv:62: the row has 2 values", "has 4 names"),
    "an open quote": head(GOOD + '70,"1,0,0\n', "h.csv:62: a quoted value is never closed"),
    "a line of three megabytes": head(GOOD + "x" * 3_000_000, "h.csv:62: "),
    "a header of a megabyte": head("x" * 1_000_000 + "\n1\n", "h.csv:1: the first line is no"),
    "a nameless column": head(GOOD.replace("id,", ",", 1), "there is no id column", "(--id)"),
    "NUL": head(GOOD + "\0\0,1,1,0\n", "h.csv:1: the file holds NUL bytes"),
    "UTF-16": head(GOOD.encode("utf-16"), "the file is UTF-16. Save it as UTF-8."),
    "Latin-1": head(GOOD.encode() + b"\xe9,0,0,0\n", "h.csv:62: the file is not UTF-8"),
    "random bytes": head(bytes(range(256)) * 10, "h.csv:2: the file is not UTF-8"),
    "a column twice": head(GOOD.replace("y_score", "y_pred", 1), "'y_pred'", "have one name"),
    "an id twice": head(GOOD + "1,1,1,0.5\n", "1 ids of the column 'id'", "must be unique"),
    "a row without id": head(GOOD + ",1,1,0.5\n", "'id' is empty in 1 of 61 rows", "Give every"),
    "no prediction": head(
        GOOD.replace("y_pred", "a", 1).replace("y_score", "b", 1),
        "no prediction column was recognised",
        "Name it under columns (--prediction). The file has: 'id', 'y_true', 'a', 'b'.",
    ),
    "no common row": head(
        GOOD.replace("\n", "\n9", 60), "base and head have no id in common", "the same test rows"
    ),
    "a prediction of words": head(
        GOOD.replace(",0,0.5\n", ",x,0.5\n"),
        "the prediction is missing, infinite or no number in 3 joined rows",
        more=("--task", "regression"),
    ),
    "Parquet cut off": head(PARQUET[:200], "damaged or cut off", name="h.parquet"),
    "Parquet in name": head(GOOD, "does not begin as one", name="h.parquet"),
    "Parquet damaged": head(
        PARQUET[:10] + b"\xff" * 60 + PARQUET[70:], "damaged or cut off", name="h.parquet"
    ),
    "Parquet without rows": head(
        parquet("1 AS id, 1 AS y_true, 1 AS y_pred", "WHERE false"), "no rows", name="h.parquet"
    ),
    "Parquet of lists": Case(
        argv=("compare", "b.csv", "h.parquet"),
        files={**BASE, "h.parquet": parquet("i AS id, [1] AS y_true, i % 2 AS y_pred")},
        says=("b.csv: the column 'y_true' holds single values (BIGINT), not sets of labels",),
    ),
    "a spreadsheet": head(GOOD, "'.xlsx' names no format", "Use .parquet", name="h.xlsx"),
    "a pickle": head(b"\x80\x04N.", "this is a Python pickle", "Parquet, CSV", name="h.pkl"),
    "no suffix": head(GOOD, "has no suffix", "Use .parquet", name="h"),
    "a broken line of JSON": head(
        '{"id": 1, "y_true": 1, "y_pred": 1}\n{"id": 2,\n',
        "h.jsonl:2: the line is not JSON",
        "Each line must be one JSON object",
        name="h.jsonl",
    ),
    "a line of JSON that is no object": head("3\n", "h.json:1", "not an object", name="h.json"),
    "HTML": head("<html>", "h.json:1: the line is not JSON", name="h.json"),
    "JSON too deep": head('{"id":' + "[" * 10_000, "nested too deeply", name="h.jsonl"),
}

ARGUMENTS = {
    "one file": Case(
        argv=("compare", "b.csv"), files=BASE, says=("Name two files", "assay compare --help")
    ),
    "no column of that name": asked(
        "--id", "zzz", says=("there is no column 'zzz'. The file has: 'id', 'y_true'",)
    ),
    "no column to slice by": asked("--slice", "zzz", says=("no column 'zzz' to slice by",)),
    "edges that descend": asked("--slice", "y_score:3,1", says=("edges '3,1' must ascend",)),
    "a misspelt metric": asked("--metric", "acuracy", says=("Did you mean accuracy?",)),
    "a margin without a number": asked("--margin", "accuracy", says=("is not METRIC=VALUE",)),
    "a negative margin": asked("--margin", "accuracy=-1", says=("'-1' is no margin for accuracy",)),
    "a margin that is none": asked("--margin", "accuracy=nan", says=("'nan' is no margin",)),
    "a margin of 0": asked("--margin", "accuracy=0", says=("write accuracy=improve",)),
    "a margin of nothing": asked("--margin", "acuracy=1", says=("Did you mean accuracy?",)),
    "confidence in percent": asked("--confidence", "95", says=("not in the range 0.5<=x<1",)),
    "a task that is none": asked("--task", "forecasting", says=("'forecasting' is not one of",)),
    "a class that is none": asked("--positive", "zzz", says=("the positive class 'zzz'",)),
    "evidence that is a file": asked(
        "--evidence", "e", says=("Directory 'e' is a file",), files={"e": ""}
    ),
    "no evidence": Case(argv=("compare", "--evidence", "e"), says=("e: there is no plan.json",)),
}


@pytest.mark.parametrize("name", FILES)
def test_a_malformed_file(name: str, place: Place) -> None:
    place.demand(FILES[name])


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_wrong_argument(name: str, place: Place) -> None:
    place.demand(ARGUMENTS[name])


def test_in_a_job_a_broken_row_is_annotated(place: Place) -> None:
    place.demand(
        Case(
            argv=("compare", "b.csv", "h.csv"),
            files={**BASE, "h.csv": GOOD + "1,2\n"},
            environ={"GITHUB_ACTIONS": "true"},
            says=("::error file=h.csv,line=62,title=Invalid input::the row has 2 values",),
        )
    )
