"""Whether any 64-bit hash of rows occurs twice: mostly none does, and nothing else is to be done.

Sorting an array of hashes takes a tenth of the time that a hash table of them takes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assay.tables.rows import Rows
from assay.tables.source import Engine

_MOST = 1 << 25
"""Above so many rows of both tables the engine does it all: it spills where memory ends."""
_KEPT = 1 << 23
"""Hashes of tables up to so many rows are kept, sorted, in the engine (64 MB each)."""


def has_no_repeats(rows: Rows, listed: str, where: str) -> bool:
    """Whether it is known that no two rows agree in ``listed``, the SQL of some columns.

    ``where`` is a WHERE clause or empty. False says nothing.
    """
    if rows.count > _MOST:
        return False
    return bool(_first_of_each(_hashes(rows, listed, where)).all())


def have_none_in_common(mine: tuple[Rows, str], theirs: tuple[Rows, str], where: str) -> bool:
    """Whether it is known that no row of one table equals one of the other.

    Each table comes with the SQL of its columns, of the same types in the same order; ``where``
    is as in :func:`has_no_repeats`. False says nothing.
    """
    if mine[0].count + theirs[0].count > _MOST:
        return False
    sides = []
    for rows, listed in (mine, theirs):
        hashes = _hashes(rows, listed, where)
        sides.append(hashes[_first_of_each(hashes)])
    return bool(_first_of_each(np.sort(np.concatenate(sides))).all())


def count_keys(engine: Engine, source: str, rows: int) -> int:
    """How many different hashes the ids and places of all `rows` rows of `source` have."""
    if rows > _MOST:
        (once,) = engine.row(f"SELECT count(DISTINCT hash(id, place)) FROM {source}")
        return int(once)
    hashes = engine.arrays(f"SELECT hash(id, place) AS h FROM {source}")["h"]
    hashes.sort()
    return int(_first_of_each(hashes).sum())


def _hashes(rows: Rows, listed: str, where: str) -> NDArray[np.uint64]:
    """Sorted hashes of the rows, of shape (rows,)."""
    query = f"SELECT hash({listed}) AS h FROM {rows.source} {where}"
    kept = rows.engine.hashes.get(query)
    if kept is not None:
        return kept
    hashes = np.sort(rows.engine.arrays(query)["h"])
    if rows.count <= _KEPT:
        rows.engine.hashes[query] = hashes
    return hashes


def _first_of_each(ordered: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which of the sorted hashes differ from the one before them, of shape (rows,)."""
    return np.append(True, ordered[1:] != ordered[:-1])[: ordered.size]
