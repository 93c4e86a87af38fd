"""Pairs of prediction files, joined in the engine, or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.config import Columns
from assay.errors import InputError
from assay.tables.predictions import pair
from assay.tables.predictions_counts import joint_cells, slice_rows
from assay.tables.source import open_tables
from support.predictions import write_predictions

Sides = tuple[dict[str, Any], dict[str, Any]]


def paired(
    tmp_path: Path, sides: Sides, suffix: str = ".parquet", **options: Any
) -> dict[str, Any]:
    """Facts of the joined rows, collected while the engine is open."""
    files = {
        name: write_predictions(tmp_path / f"{name}{suffix}", columns)
        for name, columns in zip(("base", "head"), sides, strict=True)
    }
    asked = {"names": Columns(), "task": None, **options}
    with open_tables(files) as engine:
        found = pair(engine, **asked)
        cells = joint_cells(found)["all"] if found.inferred.classes else None
        return {
            "task": found.task,
            "classes": found.inferred.classes,
            "positive": found.inferred.positive,
            "joined": found.joined,
            "changed": found.labels_changed,
            "identical": found.identical,
            "notes": " ".join(found.notes),
            "broken": found.broken,
            "unanswered": found.unanswered,
            "slices": slice_rows(found),
            "right": None if cells is None else int(cells.count[cells.label == cells.head].sum()),
            "means": found.means,
        }


def refusal(tmp_path: Path, sides: Sides, **options: Any) -> str:
    """The message of the error that ends the join."""
    with pytest.raises(InputError) as caught:
        paired(tmp_path, sides, **options)
    return str(caught.value)


def two(**columns: Any) -> Sides:
    """The same columns on both sides."""
    return dict(columns), dict(columns)
