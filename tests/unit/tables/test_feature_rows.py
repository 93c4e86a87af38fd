"""A sample of rows as numbers: which rows come, and what stands for what has no number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.tables.column_counts import Layout
from assay.tables.feature_rows import FeatureRows, sample_features
from assay.tables.source import open_tables
from support.data_files import write_parquet

LAYOUTS = (
    Layout(name="feature0", number=True, edges=(0.0, 1.0)),
    Layout(name="feature1", number=False, values=("free", "pro", "it's")),
)


def sampled(path: Path, *, where: str = "true", most: int = 100) -> FeatureRows:
    with open_tables({"rows": path}, compared=()) as engine:
        return sample_features(engine, "rows", LAYOUTS, where=where, most=most)


def written(folder: Path, **columns: list[object]) -> Path:
    number = len(columns["feature0"])
    given: dict[str, object] = {"id": [f"r{n}" for n in range(number)], "place": [0] * number}
    return write_parquet(folder / "rows.parquet", {**given, **columns})


def test_what_has_no_number_is_nan_and_categories_are_codes(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        feature0=[1.5, None, float("nan"), float("inf"), -2.0],
        feature1=["pro", "it's", "new", None, "free"],
    )
    found = sampled(path)
    rows = {tuple(None if np.isnan(v) else v for v in row) for row in found.values}
    assert rows == {(1.5, 1.0), (None, 2.0), (None, 3.0), (None, None), (-2.0, 0.0)}
    assert (np.diff(found.keys.astype(object)) > 0).all()


def test_the_same_rows_come_each_time_and_a_larger_sample_holds_the_smaller(
    tmp_path: Path,
) -> None:
    number = 50_000
    path = written(tmp_path, feature0=list(range(number)), feature1=["pro"] * number)
    few, many = sampled(path, most=500), sampled(path, most=5_000)
    assert (few.keys.size, many.keys.size) == (500, 5_000)
    assert set(few.keys) < set(many.keys)
    assert (sampled(path, most=500).values == few.values).all()
    assert many.values[:, 0].mean() == pytest.approx(number / 2, rel=0.05)
    assert sampled(path, where="feature0 < 10", most=500).keys.size == 10


def test_a_prediction_that_was_logged_twice_comes_once(tmp_path: Path) -> None:
    path = written(tmp_path, id=["a", "a", "b"], feature0=[1, 1, 2], feature1=["pro"] * 3)
    assert sampled(path).keys.size == 2


def test_no_rows_are_an_empty_sample(tmp_path: Path) -> None:
    path = written(tmp_path, feature0=[1], feature1=["pro"])
    assert sampled(path, where="feature0 > 1").values.shape == (0, 2)
