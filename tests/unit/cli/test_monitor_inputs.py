"""`assay monitor` on logs and labels that are wrong, or right in an unexpected way.

Each ends with what is meant, with a finding, or with an error that says where and what to do.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.watched_files import DAYS, ROWS, START, Watched, counted, keys


@pytest.fixture
def made(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_nothing_is_wrong_with_what_is_right(made: Watched) -> None:
    made.write()
    look = made.look()
    assert (keys(look), counted(look)) == (set(), (ROWS, 0.9))


@pytest.mark.parametrize("column", ["request_id", "time", "prediction", "score"])
def test_a_log_without_a_column_is_named(made: Watched, column: str) -> None:
    del made.log[column]
    made.write()
    look = made.look()
    assert {"schema:logs files"} <= keys(look)
    assert f"log/a.parquet: it has no column {column!r}" in " ".join(look.unreadable)


@pytest.mark.parametrize("column", ["request_id", "label", "known"])
def test_labels_without_a_column_are_named(made: Watched, column: str) -> None:
    del made.labels[column]
    made.write()
    look = made.look()
    assert {"schema:labels files"} <= keys(look)
    assert f"labels.csv: it has no column {column!r}" in " ".join(look.unreadable)


@pytest.mark.parametrize("gap", ["", "nan", "NaN"])
def test_labels_that_are_missing_are_no_labels(made: Watched, gap: str) -> None:
    made.labels["label"] = [gap if n % 5 == 0 else one for n, one in enumerate(made.log["truth"])]
    made.write()
    look = made.look()
    assert keys(look) == {"schema:labels rows"}
    assert "120 rows of the labels without an id" in look.problems[0].sentence
    assert counted(look)[0] == ROWS - 120


def test_nan_labels_of_a_parquet_file_are_none_either(made: Watched) -> None:
    made.monitoring = {"labels": {"source": "labels.parquet", "time": "known", "delay": 3600}}
    made.write()
    table = {**made.labels, "label": [float(one) for one in made.labels["label"]]}
    table["label"][:60] = [float("nan")] * 60
    pq.write_table(pa.table(table), made.folder / "labels.parquet")
    look = made.look()
    assert keys(look) == {"schema:labels rows"}
    assert counted(look)[0] == ROWS - 60


@pytest.mark.parametrize("name", ["empty.parquet", "empty.csv", "empty.jsonl"])
def test_an_empty_file_is_named_and_the_rest_is_read(made: Watched, name: str) -> None:
    made.write()
    (made.folder / "log" / name).touch()
    look = made.look()
    assert keys(look) == {"schema:logs files"}
    assert f"{name}: the file is empty" in look.unreadable[0]
    assert counted(look) == (ROWS, 0.9)


def test_a_file_of_the_targets_names_and_other_types_is_named(made: Watched) -> None:
    made.write()
    names = ("request_id", "row", "version", "assigned", "mirrored", "time", "output")
    pq.write_table(pa.table({name: [1] for name in names}), made.folder / "log/b.parquet")
    look = made.look()
    assert "b.parquet: column 'request_id' is not of the prediction log's type" in " ".join(
        look.unreadable
    )


def test_windows_line_ends_and_a_byte_order_mark_are_no_matter(made: Watched) -> None:
    made.write()
    made.write_labels(made.labels, end="\r\n")
    path = made.folder / "labels.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    look = made.look()
    assert (keys(look), counted(look)) == (set(), (ROWS, 0.9))


@pytest.mark.parametrize(
    "written",
    [str, float, lambda one: None if one == 7 else float(one)],
    ids=["text", "floats", "floats with a gap"],
)
def test_ids_are_joined_whatever_their_type(made: Watched, written: Callable[[int], Any]) -> None:
    made.log["request_id"] = [written(one) for one in made.log["request_id"]]
    made.write()
    look = made.look()
    gaps = made.log["request_id"].count(None)
    assert counted(look) == (ROWS - gaps, 0.9)
    assert keys(look) == ({"schema:logs rows"} if gaps else set())


def test_ids_that_are_others_are_a_finding(made: Watched) -> None:
    made.labels["request_id"] = [f"id-{one}" for one in made.labels["request_id"]]
    made.write()
    look = made.look()
    assert "labels:orphans" in keys(look)
    assert counted(look) == (0, None)


@pytest.mark.parametrize("unit", [1, 1e3, 1e6, 1e9], ids=["s", "ms", "us", "ns"])
@pytest.mark.parametrize("kind", [int, float])
def test_times_as_numbers_are_read_in_the_unit_that_fits(
    made: Watched, unit: float, kind: type
) -> None:
    made.log["time"] = [kind(one.timestamp() * unit) for one in made.log["time"]]
    made.labels["known"] = [kind(one.timestamp() * unit) for one in made.labels["known"]]
    made.write()
    look = made.look()
    assert (keys(look), counted(look)) == (set(), (ROWS, 0.9))
    assert look.windows[0].start == "2026-09-01T00:00:00Z"


@pytest.mark.parametrize("form", ["%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p"])
def test_a_time_that_is_none_is_shown(made: Watched, form: str) -> None:
    made.log["time"] = [one.strftime(form) for one in made.log["time"]]
    made.labels["known"] = [one.strftime(form) for one in made.labels["known"]]
    made.write()
    look = made.look()
    assert {"schema:logs rows", "schema:labels rows"} <= keys(look)
    for one in look.problems:
        if one.subject in {"logs rows", "labels rows"}:
            assert f"{START.strftime(form)[:6]}" in one.sentence
            assert "write 2026-11-01T12:00:00Z, or seconds" in one.sentence


@pytest.mark.parametrize("old", ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"])
def test_a_row_of_another_age_is_left_out_and_shifts_nothing(made: Watched, old: str) -> None:
    # As a window of its own it would begin 20,000 sequences, and hide a day without traffic.
    made.log["time"] = [one.isoformat() for one in made.log["time"]]
    made.log["time"][1] = old
    made.write()
    look = made.look()
    assert (keys(look), counted(look)) == ({"schema:logs rows"}, (ROWS - 1, 0.9))
    assert f"{old[:10]}" in look.problems[0].sentence
    assert look.windows[0].start == "2026-09-01T00:00:00Z"
    (rule,) = look.rules
    assert rule.n == ROWS - 1
    assert made.look(days=DAYS + 0.6).problems == look.problems


@pytest.mark.parametrize("gap", [None, float("nan")])
def test_predictions_without_a_value_are_a_finding(made: Watched, gap: float | None) -> None:
    said = [float(one) for one in made.log["prediction"]]
    made.log["prediction"] = [gap if n % 20 == 0 else one for n, one in enumerate(said)]
    made.write()
    look = made.look()
    assert keys(look) == {"schema:logs predictions"}
    assert "without a value: 30 predictions" in look.problems[0].sentence


@pytest.mark.parametrize("name", ["old.csv.gz", "old.jsonl.zst"])
def test_a_compressed_file_is_named(made: Watched, name: str) -> None:
    made.write()
    text = b"request_id,time,prediction,score\n"
    (made.folder / "log" / name).write_bytes(
        gzip.compress(text) if name.endswith("gz") else b"\x28\xb5\x2f\xfd" + text
    )
    look = made.look()
    assert keys(look) == {"schema:logs files"}
    assert f"{name}: this is" in look.unreadable[0]
    assert "compressed" in look.unreadable[0]


def test_labels_that_stop_to_match_are_a_finding(made: Watched) -> None:
    made.write()
    made.labels["request_id"] = [
        one if known < START + timedelta(days=3) else f"new-{one}"
        for one, known in zip(made.labels["request_id"], made.labels["known"], strict=True)
    ]
    made.write_labels(made.labels)
    look = made.look()
    assert keys(look) == {"labels:coverage"}
    assert "Of 120 predictions in the 1 d from 2026-09-05" in look.problems[0].sentence
    assert "0 have one; of those before it 74" in look.problems[0].sentence


def test_times_without_a_zone_are_utc_and_times_that_are_none_are_counted(made: Watched) -> None:
    made.log["time"] = [one.replace(tzinfo=None) for one in made.log["time"]]
    made.labels["known"] = [one.replace(tzinfo=None) for one in made.labels["known"]]
    made.labels["known"][:50] = ["yesterday"] * 50
    made.write()
    look = made.look()
    assert keys(look) == {"schema:labels rows"}
    assert counted(look)[0] == ROWS - 50
    assert look.windows[0].start == "2026-09-01T00:00:00Z"


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Kolkata"])
def test_times_are_read_in_every_type_that_parquet_has(
    made: Watched, unit: str, zone: str | None
) -> None:
    made.monitoring = {"labels": {"source": "labels.parquet", "time": "known", "delay": 3600}}
    kind = pa.timestamp(unit, tz=zone)
    made.log["time"] = pa.array([one.replace(tzinfo=None) for one in made.log["time"]], type=kind)
    made.write()
    known = pa.array([one.replace(tzinfo=None) for one in made.labels["known"]], type=kind)
    pq.write_table(pa.table({**made.labels, "known": known}), made.folder / "labels.parquet")
    look = made.look()
    assert (keys(look), counted(look)) == (set(), (ROWS, 0.9))
    assert look.windows[0].start == "2026-09-01T00:00:00Z"


def test_a_place_that_is_no_number_is_a_row_that_is_left_out(made: Watched) -> None:
    made.monitoring = {
        "logs": {"source": "log", "score": "score", "row": "place"},
        "labels": {
            "source": "labels.csv", "time": "known", "delay": 3600, "row": "place",
        },
    }  # fmt: skip
    made.log["place"] = ["first" if n < 30 else "1" for n in range(ROWS)]
    made.labels["place"] = [1] * ROWS
    made.write()
    look = made.look()
    assert keys(look) == {"schema:logs rows"}
    assert "30 rows of the logs" in look.problems[0].sentence
    assert counted(look)[0] == ROWS - 30


def test_scores_that_are_percentages_are_a_finding(made: Watched) -> None:
    made.log["score"] = [one * 100 for one in made.log["score"]]
    made.write()
    look = made.look()
    assert keys(look) == {"schema:logs scores"}
    assert "that of 600 predictions lies outside" in look.problems[0].sentence
    assert counted(look) == (ROWS, 0.9)


def test_a_score_that_is_missing_is_no_finding(made: Watched) -> None:
    made.log["score"] = [float("nan") if n % 3 else one for n, one in enumerate(made.log["score"])]
    made.write()
    assert keys(made.look()) == set()
