"""A sample of rows of features as numbers, for what cannot be told from counts.

The same rows come each time: those whose key has the smallest hashes. What leaves here is a matrix
in memory, for a test of one look; nothing of it is kept.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.tables.column_counts import Layout
from assay.tables.source import Engine
from assay.tables.sql import literal

_HASHES = 2**64 - 1
_SPREAD = 6
"""Deviations of the number of rows below a hash: so many more are read than are kept."""


@dataclass(frozen=True, kw_only=True)
class FeatureRows:
    """Rows as numbers, by their layouts' order."""

    values: NDArray[np.float64]
    """Shape (rows, features). NaN: no value, or none that is finite. A category is the number of
    its place in the layout's values, and any other value the number after the last."""
    keys: NDArray[np.uint64]
    """Hashes of the rows' ids and places, ascending; shape (rows,)."""


def sample_features(
    engine: Engine, source: str, layouts: Sequence[Layout], *, where: str, most: int
) -> FeatureRows:
    """At most `most` rows of ``source``, a relation with id, place and the layouts' columns.

    A prediction that was logged twice comes once.
    """
    (rows,) = engine.row(f"SELECT count(*) FROM {source} WHERE {where}")
    some = ""
    if rows > most:
        # A filter takes a tenth of the time and memory that sorting wide rows does.
        expected = most + _SPREAD * math.sqrt(most)
        some = f" AND hash(id, place) <= {int(_HASHES * min(1.0, expected / rows))}"
    listed = ", ".join(
        f"coalesce({_number(one)}, CAST('nan' AS DOUBLE)) AS {one.name}" for one in layouts
    )
    found = engine.arrays(
        f"SELECT hash(id, place) AS hashed, {listed} FROM {source} WHERE {where}{some}"
    )
    keys, first = np.unique(found["hashed"], return_index=True)
    keys, first = keys[:most], first[:most]
    values = np.stack([found[one.name][first] for one in layouts], axis=1)
    return FeatureRows(values=values, keys=keys)


def _number(layout: Layout) -> str:
    if layout.number:
        return f"CASE WHEN isfinite({layout.name}) THEN {layout.name} END"
    others = len(layout.values)
    listed = ", ".join(literal(value) for value in layout.values)
    place = f"coalesce(list_position([{listed}]::VARCHAR[], {layout.name}) - 1, {others})"
    return f"CASE WHEN {layout.name} IS NOT NULL THEN CAST({place} AS DOUBLE) END"
