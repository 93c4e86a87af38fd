"""New values that are named: frequent ones, of columns of categories, in any format of a log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assay.tables.column_counts import Layout
from assay.tables.live_columns import KEPT, Asked, read_windows, write_windows
from assay.tables.live_features import are_coded, make_features
from assay.tables.live_labels import make_judged
from assay.tables.live_log import LogColumns, make_answers
from assay.tables.live_new_values import FEWEST, LONGEST, MOST
from assay.tables.live_windows import count_windows
from assay.tables.source import Engine, open_tables
from support.data_files import write_parquet

HOUR = 3_600_000_000
START = datetime(2026, 9, 1, tzinfo=UTC)
FIRST = 1_788_220_800_000_000 // HOUR
COLUMNS = LogColumns(
    id="id", row=None, time="at", version=None, prediction="said", score=None, slices=()
)
Hours = Sequence[Mapping[str | None, int]]


def written(path: Path, hours: Hours, said: Sequence[int] = (0,)) -> Path:
    """Write a row for each plan that an hour has so many of."""
    rows: dict[str, list[Any]] = {"id": [], "at": [], "said": [], "plan": []}
    for hour, plans in enumerate(hours):
        listed = [plan for plan, count in plans.items() for _ in range(count)]
        for place, plan in enumerate(listed):
            at = START + timedelta(hours=hour, seconds=place / len(listed) * 3_599)
            answer = said[place % len(said)]
            for name, value in zip(rows, (f"{hour}-{place}", at, answer, plan), strict=True):
                rows[name].append(value)
    if path.suffix == ".parquet":
        return write_parquet(path, rows)
    lines = [dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True)]
    path.write_text("\n".join(json.dumps({**one, "at": one["at"].isoformat()}) for one in lines))
    return path


def asked(engine: Engine, *, whole: bool, unseen: float) -> Asked:
    make_answers(engine, ["log0"], COLUMNS, since=0, until=(FIRST + 100) * HOUR)
    make_judged(engine, None)
    plan = Layout(name="plan", number=False, values=("free", "it's"), whole=whole)
    return Asked(
        key="k",
        features=make_features(engine, ["log0"], COLUMNS, [plan]),
        logged=("plan",),
        answers=(Layout(name="predicted", number=False, values=("0", "1"), whole=whole),),
        label=None,
        score=None,
        positive=None,
        length=HOUR,
        coded=are_coded(engine, ["log0"]),
        unseen=unseen,
    )


def named(
    path: Path, hours: int, column: str = "feature0", *, whole: bool = True, unseen: float = 0.1
) -> list[dict[str, int]]:
    """Return what is named of each hour, counted, written, and read again from what was kept."""
    aside, kept = path.parent / ".new", path.parent / "kept.parquet"
    numbers = range(FIRST, FIRST + hours)
    with open_tables({"log0": path}, writes=[aside]) as engine:
        wanted = asked(engine, whole=whole, unseen=unseen)
        count_windows(engine, wanted, since=0, end=(FIRST + hours) * HOUR, oldest=0)
        write_windows(engine, aside, kept)
        found = read_windows(engine, wanted, numbers=numbers, version="")
    with open_tables({"log0": path, KEPT: kept}) as engine:
        wanted = asked(engine, whole=whole, unseen=unseen)
        end = (FIRST + hours) * HOUR
        count_windows(engine, wanted, since=end, end=end, oldest=0)
        assert read_windows(engine, wanted, numbers=numbers, version="") == found
    return [dict(found[number].columns[column].new) for number in numbers]


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_frequent_values_are_named_and_rare_ones_are_not(tmp_path: Path, kind: str) -> None:
    hours = [
        {"free": 20, "it's": 4, None: 3, "pro": 9, "": FEWEST, "Anna Smith": FEWEST - 1},
        {"free": 20, "pro": 4},
        {"free": 20, "it''s": 6},
    ]
    path = written(tmp_path / f"log.{kind}", hours)
    assert named(path, 3) == [{"pro": 9, "": FEWEST}, {}, {"it''s": 6}]


@pytest.mark.parametrize("hours", [1, 2])
def test_nothing_is_named_below_the_share_that_counts(tmp_path: Path, hours: int) -> None:
    path = written(tmp_path / "log.parquet", [{"free": 50, "pro": 6}] * hours)
    assert named(path, hours, unseen=0.1) == [{"pro": 6}] * hours
    assert named(path, hours, unseen=0.2) == [{}] * hours


def test_a_reference_that_left_values_out_knows_no_new_ones(tmp_path: Path) -> None:
    path = written(tmp_path / "log.parquet", [{"free": 9, "pro": 9}])
    assert named(path, 1, whole=False) == [{}]


def test_texts_and_ids_are_no_categories(tmp_path: Path) -> None:
    several = {f"text {n}": FEWEST for n in range(2_000)}
    assert named(written(tmp_path / "log.parquet", [{"free": 9, **several}]), 1) == [{}]


def test_few_are_kept_and_long_ones_are_cut(tmp_path: Path) -> None:
    several = {f"plan {n:03} {'x' * 100}": FEWEST + n for n in range(MOST + 9)}
    (found,) = named(written(tmp_path / "log.parquet", [{"free": 9, **several}]), 1)
    assert list(found.values()) == [FEWEST + MOST + 8 - n for n in range(MOST)]
    assert {len(value) for value in found} == {LONGEST}


def test_new_classes_are_named(tmp_path: Path) -> None:
    path = written(tmp_path / "log.jsonl", [{"free": 30}, {"free": 30}], said=(0, 1, 2))
    assert named(path, 2, "predicted") == [{"2": 10}, {"2": 10}]
