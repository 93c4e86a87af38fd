"""Two sides as columns, written to files and compared; and what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assay.comparison import Asked, compare
from assay.evidence import Comparison, Measurement
from support.predictions import Columns, write_predictions


def compared(
    folder: Path,
    base: Columns,
    head: Columns,
    asked: Asked | None = None,
    *,
    suffix: str = ".parquet",
    **facts: Any,
) -> Comparison:
    """Compare two sides whose files are written into ``folder``, as asked or as ``facts`` say."""
    folder.mkdir(exist_ok=True)
    files = [
        write_predictions(folder / f"{name}{suffix}", columns)
        for name, columns in (("base", base), ("head", head))
    ]
    return compare(*files, asked or Asked(**facts))


def measured(found: Comparison, metric: str, where: str = "all") -> Measurement:
    """What was first measured of a metric in a slice."""
    return next(m for m in found.measurements if (m.metric, m.slice) == (metric, where))


def numbers(found: Comparison) -> str:
    """Everything but the digests of the files."""
    return found.model_copy(update={"inputs": {}}).to_json()
