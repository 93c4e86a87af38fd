"""The joined rows of two large files in parts, each of which a thread of its own reads.

The engine pairs two files by place with one thread. So each part is a range of rows, and a view
``paired`` of them on a connection of its own; what a query counts is added up here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.tables.source import Engine, cores

_MOST = 8
"""More parts than this would have the disk to wait for."""
Row = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Engines whose views ``paired`` hold the joined rows, each row in one of them."""

    engines: tuple[Engine, ...]

    def rows(self, sql: str) -> list[list[Row]]:
        """Run a query on every part at once, and return each part's rows."""
        if len(self.engines) == 1:
            return [self.engines[0].rows(sql)]
        with ThreadPoolExecutor(len(self.engines)) as pool:
            return list(pool.map(lambda engine: engine.rows(sql), self.engines))

    def added(self, sql: str, *, keys: int = 0) -> list[Row]:
        """Add up the rows that agree in their first ``keys`` columns, in the order of these.

        The other columns are counts and sums of whole numbers, so the parts do not show. A query
        without keys has one row.
        """
        found = self.rows(sql)
        if len(found) == 1:
            return found[0]
        total: dict[Row, Row] = {}
        for row in (row for rows in found for row in rows):
            key, values = row[:keys], row[keys:]
            total[key] = tuple(map(add, total[key], values)) if key in total else values
        return [(*key, *total[key]) for key in sorted(total)]

    def added_arrays(self, sql: str, *, keys: tuple[str, ...]) -> dict[str, NDArray[np.int64]]:
        """The same as arrays, of whole numbers: the columns ``keys``, and then n."""
        if len(self.engines) == 1:
            found = self.engines[0].arrays(sql)
            return {name: values.astype(np.int64) for name, values in found.items()}
        rows = np.array(self.added(sql, keys=len(keys)), dtype=np.int64)
        return dict(zip((*keys, "n"), rows.T, strict=True))


def in_parts(engine: Engine, select: Callable[[range], str] | None, rows: int) -> Parts:
    """Divide ``rows`` joined rows; ``select`` writes the SQL for a range of them.

    Without it all rows are one part.
    """
    if select is None:
        return Parts(engines=(engine,))
    engines = []
    for part in ranges(rows):
        beside = engine.beside()
        beside.run(f"CREATE TEMP VIEW paired AS {select(part)}")
        engines.append(beside)
    return Parts(engines=tuple(engines))


def ranges(rows: int) -> list[range]:
    """Divide rows into as many ranges as are read at once."""
    count = min(_MOST, cores())
    ends = [rows * place // count for place in range(count + 1)]
    return [range(start, end) for start, end in itertools.pairwise(ends)]
