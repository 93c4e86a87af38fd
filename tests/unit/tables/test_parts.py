"""Small Parquet files that are copied together: the same rows and types, from few files."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from assay.tables.live_log import microseconds
from assay.tables.parts import FEWEST, Since, merge_parts
from assay.tables.source import open_tables
from support.data_files import write_parquet

START = datetime(2026, 3, 1, tzinfo=UTC)
COUNT = FEWEST + 4


def parts(folder: Path, columns: Mapping[str, Sequence[Any]], count: int = COUNT) -> list[Path]:
    return [write_parquet(folder / f"{number:03}.parquet", columns) for number in range(count)]


def numbered(folder: Path, count: int = COUNT) -> list[Path]:
    """One row a file: its number, and a time an hour after that of the one before."""
    return [
        write_parquet(
            folder / f"{number:03}.parquet",
            {"n": [number], "time": [START + timedelta(hours=number)]},
        )
        for number in range(count)
    ]


def read(path: Path, what: str = "*") -> list[tuple[Any, ...]]:
    with open_tables({"one": path}) as engine:
        return engine.rows(f"SELECT {what} FROM one")


def test_values_and_types_are_those_of_the_parts(tmp_path: Path) -> None:
    made = parts(
        tmp_path / "logs",
        {
            "text": ["a", None],
            "number": [math.nan, 2.5],
            "whole": pa.array([1, 2**63], pa.uint64()),
            "exact": [Decimal("1.25"), Decimal("-3.50")],
            "fine": pa.array([1_700_000_000_000_000_001, 1], pa.timestamp("ns", "UTC")),
            "plain": pa.array([1, 2], pa.timestamp("ms")),
            "class": pa.array(["x", "y"]).dictionary_encode(),
            "list": [[0.1, 0.9], []],
            "inside": [{"a": 1}, {"a": None}],
            "bytes": pa.array([uuid.UUID(int=7).bytes, b"1"], pa.binary()),
            "nothing": pa.nulls(2),
        },
    )
    merged = merge_parts(made, tmp_path)
    assert merged.alone == ()
    [(copy, stands)] = merged.copies.items()
    assert stands == tuple(made)
    with open_tables({"one": made[0], "every": copy}) as engine:
        assert engine.tables["every"].columns == engine.tables["one"].columns
        assert engine.tables["every"].rows == 2 * COUNT
        listed = "* REPLACE (isnan(number) AS number, epoch_us(fine) AS fine)"
        assert sorted(map(repr, engine.rows(f"SELECT {listed} FROM every"))) == sorted(
            map(repr, COUNT * engine.rows(f"SELECT {listed} FROM one"))
        )


def test_files_of_another_schema_go_their_own_way(tmp_path: Path) -> None:
    whole = parts(tmp_path / "whole", {"n": [1]})
    floats = parts(tmp_path / "floats", {"n": [1.5]})
    few = parts(tmp_path / "few", {"other": ["x"]}, count=3)
    twice = parts(tmp_path / "twice", {"n": [1], "N": [2]})
    text = tmp_path / "some.csv"
    text.write_text("n\n1\n")
    absent = tmp_path / "absent.parquet"
    merged = merge_parts([*whole, text, *floats, *few, *twice, absent], tmp_path)
    assert sorted(merged.copies.values()) == sorted([tuple(whole), tuple(floats)])
    assert merged.alone == (text, *few, *twice, absent)


def test_below_so_many_nothing_is_copied(tmp_path: Path) -> None:
    made = parts(tmp_path / "logs", {"n": [1]}, count=FEWEST - 1)
    merged = merge_parts(made, tmp_path)
    assert (merged.copies, merged.alone) == ({}, tuple(made))


@pytest.mark.parametrize("bad", [{0}, {3, 4, 17}, {COUNT - 1}, set(range(COUNT))])
@pytest.mark.parametrize("where", ["footer", "values"])
def test_a_damaged_part_is_left_alone_and_the_others_are_whole(
    tmp_path: Path, bad: set[int], where: str
) -> None:
    made = numbered(tmp_path / "logs")
    for number in bad:
        content = bytearray(made[number].read_bytes())
        if where == "footer":
            content = content[: len(content) // 2]
        else:
            content[4:40] = b"\xff" * 36
        made[number].write_bytes(content)
    merged = merge_parts(made, tmp_path)
    assert merged.alone == tuple(made[number] for number in sorted(bad))
    rows = [n for copy in merged.copies for (n,) in read(copy, "n")]
    assert sorted(rows) == [number for number in range(COUNT) if number not in bad]
    assert sorted(path for each in merged.copies.values() for path in each) == [
        path for number, path in enumerate(made) if number not in bad
    ]


def test_parts_without_a_row_that_is_new_enough_are_left_out(tmp_path: Path) -> None:
    made = numbered(tmp_path / "logs")
    untimed = write_parquet(
        tmp_path / "logs/untimed.parquet",
        {"n": [99], "time": pa.nulls(1, pa.timestamp("us", "UTC"))},
    )
    least = int((START + timedelta(hours=15)).timestamp() * 1e6)
    since = Since(time=lambda table: microseconds(table, "time"), least=least)
    merged = merge_parts([*made, untimed], tmp_path, since=since)
    rows = [n for copy in merged.copies for (n,) in read(copy, "n")]
    assert sorted(rows) == [*range(15, COUNT), 99]
    assert merged.alone == ()


def test_names_that_are_patterns_elsewhere_are_only_names(tmp_path: Path) -> None:
    made = parts(tmp_path / "a*[b]=c 'd'", {"n": [1], "assay file": ["theirs"]})
    since = Since(time=lambda table: microseconds(table, "n"), least=2)
    merged = merge_parts(made, tmp_path, since=since)
    assert list(merged.copies.values()) == [tuple(made)]
