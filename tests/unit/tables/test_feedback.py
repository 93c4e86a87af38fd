"""What is drawn for labelling: strata, weights that add up, the same rows each time, refusals."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from assay.cli.feedback import feedback
from assay.errors import InputError
from assay.tables.feedback import Draw, Sample, draw
from assay.tables.source import open_tables
from support.production import Production

WANTED = Draw(id="request_id", prediction="prediction", label="label", score="score")


def files(folder: Path) -> tuple[Path, Path]:
    """A hundred answers: 20 labelled, 5 of them wrong; 30 of the rest are doubts."""
    log, labels = folder / "log.csv", folder / "labels.csv"
    with log.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["request_id", "age", "prediction", "score"])
        for number in range(100):
            rows.writerow([f"r{number}", number, 1, 0.55 if 20 <= number < 50 else 0.9])
    with labels.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["request_id", "label"])
        rows.writerows([[f"r{number}", "0.0" if number < 5 else "1.0"] for number in range(20)])
        rows.writerow(["stranger", "0.0"])
    return log, labels


def drawn(folder: Path, wanted: Draw = WANTED) -> Sample:
    log, labels = files(folder)
    with open_tables({"predictions": log, "labels": labels}) as engine:
        return draw(engine, wanted)


def test_each_stratum_is_what_it_says_and_the_weights_add_up_to_its_rows(tmp_path: Path) -> None:
    wanted = Draw(
        id="request_id", prediction="prediction", label="label", score="score",
        mistakes=10, doubts=12, others=7,
    )  # fmt: skip
    made = drawn(tmp_path, wanted)
    assert [(one.name, one.rows, one.drawn) for one in made.strata] == [
        ("mistake", 5, 5),
        ("low-confidence", 30, 12),
        ("other", 50, 7),
    ]
    assert made.columns == ("request_id", "age", "prediction", "score", "label", *made.columns[-2:])
    for one in made.strata:
        rows = [row for row in made.rows if row[-2] == one.name]
        assert sum(row[-1] for row in rows) == pytest.approx(one.rows)
    assert {row[0] for row in made.rows if row[-2] == "mistake"} == {f"r{n}" for n in range(5)}
    assert all(20 <= row[1] < 50 for row in made.rows if row[-2] == "low-confidence")


def test_the_same_seed_draws_the_same_and_another_draws_others(tmp_path: Path) -> None:
    few = {"id": "request_id", "prediction": "prediction", "label": "label", "score": "score"}
    first, again, other = (
        drawn(tmp_path, Draw(**few, doubts=5, seed=seed)).rows for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_both_files_hold_the_same_rows(tmp_path: Path) -> None:
    log, labels = files(tmp_path)
    arguments = [
        "--predictions",
        str(log),
        "--labels",
        str(labels),
        "--output",
        str(tmp_path / "o"),
    ]
    done = CliRunner().invoke(feedback, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    assert "Without --score no row is a doubt" in done.output
    with (tmp_path / "o/candidates.csv").open(newline="") as stream:
        table = list(csv.DictReader(stream))
    lines = [json.loads(line) for line in (tmp_path / "o/candidates.jsonl").open()]
    assert [row["request_id"] for row in table] == [row["request_id"] for row in lines]
    assert {row["stratum"] for row in lines} == {"mistake", "other"}


@pytest.mark.parametrize("change", [{"id": "no"}, {"prediction": "no"}, {"score": "no"}])
def test_a_column_that_is_missing_is_named(tmp_path: Path, change: dict[str, str]) -> None:
    names = {"id": "request_id", "prediction": "prediction", "label": "label", **change}
    with pytest.raises(InputError, match="there is no column 'no'"):
        drawn(tmp_path, Draw(**names))  # type: ignore[arg-type]


def test_an_id_that_stands_twice_is_refused(tmp_path: Path) -> None:
    log, labels = files(tmp_path)
    with labels.open("a", newline="") as stream:
        stream.write("r3,1.0\r\n")
    with (
        open_tables({"predictions": log, "labels": labels}) as engine,
        pytest.raises(InputError, match="'r3' stands there twice"),
    ):
        draw(engine, WANTED)


def called(*arguments: str) -> tuple[list[str], list[dict[str, Any]]]:
    """What the command says of the strata, and its rows."""
    done = CliRunner().invoke(feedback, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    folder = Path(arguments[arguments.index("--output") + 1])
    lines = (folder / "candidates.jsonl").read_text().splitlines()
    return done.output.splitlines()[:3], [json.loads(line) for line in lines]


def test_the_delivery_targets_log_is_drawn_from_as_it_lies(tmp_path: Path) -> None:
    made = Production(tmp_path)
    for day in range(2):
        made.day(day)
    made.label(made.rows[:400])
    said, rows = called(
        "--predictions", str(tmp_path / "logs"), "--labels", str(tmp_path / "labels.csv"),
        "--score", "score", "--output", str(tmp_path / "o"),
    )  # fmt: skip
    wrong = sum(row["said"] != row["label"] for row in made.rows[:400])
    doubts = sum(abs(row["score"] - 0.5) <= 0.1 for row in made.rows[400:])
    others = 200 - doubts
    assert said == [
        f"mistake: {wrong} of {wrong} rows",
        f"low-confidence: {doubts} of {doubts} rows",
        f"other: {min(100, others)} of {others} rows",
    ]
    by_id = {row["request_id"]: row for row in made.rows}
    for row in rows:
        truth = by_id[row["request_id"]]
        assert row["time"] == truth["time"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        assert (row["prediction"], row["input"]) == (str(truth["said"]), truth["input"])


@pytest.mark.parametrize("unit", ["us", "ns"])
def test_ids_and_classes_join_whatever_their_type(tmp_path: Path, unit: str) -> None:
    at = pa.array([1_000_000] * 4, type=pa.int64()).cast(pa.timestamp(unit, tz="Asia/Tokyo"))
    ids, said = [1.0, 2.0, 3.0, None], [True, False, True, True]
    log = pa.table({"request_id": ids, "time": at, "prediction": said})
    pq.write_table(log, tmp_path / "log.parquet")
    (tmp_path / "labels.csv").write_text("request_id,label\n1,1\n2,1.0\n3,yes\n")
    said_of, rows = called(
        "--predictions", str(tmp_path / "log.parquet"), "--labels", str(tmp_path / "labels.csv"),
        "--output", str(tmp_path / "o"),
    )  # fmt: skip
    assert said_of[0] == "mistake: 2 of 2 rows"
    assert {row["request_id"] for row in rows if row["stratum"] == "mistake"} == {2.0, 3.0}
    assert rows[0]["time"].startswith("1970-01-01T00:00:0")


def test_a_folder_without_predictions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file of it holds predictions"):
        CliRunner().invoke(
            feedback,
            ["--predictions", str(tmp_path), "--labels", "labels.csv"],
            catch_exceptions=False,
        )
