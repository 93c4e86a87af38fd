"""Counts of a log by window, beside those that plain Python makes of the same rows."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from assay.tables.column_counts import ColumnCounts, Layout
from assay.tables.live_columns import KEPT, Asked, read_windows, write_windows
from assay.tables.live_features import are_coded, make_features
from assay.tables.live_labels import LabelColumns, make_judged, make_labels
from assay.tables.live_log import LogColumns, make_answers
from assay.tables.live_windows import count_windows
from assay.tables.source import Engine, open_tables
from support.data_files import write_parquet

HOUR = 3_600_000_000
START = datetime(2026, 9, 1, tzinfo=UTC)
FIRST = 1_788_220_800_000_000 // HOUR
COLUMNS = LogColumns(
    id="id", row=None, time="at", version="version", prediction="said", score="score", slices=()
)
LABELS = LabelColumns(id="id", row=None, label="label", time=None)
NUMBER = Layout(name="x", number=True, edges=(0.0, 1.0, 2.0))
TEXT = Layout(name="plan", number=False, values=("", "free", "it's"))
SCORE = Layout(name="score", number=True, edges=(0.25, 0.5, 1.0))
NUMBERS = [0.5, 1.0, 1.5, 2.0, 7.0, None, math.nan, -math.inf, math.inf, -3.0]
TEXTS = ["", "free", "it's", "other", None, "free", "Free", "=free", "", "it's "]
USED = {"id", "at", "version", "said", "score", "plan"}


def logged(hours: int, *, finite: bool = False) -> dict[str, list[Any]]:
    """Ten rows of each hour; each value of the lists above stands in each hour."""
    numbers = [x for x in NUMBERS if x is None or math.isfinite(x) or not finite]
    size = 10 * hours
    return {
        "id": [f"r{place}" for place in range(size)],
        "at": [START + timedelta(minutes=6 * place) for place in range(size)],
        "version": [("a", "b", None)[place % 3] for place in range(size)],
        "said": [place % 2 for place in range(size)],
        "score": [None if place % 9 == 8 else place % 11 / 10 for place in range(size)],
        "x": [numbers[place % len(numbers)] for place in range(size)],
        "plan": [TEXTS[place % 10] for place in range(size)],
    }


def written(path: Path, rows: Mapping[str, Sequence[Any]]) -> Path:
    """Parquet keeps NaN out of its statistics; JSON and CSV write what is no number as text."""
    if path.suffix == ".parquet":
        return write_parquet(path, {**rows, "x": pa.array(rows["x"], pa.float64())})
    listed = [dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True)]
    lines = [
        json.dumps(
            {
                name: value.isoformat()
                if isinstance(value, datetime)
                else str(value)
                if isinstance(value, float) and not math.isfinite(value)
                else value
                for name, value in row.items()
            }
        )
        for row in listed
    ]
    path.write_text("\n".join(lines))
    return path


def asked(engine: Engine, names: Sequence[str]) -> Asked:
    laid = make_features(engine, names, COLUMNS, (NUMBER, TEXT))
    return Asked(
        key="k",
        features=laid,
        logged=("x", "plan"),
        answers=(Layout(name="predicted", number=False, values=("0", "1")), SCORE),
        label=Layout(name="label", number=False, values=("0", "1")),
        score=SCORE,
        positive="1",
        length=HOUR,
        coded=are_coded(engine, names),
    )


def opened(engine: Engine, names: Sequence[str], *, labels: bool = False) -> Asked:
    make_answers(engine, names, COLUMNS, since=0, until=(FIRST + 100) * HOUR)
    if labels:
        make_labels(engine, ["labels0"], LABELS, at=0, until=0)
    make_judged(engine, LABELS if labels else None)
    return asked(engine, names)


def of_numbers(values: Sequence[float | None]) -> ColumnCounts:
    known = [v for v in values if v is not None and math.isfinite(v)]
    ends = (-math.inf, *NUMBER.edges, math.inf)
    return ColumnCounts(
        rows=len(values),
        missing=len(values) - len(known),
        counts=tuple(sum(low < v <= high for v in known) for low, high in pairwise(ends)),
        mean=sum(known) / len(known),
    )


def of_texts(values: Sequence[str | None]) -> ColumnCounts:
    found = Counter(values)
    listed = tuple(found[value] for value in TEXT.values)
    missing = found[None]
    return ColumnCounts(
        rows=len(values), missing=missing, counts=(*listed, len(values) - missing - sum(listed))
    )


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@pytest.mark.parametrize("hours", [1, 3])
@pytest.mark.parametrize("finite", [True, False])
def test_cells_are_those_of_the_rows(
    tmp_path: Path, kind: str, hours: int, *, finite: bool
) -> None:
    """One window is counted without groups; what is not finite is counted as missing."""
    rows = logged(hours, finite=finite)
    halves = [
        {name: values[::2] for name, values in rows.items()},
        {name: values[1::2] for name, values in rows.items()},
    ]
    files = {f"log{n}": written(tmp_path / f"{n}.{kind}", half) for n, half in enumerate(halves)}
    with open_tables(files, compared=USED) as engine:
        counted = opened(engine, list(files))
        assert counted.coded is (kind == "parquet")
        count_windows(engine, counted, since=0, end=(FIRST + hours) * HOUR, oldest=FIRST)
        found = read_windows(engine, counted, numbers=range(FIRST, FIRST + hours), version="a")
    assert sorted(found) == list(range(FIRST, FIRST + hours))
    for number, window in found.items():
        own = slice(10 * (number - FIRST), 10 * (number - FIRST) + 10)
        expected = of_numbers(rows["x"][own])
        assert window.columns["feature0"].mean == pytest.approx(expected.mean)
        assert window.columns["feature0"].counts == expected.counts
        assert window.columns["feature0"].missing == expected.missing
        assert window.columns["feature1"] == of_texts(rows["plan"][own])
        said = [s for s, v in zip(rows["said"][own], rows["version"][own], strict=True) if v == "a"]
        assert window.columns["predicted"].counts == (said.count(0), said.count(1), 0)
        assert window.columns["predicted"].rows == len(said)


def test_only_the_window_with_a_value_that_is_not_finite_changes_nothing_elsewhere(
    tmp_path: Path,
) -> None:
    rows = logged(2, finite=True)
    rows["x"][13] = math.nan
    path = written(tmp_path / "log.parquet", rows)
    with open_tables({"log0": path}, compared=USED) as engine:
        counted = opened(engine, ["log0"])
        count_windows(engine, counted, since=0, end=(FIRST + 2) * HOUR, oldest=0)
        found = read_windows(engine, counted, numbers=[FIRST, FIRST + 1], version="a")
    for number, window in found.items():
        own = slice(10 * (number - FIRST), 10 * (number - FIRST) + 10)
        expected = of_numbers(rows["x"][own])
        assert window.columns["feature0"].counts == expected.counts
        assert window.columns["feature0"].missing == expected.missing


@pytest.mark.parametrize("versions", [["a"], ["a", "b", None]])
def test_scores_are_those_of_the_rows(tmp_path: Path, versions: list[str | None]) -> None:
    """By version, in bins; those without a score are apart, and labels count where they are."""
    rows = logged(1, finite=True)
    rows["version"] = [versions[place % len(versions)] for place in range(10)]
    labels = write_parquet(
        tmp_path / "labels.parquet",
        {"id": rows["id"][:6], "label": [0, 1, 1, 1, 0, 0]},
    )
    files = {"log0": written(tmp_path / "log.parquet", rows), "labels0": labels}
    with open_tables(files, compared=USED | {"label"}) as engine:
        counted = opened(engine, ["log0"], labels=True)
        count_windows(engine, counted, since=0, end=(FIRST + 1) * HOUR, oldest=0)
        (window,) = read_windows(engine, counted, numbers=[FIRST], version="a").values()
    truth = dict(zip(rows["id"], [0, 1, 1, 1, 0, 0], strict=False))
    own = [
        (rows["score"][n], rows["said"][n], truth.get(rows["id"][n]))
        for n in range(10)
        if rows["version"][n] == "a"
    ]
    scored = [each for each in own if each[0] is not None]
    assert window.unscored == len(own) - len(scored)
    assert sum(one.positives + one.negatives for one in window.scored) == len(scored)
    assert sum(one.positives for one in window.scored) == sum(said for _, said, _ in scored)
    assert sum(one.total for one in window.scored) == pytest.approx(sum(s for s, *_ in scored))
    assert sum(one.hits for one in window.scored) == sum(
        said == 1 and label == 1 for _, said, label in scored
    )
    assert sum(one.misses for one in window.scored) == sum(
        said == 0 and label == 1 for _, said, label in scored
    )
    known = [label for *_, label in own if label is not None]
    assert window.columns["label"].counts == (known.count(0), known.count(1), 0)


def test_what_was_kept_stands_beside_what_is_counted(tmp_path: Path) -> None:
    """Of the same key; a file of another layout, or reference, has another."""
    path = written(tmp_path / "log.parquet", logged(3, finite=True))
    aside, kept = tmp_path / ".new", tmp_path / "kept.parquet"
    with open_tables({"log0": path}, writes=[aside], compared=USED) as engine:
        counted = opened(engine, ["log0"])
        count_windows(engine, counted, since=0, end=(FIRST + 2) * HOUR, oldest=0)
        write_windows(engine, aside, kept)
        first = read_windows(engine, counted, numbers=[FIRST, FIRST + 1], version="a")
    for key, expected in (("k", [FIRST, FIRST + 1, FIRST + 2]), ("other", [FIRST + 2])):
        with open_tables({"log0": path, KEPT: kept}, compared=USED) as engine:
            counted = replace(opened(engine, ["log0"]), key=key)
            count_windows(
                engine, counted, since=(FIRST + 2) * HOUR, end=(FIRST + 3) * HOUR, oldest=0
            )
            found = read_windows(engine, counted, numbers=range(FIRST, FIRST + 3), version="a")
        assert sorted(found) == expected
        if key == "k":
            assert {number: found[number] for number in first} == first


def test_a_span_without_rows_has_no_windows(tmp_path: Path) -> None:
    path = written(tmp_path / "log.parquet", logged(1, finite=True))
    with open_tables({"log0": path}, compared=USED) as engine:
        counted = opened(engine, ["log0"])
        count_windows(engine, counted, since=0, end=HOUR, oldest=0)
        assert engine.row("SELECT count(*) FROM windows") == (0,)
