from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from doctor_visit import parquet
from doctor_visit.ingest import COLUMNS, read_additions, tidy


def test_members_and_years_are_numbered_in_the_order_of_the_source(raw: pd.DataFrame) -> None:
    assert raw["id"].tolist() == [
        "m00001-01", "m00001-02", "m00001-03", "m00002-01", "m00002-02", "m00003-01",
    ]  # fmt: skip
    assert raw["member"].nunique() == 3


def test_coded_columns_become_words_and_percentages(raw: pd.DataFrame) -> None:
    first_years = raw[raw["year"] == 1]
    assert first_years["plan"].tolist() == ["free", "50%", "individual deductible"]
    assert first_years["coinsurance"].tolist() == [0, 50, 95]
    assert first_years["health"].tolist() == ["excellent", "good", "poor"]


def test_the_real_source_is_read_whole() -> None:
    from statsmodels.datasets import randhie

    raw = tidy(randhie.load_pandas().data)
    assert len(raw) == 20_190
    assert raw["id"].is_unique
    assert not raw.isna().any(axis=None)
    assert sorted(raw["coinsurance"].unique()) == [0, 25, 50, 95, 100]


def test_additions_are_read_in_order_of_name_with_the_columns_of_the_raw_table(
    tmp_path: Path, raw: pd.DataFrame
) -> None:
    raw.iloc[[1]].to_csv(tmp_path / "b.csv", index=False)
    raw.iloc[[0]].assign(visits=None).to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "README.md").write_text("not a table")

    added = pd.concat(read_additions(tmp_path))

    assert added["id"].tolist() == ["m00001-01", "m00001-02"]
    assert added["visits"].isna().tolist() == [True, False]
    assert list(added.columns) == list(COLUMNS)
    assert added.dtypes.equals(raw.dtypes)


def test_additions_without_a_column_are_refused(tmp_path: Path, raw: pd.DataFrame) -> None:
    raw.drop(columns="plan").to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(ValueError, match="plan"):
        read_additions(tmp_path)


def test_equal_tables_are_equal_bytes(tmp_path: Path, raw: pd.DataFrame) -> None:
    parquet.write(raw, tmp_path / "a.parquet")
    parquet.write(raw.set_index(raw.index + 7), tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
