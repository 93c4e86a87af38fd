"""Which columns have a mean that base and head can be compared by."""

from __future__ import annotations

import difflib

from assay.config import Slice
from assay.tables import predictions_task as tasks
from assay.tables.predictions_columns import Side
from assay.tables.predictions_task import Inferred

MOST_MEANS = 50
_LONGEST_NAME = 256


def means_of(
    inferred: Inferred, asked: tuple[str, ...] | None, slices: tuple[Slice, ...]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the columns whose mean can be taken, and why the other ones that were asked cannot."""
    base, head = inferred.base, inferred.head
    if asked is None:
        asked = _numeric_columns(base, head, slices) if inferred.task == tasks.SCORE else ()
    if inferred.task == tasks.RANKING:
        return (), dict.fromkeys(asked, "a ranking has no means of columns")
    return _split_means(base, head, asked)


def _numeric_columns(base: Side, head: Side, slices: tuple[Slice, ...]) -> tuple[str, ...]:
    sliced = {asked.column for asked in slices}
    identity = {side.id.name for side in (base, head) if side.id is not None}
    return tuple(
        column.name
        for column in head.table.columns
        if column.kind in {"integer", "float", "boolean"}
        and len(column.name) <= _LONGEST_NAME
        and column.name not in sliced | identity
        and base.table.column(column.name) is not None
    )[:MOST_MEANS]


def _split_means(
    base: Side, head: Side, means: tuple[str, ...]
) -> tuple[tuple[str, ...], dict[str, str]]:
    present: list[str] = []
    absent: dict[str, str] = {}
    for name in means:
        for side in (base, head):
            column = side.table.column(name)
            if column is None:
                columns = [each.name for each in side.table.columns]
                near = difflib.get_close_matches(name, columns, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                absent[name] = f"the {side.table.name} has no column {name!r}{hint}"
            elif column.kind not in {"integer", "float", "boolean"}:
                absent[name] = f"{name!r} holds {column.kind} values on the {side.table.name}"
        if name not in absent:
            present.append(name)
    return tuple(present), absent
