"""Logs and labels in a database: the same look as from files, and what a database may do wrong."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from assay.config import parse_config
from assay.errors import InputError, OutsideError
from assay.evidence import Look
from assay.tables.database import DatabaseTable, export_rows
from assay.tables.source import open_tables
from support.production import START, Production

COLUMNS = ("id", "at", "version", "said", "score", "plan")
SETTINGS = {
    "logs": {
        "source": "sqlite:///production.db", "table": "predictions", "id": "id", "time": "at",
        "prediction": "said", "score": "score",
    },
    "labels": {
        "source": "sqlite:///production.db", "table": "truth", "id": "id", "time": "known",
        "label": "label", "delay": 2 * 86_400,
    },
    "slices": ["plan"],
}  # fmt: skip


def stored(folder: Path, *, days: int = 5, seconds: bool = False) -> Production:
    """Five days in the tables of a SQLite file, times as ISO text or as seconds."""
    made = Production(folder, settings=SETTINGS)
    for number in range(days):
        made.day(number, 120)
    insert(made, made.rows, seconds=seconds)
    return made


def insert(made: Production, rows: list[dict[str, Any]], *, seconds: bool = False) -> None:
    with closing(sqlite3.connect(made.folder / "production.db")) as connection:
        kind = "REAL" if seconds else "TIMESTAMP"
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS predictions (id TEXT, at {kind}, version TEXT, "
            "said INTEGER, score REAL, plan TEXT, picture BLOB)"
        )
        connection.execute(f"CREATE TABLE IF NOT EXISTS truth (id TEXT, known {kind}, label TEXT)")
        for row in rows:
            known = row["time"] + timedelta(days=1)
            at, then = (
                (row["time"].timestamp(), known.timestamp())
                if seconds
                else (row["time"].isoformat(), known.isoformat())
            )
            values = (row["request_id"], at, row["version"], row["said"], row["score"], "pro", b"")
            connection.execute("INSERT INTO predictions VALUES (?, ?, ?, ?, ?, ?, ?)", values)
            connection.execute(
                "INSERT INTO truth VALUES (?, ?, ?)", (row["request_id"], then, str(row["label"]))
            )
        connection.commit()


@pytest.mark.parametrize("seconds", [False, True])
def test_a_look_at_tables_is_that_at_files(tmp_path: Path, *, seconds: bool) -> None:
    look = stored(tmp_path / "tables", seconds=seconds).look(5.0)
    files = Production(tmp_path / "files")
    for number in range(5):
        files.day(number, 120)
    files.label(files.rows)
    expected = files.look(5.0)
    assert look.rules == expected.rules
    assert [one.predictions for one in look.windows] == [
        one.predictions for one in expected.windows
    ]
    assert look.labels == expected.labels
    assert look.problems == ()
    assert {one.slice for one in look.windows[2].quality} == {"all", "plan=pro"}


def test_later_looks_read_new_rows_alone(tmp_path: Path) -> None:
    made = stored(tmp_path, days=12)
    before = made.look(12.0)
    fetched = tmp_path / "state/fetched/logs/rows.parquet"
    made.day(12, 120)
    insert(made, made.rows[-120:])
    look = made.look(13.0)
    with open_tables({"rows": fetched}) as engine:
        assert engine.tables["rows"].rows < 13 * 120 * 0.6
    assert total(look) == total(before) + 120
    assert look.rules[0].n > before.rules[0].n


def total(look: Look) -> int:
    return sum(window.predictions for window in look.windows)


def test_an_empty_table_is_a_silent_log(tmp_path: Path) -> None:
    made = Production(tmp_path, settings=SETTINGS)
    insert(made, [])
    look = made.look(1.0)
    assert {one.key for one in look.problems} == {"heartbeat:log"}


def test_a_row_of_another_type_is_counted_as_unusable(tmp_path: Path) -> None:
    made = stored(tmp_path, days=2)
    with closing(sqlite3.connect(tmp_path / "production.db")) as connection:
        connection.execute("UPDATE predictions SET at = 'soon' WHERE id = 'r0-1'")
        connection.execute("UPDATE predictions SET at = NULL WHERE id = 'r0-2'")
        connection.commit()
    look = made.look(2.0)
    assert total(look) == 238
    assert "2 rows of the logs" in " ".join(one.sentence for one in look.problems)


def test_nothing_is_written_into_the_database(tmp_path: Path) -> None:
    made = stored(tmp_path, days=1)
    before = (tmp_path / "production.db").read_bytes()
    made.look(1.0)
    assert (tmp_path / "production.db").read_bytes() == before


def test_hostile_names_stay_names(tmp_path: Path) -> None:
    name = 'a"b; DROP TABLE predictions --'
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        quoted = name.replace('"', '""')
        connection.execute(f'CREATE TABLE "{quoted}" ("{quoted}" TEXT, "line\nbreak" TEXT)')
        connection.execute(
            f"""INSERT INTO "{quoted}" VALUES ('a,"b' || char(13, 10) || 'c', NULL)"""
        )
        connection.commit()
    wanted = DatabaseTable(address="sqlite:///x.db", table=name.replace(".", ""), setting="s")
    to = tmp_path / "rows.parquet"
    assert export_rows(wanted, root=tmp_path, since=None, to=to)
    with open_tables({"rows": to}) as engine:
        assert engine.rows("SELECT * FROM rows") == [('a,"b\r\nc', None)]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    stored(tmp_path, days=1)
    for address, table, words in (
        ("sqlite:///absent.db", "predictions", "no such SQLite file"),
        ("sqlite:///production.db", "absent", "no table 'absent'"),
    ):
        wanted = DatabaseTable(address=address, table=table, setting="logs.source")
        with pytest.raises(InputError, match=words):
            export_rows(wanted, root=tmp_path, since=None, to=tmp_path / "rows.parquet")


def test_a_damaged_database_is_something_outside(tmp_path: Path) -> None:
    (tmp_path / "production.db").write_bytes(b"no database" * 1_000)
    made = Production(tmp_path, settings=SETTINGS)
    with pytest.raises(OutsideError, match="Nothing is lost"):
        made.look(1.0)
    assert not (tmp_path / "state/state.json").exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"source": "postgresql://u:secret@db/production", "table": "t"}, "holds a password"),
        ({"source": "postgresql://db/production"}, "name its table"),
        ({"source": "logs", "table": "t"}, "table is of a database"),
    ],
)
def test_an_address_without_its_table_or_with_a_password_is_refused(
    settings: dict[str, str], words: str
) -> None:
    model = {
        "predictions": "p.csv",
        "gates": {"f1": {"margin": 0.1}},
        "monitoring": {"logs": settings},
    }
    with pytest.raises(match=words) as caught:
        parse_config(str({"version": 1, "models": {"m": model}}), file="assay.yaml")
    assert "secret" not in str(caught.value)


def test_times_with_an_offset_are_read_with_it(tmp_path: Path) -> None:
    """Also from files: 02:00+02:00 is midnight."""
    made = Production(tmp_path)
    made.day(0, 50)
    lines = ["request_id,time,version,prediction,score"]
    for row in made.rows:
        there = row["time"] + timedelta(hours=2)
        lines.append(f"{row['request_id']},{there:%Y-%m-%dT%H:%M:%S}+02:00,v,{row['said']},1")
    (tmp_path / "logs/000.parquet").unlink()
    (tmp_path / "logs/text.csv").write_text("\n".join(lines))
    made.labels = [("r0-0", 1, START + timedelta(days=1))]
    made.write_labels()
    look = made.look(1.0)
    assert [window.predictions for window in look.windows] == [50, 0]
