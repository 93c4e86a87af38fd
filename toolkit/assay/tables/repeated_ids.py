"""Several rows of one id, such as the grades of several judges: averaged before they are joined."""

from __future__ import annotations

from assay.tables.predictions_columns import Side
from assay.tables.source import Engine
from assay.tables.sql import identifier

_NUMBERS = frozenset({"integer", "float", "boolean"})


def average_repeats(engine: Engine, side: Side, key: str, view: str) -> int:
    """Replace the view ``view`` by a table with one row for each ``key``; return how many repeat.

    Numbers become their mean, summed in the order of their size so that the rows' order has no
    effect, or missing where one of them is; of other values the first in their order is kept.
    """
    (repeated,) = engine.row(
        f"SELECT count(*) FROM (SELECT {key} FROM {view} WHERE {key} IS NOT NULL "
        f"GROUP BY {key} HAVING count(*) > 1)"
    )
    if not repeated:
        return 0
    selected = []
    for column in side.table.columns:
        name = identifier(column.name)
        one = f"min({name})"
        if column.kind in _NUMBERS and (side.id is None or column.name != side.id.name):
            mean = f"list_avg(list_sort(list(CAST({name} AS DOUBLE))))"
            one = f"CASE WHEN count({name}) = count(*) THEN {mean} END"
        selected.append(f"{one} AS {name}")
    table = identifier(f"{side.table.name} averaged")
    engine.run(
        f"CREATE TEMP TABLE {table} AS SELECT {', '.join(selected)}, {key} FROM {view} "
        f"GROUP BY {key}"
    )
    engine.run(f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT * FROM {table}")
    return int(repeated)
