"""Profiles, repeats and bins against the same things counted by pandas and numpy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from assay.tables.histograms import binned, category_counts, quantiles, top_counts
from assay.tables.profile import profile
from assay.tables.repeats import absent, conflicting, repeated, shared
from assay.tables.rows import Hits, Rows, count_where, numbered
from assay.tables.source import open_tables
from support.data_files import write_parquet


@contextmanager
def rows_of(folder: Path, **tables: Mapping[str, Sequence[Any]]) -> Iterator[list[Rows]]:
    files = {
        name: write_parquet(folder / f"{name}.parquet", table) for name, table in tables.items()
    }
    with open_tables(files) as engine:
        yield [numbered(engine, name, id_column="id") for name in files]


@pytest.fixture
def frame() -> pd.DataFrame:
    random = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "whole": random.integers(-5, 5, 500),
            "real": random.normal(size=500),
            "text": random.choice(["a", "b", "c"], 500),
            "flag": random.random(500) < 0.3,
        }
    )


def test_a_profile_counts_what_pandas_counts(tmp_path: Path, frame: pd.DataFrame) -> None:
    table = {name: list(frame[name]) for name in frame}
    table["real"][:3] = [math.nan, math.inf, -math.inf]
    table["text"][5] = None
    with rows_of(tmp_path, t=table) as (rows,):
        found = profile(rows)
    finite = np.asarray(table["real"][3:])
    assert (found["real"].missing, found["real"].infinite) == (1, 2)
    assert (found["real"].low, found["real"].high) == (finite.min(), finite.max())
    assert found["real"].values is None
    assert found["real"].distinct == pytest.approx(500, rel=0.15)
    assert (found["whole"].low, found["whole"].high) == (-5, 4)
    texts = pd.Series(table["text"]).value_counts()
    assert dict(found["text"].values or ()) == dict(texts)
    assert [count for _, count in found["text"].values or ()] == sorted(texts, reverse=True)
    assert dict(found["flag"].values or ()) == dict(frame["flag"].value_counts())
    assert not any(one.constant for one in found.values())


def test_constant_columns_of_every_kind(tmp_path: Path) -> None:
    table = {
        "whole": [3, 3, None],
        "nan": [1.0, math.nan, 1.0],
        "infinite": [1.0, math.inf, 1.0],
        "empty": pd.Series([None] * 3, dtype="float64"),
        "nested": [{"a": 1}] * 3,
        "varied": [[1], [2], [1]],
    }
    with rows_of(tmp_path, t=table) as (rows,):
        found = {name: one.constant for name, one in profile(rows).items()}
    assert found == {
        "whole": True,
        "nan": True,
        "infinite": False,
        "empty": True,
        "nested": True,
        "varied": False,
    }


def test_conditions_are_counted_together_and_rows_named(tmp_path: Path) -> None:
    with rows_of(tmp_path, t={"id": ["a", None, "c"], "x": [1, 2, None]}) as (rows,):
        found = count_where(rows, {"big": "x > 1", "none": "x > 9", "null": "x IS NULL"})
        assert count_where(rows, {}) == {}
    assert found == {
        "big": Hits(count=1, rows=("row 2",)),
        "none": Hits(count=0),
        "null": Hits(count=1, rows=("c",)),
    }


def test_repeats_agree_with_pandas(tmp_path: Path, frame: pd.DataFrame) -> None:
    table = {name: list(frame[name]) for name in ("whole", "text", "flag")}
    table["whole"][10] = None
    table["whole"][20] = None
    wanted = pd.DataFrame(table).duplicated()
    with rows_of(tmp_path, t=table) as (rows,):
        found = repeated(rows, list(table))
        present = repeated(rows, ["whole"], nulls=False)
    assert found.count == int(wanted.sum())
    assert found.rows == tuple(f"row {index + 1}" for index in np.flatnonzero(wanted)[:5])
    assert present.count == int(pd.Series(table["whole"]).dropna().duplicated().sum())


def test_conflicts_agree_with_pandas(tmp_path: Path, frame: pd.DataFrame) -> None:
    table = {name: list(frame[name]) for name in ("whole", "text", "flag")}
    labels = frame.groupby(["whole", "text"])["flag"].transform("nunique")
    with rows_of(tmp_path, t=table) as (rows,):
        assert conflicting(rows, ["whole", "text"], "flag").count == int((labels > 1).sum())
        assert conflicting(rows, ["whole", "text", "flag"], "flag").count == 0


def test_shared_and_absent_rows_agree_with_pandas(tmp_path: Path, frame: pd.DataFrame) -> None:
    here, there = frame[:200], frame[200:].assign(whole=lambda f: f["whole"].astype("float64") + 1)
    tables = {
        "here": {name: list(here[name]) for name in here},
        "there": {name: list(there[name]) for name in there},
    }
    with rows_of(tmp_path, **tables) as (rows, other):
        found = shared(rows, other, ["whole", "text"])
        lacking = absent(rows, other, "whole")
        with pytest.raises(ValueError, match="both tables"):
            shared(rows, other, ["nothing"])
    known = set(zip(there["whole"], there["text"], strict=True))
    assert found.count == sum(
        pair in known for pair in zip(here["whole"], here["text"], strict=True)
    )
    assert lacking.count == int((~here["whole"].isin(there["whole"])).sum())


def test_quantiles_and_bins_agree_with_numpy(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    before, after = random.normal(size=3000), random.normal(0.3, 2, size=1000)
    before[:2] = [math.nan, math.inf]
    tables = {"before": {"x": before}, "after": {"x": after}}
    with rows_of(tmp_path, **tables) as (reference, current):
        column = reference.columns[0]
        q = [quantiles(side, [column])["x"] for side in (reference, current)]
        bins = binned(reference, current, {"x": (q[0], q[1])})["x"]
    finite = np.sort(before[2:])
    wanted = np.quantile(finite, np.arange(1, 100) / 100, method="inverted_cdf")
    np.testing.assert_array_equal(q[0][1:-1], wanted)
    assert (q[0][0], q[0][-1]) == (finite[0], finite[-1])
    edges = np.asarray(bins.edges)
    assert (np.diff(edges) > 0).all()
    for values, counts in ((finite, bins.reference), (after, bins.current)):
        places = np.searchsorted(edges, values, side="left")
        np.testing.assert_array_equal(counts, np.bincount(places, minlength=edges.size + 1))
    assert set(bins.deciles) <= set(bins.edges)
    assert (bins.low, bins.high) == (min(finite[0], after.min()), max(finite[-1], after.max()))


def test_columns_without_numbers_have_no_quantiles(tmp_path: Path) -> None:
    table = {"x": pd.Series([None, math.nan, math.inf], dtype="float64")}
    with rows_of(tmp_path, t=table) as (rows,):
        assert quantiles(rows, rows.columns) == {"x": ()}
        assert quantiles(rows, ()) == {}
        assert binned(rows, rows, {}) == {}


def test_frequent_texts_and_the_rest(tmp_path: Path) -> None:
    before = [f"t{n}" for n in range(300) for _ in range(1 + n % 7)]
    after = ["t6"] * 5 + ["new"] * 3 + [None]
    with rows_of(tmp_path, a={"x": before}, b={"x": after}) as (reference, current):
        listed = category_counts(profile(reference)["x"], profile(current)["x"])
        found = top_counts(reference, current, "x")
    assert listed is None
    wanted = pd.Series(before).value_counts()
    assert len(found.values) == 50
    assert list(found.reference) == sorted(wanted, reverse=True)[:50]
    assert sum(found.reference) + found.other[0] == len(before)
    assert sum(found.current) + found.other[1] == 8
    assert found.current[found.values.index("t6")] == 5
