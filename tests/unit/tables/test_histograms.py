"""Percentiles and bin counts against the engine's own, and in blocks as in one piece."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from assay.tables import histograms, row_hashes
from assay.tables.histograms import binned, quantiles
from assay.tables.repeats import repeated, shared
from assay.tables.rows import numbered
from assay.tables.source import open_tables

ROWS = 5000


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    paths = {name: tmp_path / f"{name}.parquet" for name in ("a", "b")}
    for seed, path in enumerate(paths.values()):
        duckdb.sql(
            "SELECT CASE WHEN range % 7 <> 0 THEN hash(range + $seed) % 997 / 4.0 END AS x, "
            "range // 2 AS k FROM range($rows)",
            params={"seed": seed, "rows": ROWS},
        ).write_parquet(path.as_posix())
    return paths


def test_percentiles_and_counts_are_those_of_the_engine(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_tables(files) as engine:
        sides = [numbered(engine, name) for name in files]
        column = sides[0].columns[0]
        found = [quantiles(rows, [column])["x"] for rows in sides]
        levels = [level / 100 for level in range(1, 100)]
        for rows, percentiles in zip(sides, found, strict=True):
            (oracle,) = engine.row(f"SELECT quantile_disc(x, {levels}) FROM {rows.source}")
            assert list(percentiles[1:-1]) == oracle
        whole = binned(sides[0], sides[1], {"x": (found[0], found[1])})["x"]
        below = [
            engine.row(f"SELECT count(*) FROM {sides[0].source} WHERE x <= {edge}")[0]
            for edge in whole.edges
        ]
        monkeypatch.setattr(histograms, "_BLOCK", 999)
        assert binned(sides[0], sides[1], {"x": (found[0], found[1])})["x"] == whole
    assert [sum(whole.reference[: n + 1]) for n in range(len(below))] == below
    assert sum(whole.reference) == ROWS - (ROWS + 6) // 7


@pytest.mark.parametrize("most", [0, ROWS * 2])
def test_repeats_are_the_same_with_and_without_sorted_hashes(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(row_hashes, "_MOST", most)
    with open_tables(files) as engine:
        a, b = (numbered(engine, name) for name in files)
        assert repeated(a, ["k"]).count == ROWS // 2
        assert repeated(a, ["k"]).rows[0] == "row 2"
        assert shared(a, b, ["k"]).count == ROWS
        assert repeated(a, ["x"], nulls=False).count > 0
