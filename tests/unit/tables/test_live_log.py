"""Predictions that were logged, as one relation: each counts once, in little memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assay.tables.live_labels import LabelColumns, is_table, make_judged, make_labels
from assay.tables.live_log import LogColumns, LogFacts, make_answers
from assay.tables.source import Engine, open_tables
from support.data_files import write_parquet

START = datetime(2026, 9, 1, tzinfo=UTC)
FIRST = 1_788_220_800_000_000
UNTIL = FIRST + 100_000_000
COLUMNS = LogColumns(
    id="id", row=None, time="at", version=None, prediction="said", score=None, slices=("plan",)
)
LABELS = LabelColumns(id="id", row=None, label="label", time=None)


def logged(*ids: str, said: int = 1, plan: str | None = "") -> dict[str, Sequence[Any]]:
    return {
        "id": ids,
        "at": [START + timedelta(seconds=place) for place, _ in enumerate(ids)],
        "said": [said] * len(ids),
        "plan": [plan] * len(ids),
    }


@contextmanager
def answered(folder: Path, *logs: Mapping[str, Sequence[Any]]) -> Iterator[tuple[Engine, LogFacts]]:
    files = {
        f"log{place}": write_parquet(folder / f"{place}.parquet", rows)
        for place, rows in enumerate(logs)
    }
    files["labels0"] = write_parquet(
        folder / "labels.parquet", {"id": ["a", "b", "x"], "label": [1, 0, 1]}
    )
    with open_tables(files) as engine:
        names = [name for name in files if name.startswith("log")]
        yield engine, make_answers(engine, names, COLUMNS, since=FIRST, until=UNTIL)


def judged(engine: Engine) -> list[tuple[Any, ...]]:
    return engine.rows("SELECT answered, predicted, slice0, label FROM judged ORDER BY ALL")


@pytest.mark.parametrize("labelled", [True, False])
def test_what_does_not_repeat_is_read_in_place(tmp_path: Path, *, labelled: bool) -> None:
    with answered(tmp_path, logged("a", "b"), logged("c", said=0, plan=None)) as (engine, facts):
        assert not is_table(engine)
        assert (facts.rows, facts.repeated, facts.last) == (3, 0, FIRST + 1_000_000)
        if labelled:
            found = make_labels(engine, ["labels0"], LABELS, at=UNTIL, until=UNTIL)
            assert (found.known, found.orphans) == (3, 1)
        make_judged(engine, LABELS if labelled else None)
        assert judged(engine) == [
            (FIRST, "0", None, None),
            (FIRST, "1", "", "1" if labelled else None),
            (FIRST + 1_000_000, "1", "", "0" if labelled else None),
        ]


@pytest.mark.parametrize("labelled", [True, False])
def test_what_repeats_counts_once_the_earliest(tmp_path: Path, *, labelled: bool) -> None:
    with answered(tmp_path, logged("z", "a"), logged("a", "b", said=0)) as (engine, facts):
        assert is_table(engine)
        assert (facts.rows, facts.repeated) == (4, 1)
        if labelled:
            make_labels(engine, ["labels0"], LABELS, at=UNTIL, until=UNTIL)
        make_judged(engine, LABELS if labelled else None)
        assert judged(engine) == [
            (FIRST, "0", "", "1" if labelled else None),
            (FIRST, "1", "", None),
            (FIRST + 1_000_000, "0", "", "0" if labelled else None),
        ]


def test_rows_that_cannot_be_used_and_those_of_the_future_are_counted(tmp_path: Path) -> None:
    rows: dict[str, Any] = {**logged("a", "b", "c", "d")}
    rows["id"] = ["a", None, "c", "d"]
    rows["at"] = [START, START, None, START + timedelta(days=1)]
    with answered(tmp_path, rows) as (engine, facts):
        assert facts == LogFacts(rows=4, repeated=0, unusable=2, ahead=1, last=FIRST)
        assert engine.row("SELECT count(*) FROM answers") == (1,)


def test_versions_that_are_not_known_are_not_judged(tmp_path: Path) -> None:
    with answered(tmp_path, logged("a")) as (engine, _):
        make_judged(engine, None, ["v1"])
        assert engine.row("SELECT count(*), count(version) FROM judged") == (1, 0)


def test_entries_that_correct_and_contradict_settle_by_when_they_came(tmp_path: Path) -> None:
    """One entry for each prediction is its own truth; with more of one, the last decides."""
    known = LabelColumns(id="id", row=None, label="label", time="known")
    entries = [("a", 1, 1), ("a", 0, 2), ("b", 1, 1), ("b", 0, 1), ("c", 1, 3)]
    for listed, expected in (
        (entries[-1:], [("c", "1", 3, True)]),
        (entries, [("a", "0", 1, True), ("b", None, 1, True), ("c", "1", 3, True)]),
    ):
        path = write_parquet(
            tmp_path / "known.parquet",
            {
                "id": [id_ for id_, _, _ in listed],
                "label": [label for _, label, _ in listed],
                "known": [START + timedelta(seconds=second) for *_, second in listed],
            },
        )
        log = write_parquet(tmp_path / "log.parquet", logged("a", "b", "c"))
        with open_tables({"log0": log, "labels0": path}) as engine:
            make_answers(engine, ["log0"], COLUMNS, since=FIRST, until=UNTIL)
            facts = make_labels(engine, ["labels0"], known, at=UNTIL, until=UNTIL)
            found = engine.rows(
                f"SELECT id, label, (came - {FIRST}) // 1000000, met FROM truth ORDER BY id"
            )
        assert found == expected
        assert (facts.known, facts.corrected) == (len(expected), int(len(listed) > 1))
        assert facts.contradictory == int(len(listed) > 1)


@pytest.mark.parametrize("kind", ["numbers", "texts", "both"])
def test_ids_are_the_same_as_texts(tmp_path: Path, kind: str) -> None:
    """A label 7 is of the prediction 7, and of no 007; whole numbers are compared as numbers."""
    numbers, texts = [7, 8, None], ["7", "8", None]
    logs = {"numbers": [numbers, numbers], "texts": [texts, texts], "both": [numbers, texts]}
    files = {}
    for place, ids in enumerate(logs[kind]):
        rows = {**logged("", "", "", plan=str(place)), "id": ids}
        files[f"log{place}"] = write_parquet(tmp_path / f"{place}.parquet", rows)
    files["labels0"] = write_parquet(
        tmp_path / "labels.parquet",
        {"id": ["7", "007", "8.0", "9"], "label": [1, 0, 0, 0]},
    )
    with open_tables(files) as engine:
        facts = make_answers(engine, ["log0", "log1"], COLUMNS, since=FIRST, until=UNTIL)
        assert (facts.unusable, facts.repeated) == (2, 2)
        found = make_labels(engine, ["labels0"], LABELS, at=UNTIL, until=UNTIL)
        assert (found.known, found.orphans) == (4, 3)
        make_judged(engine, LABELS)
        assert [row[-1] for row in judged(engine)] == ["1", None]


@pytest.mark.parametrize("versions", [["v"] * 2, ["v", None], ["v", "w"]])
def test_versions_stay_those_of_the_rows(tmp_path: Path, versions: list[str | None]) -> None:
    rows = {**logged("a", "b"), "which": versions}
    path = write_parquet(tmp_path / "log.parquet", rows)
    columns = replace(COLUMNS, version="which")
    with open_tables({"log0": path}) as engine:
        make_answers(engine, ["log0"], columns, since=FIRST, until=UNTIL)
        make_judged(engine, None)
        assert engine.rows("SELECT version FROM judged ORDER BY answered") == [
            (version,) for version in versions
        ]
