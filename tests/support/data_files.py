"""Small data files for tests of data checks, made by the engine itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def write_parquet(path: Path, columns: Mapping[str, Sequence[Any]]) -> Path:
    """Write columns of equal length as a Parquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(dict(columns)), path)
    return path


def people(count: int, *, start: int = 0, **changed: Sequence[Any]) -> dict[str, Sequence[Any]]:
    """A clean table: id, age (18 … 80), plan (three texts), visits (float), label (0 or 1).

    Rows repeat with a period of 1,260, so up to so many rows are distinct apart from the id; the
    rows that ``start`` counts from are distinct from those before it.
    """
    numbers = range(start, start + count)
    table: dict[str, Sequence[Any]] = {
        "id": [f"p{number}" for number in numbers],
        "age": [18 + number * 37 % 63 for number in numbers],
        "plan": [("free", "basic", "gold")[number % 3] for number in numbers],
        "visits": [number * 13 % 20 / 4 + number * 1e-7 for number in numbers],
        "label": [number % 2 for number in numbers],
    }
    return {**table, **changed}
