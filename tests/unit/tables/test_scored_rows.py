"""Test rows joined with their offline predictions."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from assay.config import Columns
from assay.errors import InputError
from assay.tables.scored_rows import Sample, read_scored_rows


def put(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def read(features: Path, predictions: Path, **changes: object) -> Sample:
    given: dict[str, object] = {
        "required": ["a"],
        "optional": ["b"],
        "names": Columns(),
        "id_column": None,
        "most": 10,
        **changes,
    }
    return read_scored_rows(features, predictions, **given)  # type: ignore[arg-type]


def test_rows_are_joined_by_id_whatever_their_order_and_type(tmp_path: Path) -> None:
    features = put(tmp_path, "f.csv", "id,b,a", "1,x,0.5", "2,,1.5", "3,z,")
    predictions = put(
        tmp_path, "p.csv", "id,y_true,y_pred,y_score", "3.0,1,1,0.9", "2.0,0,0,0.2", "9.5,0,0,0.1"
    )
    found = read(features, predictions)
    assert (found.columns, found.joined, found.predicted) == (("a", "b"), 2, 3)
    by_id = {row.id: row for row in found.rows}
    assert by_id["2"].features == (1.5, None)
    assert by_id["3"].features == (None, "z")
    assert (by_id["3"].prediction, by_id["3"].score) == ("1", 0.9)


def test_the_same_rows_are_drawn_again(tmp_path: Path) -> None:
    lines = [f"{n},{n}" for n in range(500)]
    predicted = [f"{n},0,p{n % 3}" for n in range(500)]
    features = put(tmp_path, "f.csv", "id,a", *lines)
    reversed_ = put(tmp_path, "r.csv", "id,a", *reversed(lines))
    predictions = put(tmp_path, "p.csv", "id,y_true,y_pred", *predicted)
    one, two = read(features, predictions), read(reversed_, predictions)
    assert [row.id for row in one.rows] == [row.id for row in two.rows]
    assert len(one.rows) == 10
    assert [row.id for row in one.rows] != [str(n) for n in range(10)]


def test_class_probabilities_and_named_columns(tmp_path: Path) -> None:
    features = put(tmp_path, "f.csv", "key,a", "1,1")
    predictions = put(tmp_path, "p.csv", "key,y_true,proba_no,proba_yes", "1,yes,0.25,0.75")
    (row,) = read(features, predictions, names=Columns(id="key"), id_column="key").rows
    assert row.scores == {"no": 0.25, "yes": 0.75}
    assert row.prediction is None


def test_values_of_parquet_become_what_json_can_hold(tmp_path: Path) -> None:
    duckdb.sql(
        "COPY (SELECT 1 AS id, CAST(1.5 AS DECIMAL(4, 2)) AS a, DATE '2026-01-02' AS b) "
        f"TO '{tmp_path / 'f.parquet'}'"
    )
    predictions = put(tmp_path, "p.csv", "id,y_true,y_pred", "1,1,1")
    (row,) = read(tmp_path / "f.parquet", predictions).rows
    assert row.features == (1.5, "2026-01-02")


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (("id,b", "1,2"), "lacks columns that the model's signature asks for: 'a'"),
        (("key,a", "1,2"), "has no id column"),
        (("id,a", "1,2", "1,3"), "1 of 2 rows have no 'id' of their own"),
        (("id,a", ",2", "1,3"), "1 of 2 rows have no 'id' of their own"),
        (("id,a", "x,2"), "no id of these rows is in the predictions file"),
        (("id,a",), "no rows"),
    ],
)
def test_rows_that_do_not_fit_are_refused(
    tmp_path: Path, features: tuple[str, ...], message: str
) -> None:
    predictions = put(tmp_path, "p.csv", "id,y_true,y_pred", "1,1,1")
    with pytest.raises(InputError, match=message):
        read(put(tmp_path, "f.csv", *features), predictions)


def test_predictions_that_repeat_ids_are_refused(tmp_path: Path) -> None:
    features = put(tmp_path, "f.csv", "id,a", "1,2")
    with pytest.raises(InputError, match="'id' of their own"):
        read(features, put(tmp_path, "p.csv", "id,y_true,y_pred", "1,1,1", "1,1,0"))


def test_nested_values_are_refused(tmp_path: Path) -> None:
    duckdb.sql(f"COPY (SELECT 1 AS id, [1, 2] AS a) TO '{tmp_path / 'f.parquet'}'")
    predictions = put(tmp_path, "p.csv", "id,y_true,y_pred", "1,1,1")
    with pytest.raises(InputError, match="not single ones"):
        read(tmp_path / "f.parquet", predictions)
