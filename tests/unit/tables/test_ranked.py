"""Scores ranked in memory give what the engine gives, to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.config import Columns, Cross, Slice
from assay.stats.moments import monomials
from assay.tables.predictions import pair
from assay.tables.predictions_counts import roc_points
from assay.tables.predictions_placements import placement_moments
from assay.tables.predictions_ranked import (
    ranked,
    ranked_placements,
    ranked_roc_points,
)
from assay.tables.source import open_tables
from support.predictions import write_predictions


def sides(folder: Path, *, rows: int, digits: int, prevalence: float) -> dict[str, Path]:
    random = np.random.default_rng(rows + digits)
    label = (random.random(rows) < prevalence).astype(int)
    files = {}
    for side in ("base", "head"):
        columns = {
            "id": np.arange(rows),
            "y_true": label,
            "y_score": random.random(rows).round(digits),
            "plan": [f"p{k}" for k in random.integers(0, 5, rows)],
            "n": random.integers(0, 60, rows),
        }
        files[side] = write_predictions(folder / f"{side}.parquet", columns)
    return files


@pytest.mark.parametrize("digits", [1, 3, 16])
@pytest.mark.parametrize(("rows", "prevalence"), [(40, 0.1), (3000, 0.3), (70_000, 0.02)])
def test_ranking_in_memory_equals_the_engine(
    tmp_path: Path, rows: int, prevalence: float, digits: int
) -> None:
    files = sides(tmp_path, rows=rows, digits=digits, prevalence=prevalence)
    slices = (Slice(column="plan"), Slice(column="n", bins=(10, 30)), Cross(cross=("plan", "n")))
    with open_tables(files) as engine:
        pairs = pair(engine, names=Columns(), task=None, slices=slices)
        found = ranked(pairs)
        assert found is not None
        assert ranked_placements(found, monomials) == placement_moments(pairs, monomials)
        for side in ("base", "head"):
            assert ranked_roc_points(found, side, 60) == roc_points(pairs, side, 60)


def test_one_class_has_no_curve_and_no_placements(tmp_path: Path) -> None:
    files = sides(tmp_path, rows=50, digits=2, prevalence=0.0)
    with open_tables(files) as engine:
        pairs = pair(engine, names=Columns(positive="1"), task=None)
        found = ranked(pairs)
        assert found is not None
        assert ranked_placements(found, monomials) == placement_moments(pairs, monomials) == {}
        assert ranked_roc_points(found, "head", 60) == ((), ())
