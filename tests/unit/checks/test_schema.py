"""The schema file: what is written is read back, and what cannot be meant is refused in place."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.checks import freeze, load_schema, write_schema
from assay.checks.infer import outwards
from assay.checks.schema import ColumnSchema, DataSchema, parse_schema
from assay.config import Data
from assay.errors import AssayError
from support.data_files import people, write_parquet

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**60), 2**60)


@st.composite
def columns(draw: st.DrawFn) -> ColumnSchema:
    kind = draw(st.sampled_from(["integer", "float", "boolean", "text", "time", "other"]))
    facts: dict[str, Any] = {"type": kind, "nullable": draw(st.booleans())}
    if kind in {"integer", "float"} and draw(st.booleans()):
        facts["min"], facts["max"] = sorted((draw(NUMBERS), draw(NUMBERS)))
    if kind == "text" and draw(st.booleans()):
        facts["categories"] = draw(st.lists(TEXTS, min_size=1, max_size=8))
    if kind == "text" and draw(st.booleans()):
        facts["pattern"] = draw(TEXTS)
    if draw(st.booleans()):
        facts["max_missing"] = draw(st.floats(0, 1))
    return ColumnSchema.model_validate(facts)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(TEXTS, columns(), min_size=1, max_size=6))
def test_what_is_written_is_read_back(found: dict[str, ColumnSchema]) -> None:
    schema = DataSchema(version=1, columns=found)
    text = write_schema(schema)
    assert parse_schema(text, file="s.yaml").schema == schema
    assert write_schema(parse_schema(text, file="s.yaml").schema) == text


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("columns: {a: {type: text}}", "s.yaml:1:1", "'version' is missing"),
        ("version: 1\ncolumns: {}", "s.yaml:2:10", "columns"),
        ("version: 1\ncolumns:\n  a: {type: txt}", "s.yaml:3:13", "type"),
        ("version: 1\ncolumns:\n  a: {type: text, patern: x}", "s.yaml:3:19", "'pattern'"),
        ("version: 1\ncolumns:\n  a: {type: text, min: 1}", "s.yaml:3:6", "for numbers"),
        ("version: 1\ncolumns:\n  a: {type: float, min: 2, max: 1}", "s.yaml:3:6", "larger"),
        ("version: 1\ncolumns:\n  a: {type: float, min: '2'}", "s.yaml:3:25", "min"),
        ("version: 1\ncolumns:\n  a: {type: float, max: .inf}", "s.yaml:3:25", "max"),
        ("version: 1\ncolumns:\n  a: {type: integer, categories: [x]}", "s.yaml:3:6", "'x'"),
        ("version: 1\ncolumns:\n  a: {type: integer, pattern: x}", "s.yaml:3:6", "for text"),
        ("version: 1\ncolumns:\n  a: {type: text, max_missing: 2}", "s.yaml:3:32", "max_missing"),
        ("version: 1\ncolumns:\n  a: {type: text}\n  a: {type: text}", "s.yaml:4:3", "twice"),
        ("[1]", "s.yaml:1:1", "mapping"),
        ("", "s.yaml:1:1", "mapping"),
        ("version: 1\n\tcolumns: {}", "s.yaml:2:1", "YAML"),
    ],
)
def test_mistakes_are_named_at_their_place(text: str, where: str, says: str) -> None:
    with pytest.raises(AssayError) as caught:
        parse_schema(text, file="s.yaml")
    assert caught.value.exit_code == 2
    assert str(caught.value).startswith(where)
    assert says in str(caught.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    assert load_schema(tmp_path / "none.yaml") is None
    (tmp_path / "latin.yaml").write_bytes("version: 1 # é".encode("latin-1"))
    with pytest.raises(AssayError, match="UTF-8"):
        load_schema(tmp_path / "latin.yaml")
    with pytest.raises(AssayError, match="cannot be read"):
        load_schema(tmp_path)


def test_freezing_is_small_sorted_and_keeps_what_people_wrote(tmp_path: Path) -> None:
    write_parquet(tmp_path / "train.parquet", people(400))
    write_parquet(tmp_path / "test.parquet", people(100, start=400, age=[None] * 100))
    data = Data(train="train.parquet", test="test.parquet", id="id", label="label")
    text = write_schema(freeze(data, tmp_path))
    assert text.splitlines()[2:] == [
        "version: 1",
        "columns:",
        "  age: {type: integer, nullable: true, min: 0, max: 100}",
        "  id: {type: text, unique: true}",
        "  label: {type: integer, categories: [0, 1]}",
        "  plan: {type: text, categories: [basic, free, gold]}",
        "  visits: {type: float, min: 0.0, max: 6.0}",
    ]
    edited = text.replace(
        "id: {type: text", "id: {type: text, pattern: 'p\\d+', max_missing: 0.5"
    ).replace("visits: {type: float", "visits: {type: float, unique: true")
    (tmp_path / "data.schema.yaml").write_text(edited)
    again = freeze(data, tmp_path)
    assert again.columns["id"].pattern == r"p\d+"
    assert again.columns["id"].max_missing == 0.5
    assert again.columns["visits"].unique
    assert again.columns["age"] == freeze(data, tmp_path).columns["age"]


@given(st.floats(-1e308, 1e308), st.floats(-1e308, 1e308))
def test_ranges_are_widened_outwards_and_never_across_zero(one: float, other: float) -> None:
    low, high = sorted((one, other))
    least, most = outwards(low, high)
    assert least <= low
    assert high <= most
    assert low < 0 or least >= 0
    assert high > 0 or most <= 0
    assert math.isfinite(least)
    assert math.isfinite(most)
