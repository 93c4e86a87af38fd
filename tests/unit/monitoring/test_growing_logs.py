"""A log or labels that somebody is writing to while a look reads them."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assay.evidence import Look
from assay.tables.growing import settled
from support.production import Production

COLUMNS = ("request_id", "time", "prediction")
LOGS: dict[str, Any] = {"logs": {"source": "own"}}


def _lines(made: Production, kind: str) -> list[str]:
    """One line a prediction, after the header where it is CSV."""
    rows = [
        {
            "request_id": one["request_id"],
            "time": one["time"].isoformat(),
            "prediction": one["said"],
        }
        for one in made.rows
    ]
    if kind == "jsonl":
        return [json.dumps(row) for row in rows]
    return [",".join(COLUMNS), *(",".join(map(str, row.values())) for row in rows)]


def _made(folder: Path) -> Production:
    made = Production(folder, settings=LOGS)
    (folder / "own").mkdir()
    for day in range(4):
        made.day(day)
    made.label(made.rows)
    return made


def _counted(look: Look) -> int:
    return sum(window.predictions for window in look.windows)


def _aged(path: Path, seconds: float) -> None:
    at = (datetime.now().astimezone() - timedelta(seconds=seconds)).timestamp()
    os.utime(path, (at, at))


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
@pytest.mark.parametrize("cut", [1, 9, 30])
def test_a_row_that_is_being_written_is_left_for_the_next_look(
    tmp_path: Path, kind: str, cut: int
) -> None:
    made = _made(tmp_path)
    text = "\n".join(_lines(made, kind)) + "\n"
    path = tmp_path / f"own/a.{kind}"
    path.write_text(text[:-cut])
    look = made.look(4.0)
    assert [one.key for one in look.problems] == []
    assert _counted(look) == len(made.rows) - (cut > 1)
    path.write_text(text)
    assert _counted(made.look(4.1)) == len(made.rows)


def test_a_last_row_without_a_line_end_counts_where_nobody_writes(tmp_path: Path) -> None:
    made = _made(tmp_path)
    path = tmp_path / "own/a.csv"
    path.write_text("\n".join(_lines(made, "csv")))
    assert _counted(made.look(4.0)) == len(made.rows)


def test_half_a_row_that_stays_is_a_finding(tmp_path: Path) -> None:
    made = _made(tmp_path)
    path = tmp_path / "own/a.jsonl"
    path.write_text("\n".join(_lines(made, "jsonl"))[:-9])
    _aged(path, 3600)
    look = made.look(4.0)
    assert "schema:logs files" in {one.key for one in look.problems}
    assert "own/a.jsonl" in look.unreadable[0]


def test_half_a_value_at_the_end_is_left_for_the_next_look(tmp_path: Path) -> None:
    # Read as it stands, the label of ten would be one, known at the same time: a contradiction.
    path = tmp_path / "labels.csv"
    (tmp_path / "scratch").mkdir()
    path.write_text("request_id,label\nr0,10\nr1,1")

    def write_on(_: float) -> None:
        with path.open("a") as stream:
            stream.write("0\n")

    copy = settled(path, tmp_path / "scratch", now=time.time(), wait=write_on)
    assert copy is not None
    assert copy.read_text() == "request_id,label\nr0,10\n"
    assert path.read_text().endswith("r1,10\n")


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_file_without_rows_is_no_finding(tmp_path: Path, kind: str) -> None:
    # A day on which nothing came, as many exports leave it; and a file of which no row is whole.
    made = _made(tmp_path)
    (tmp_path / f"own/a.{kind}").write_text("\n".join(_lines(made, kind)) + "\n")
    (tmp_path / "own/b.csv").write_text(",".join(COLUMNS) + "\n")
    (tmp_path / "own/c.jsonl").write_text('{"request_id": "r')
    look = made.look(4.0)
    assert [one.key for one in look.problems] == []
    assert _counted(look) == len(made.rows)


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_log_that_is_rotated_between_looks_counts_once_and_whole(
    tmp_path: Path, kind: str
) -> None:
    made = _made(tmp_path)
    header, lines = ([], _lines(made, kind)) if kind == "jsonl" else ([COLUMNS], _lines(made, kind))
    lines = lines[len(header) :]
    log = tmp_path / f"own/app.{kind}"

    def write(rows: list[str]) -> None:
        log.write_text("\n".join([*(",".join(each) for each in header), *rows, ""]))

    write(lines[:600])
    made.look(2.0)
    log.rename(tmp_path / f"own/app.{kind}.1")
    write(lines[600:])
    look = made.look(4.0)
    assert look.unreadable == ()
    assert sum(window.predictions for window in look.windows) == len(made.rows)
