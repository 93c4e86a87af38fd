"""Counts of the joined rows: joint cells per slice, curves, and rows to look at."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.tables.predictions import Pairs
from assay.tables.sql import identifier

ALL = "all"
_ROWS_OF_A_CELL = 100
"""Rows to a combination of slices from which on adding up combinations is quicker."""


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Joint counts: four arrays of one length, class numbers of label, base and head, and count."""

    label: NDArray[np.int64]
    base: NDArray[np.int64]
    head: NDArray[np.int64]
    count: NDArray[np.int64]


def grouping_sets(pairs: Pairs, keys: str = "") -> tuple[str, str]:
    """SQL that names each row's group and slice number, and the grouping sets to count by.

    The first part selects ``place`` (−1 for all rows, else the group's) and ``code``; the
    second is the GROUP BY, with ``keys`` (such as "label, base, head") in every set.
    """
    groups = [(place, group.key) for place, group in enumerate(pairs.slices)]
    which = " ".join(f"WHEN grouping({key}) = 0 THEN {place}" for place, key in groups)
    codes = " ".join(f"WHEN grouping({key}) = 0 THEN {key}" for _, key in groups)
    selected = f"CASE {which} ELSE -1 END AS place, CASE {codes} ELSE -1 END AS code"
    sets = [f"({keys})", *(f"({key}{', ' + keys if keys else ''})" for _, key in groups)]
    if not pairs.slices:
        selected = "-1 AS place, -1 AS code"
    return selected, f"GROUP BY GROUPING SETS ({', '.join(sets)})"


def cells_of_slices(pairs: Pairs) -> tuple[str, ...]:
    """The keys of all groups, where their combinations are few beside the rows; else none."""
    combinations = 1
    for column in {id(each): each for group in pairs.slices for each in group.columns}.values():
        combinations *= len(column.names) + 1
    if len(pairs.slices) < 2 or combinations * _ROWS_OF_A_CELL > pairs.joined.rows:
        return ()
    return tuple(group.key for group in pairs.slices)


def slice_name(pairs: Pairs, place: int, code: int) -> str:
    """The name of a slice by its group's place and its number; 'all' for place −1."""
    return ALL if place < 0 else pairs.slices[place].name(code)


def is_counted(pairs: Pairs, place: int, code: int) -> bool:
    """Whether a group's number names a slice that is counted."""
    return place < 0 or code in pairs.slices[place].codes


def slice_rows(pairs: Pairs) -> dict[str, int]:
    """Return the number of joined rows of all and of each slice, in the slices' order."""
    selected, grouped = grouping_sets(pairs)
    rows = pairs.engine.rows(
        f"SELECT * FROM (SELECT {selected}, count(*) AS n FROM paired {grouped}) "
        "WHERE code IS NOT NULL ORDER BY place, code"
    )
    return {
        slice_name(pairs, place, code): n
        for place, code, n in rows
        if is_counted(pairs, place, code)
    }


def joint_cells(pairs: Pairs) -> dict[str, Cells]:
    """Count (label, base, head) for all rows and for each slice, in one scan."""
    selected, grouped = grouping_sets(pairs, "label, base, head")
    columns = pairs.parts.added_arrays(
        f"SELECT * FROM (SELECT {selected}, label, base, head, count(*) AS n FROM paired "
        f"{grouped}) WHERE code IS NOT NULL ORDER BY place, code, label, base, head",
        keys=("place", "code", "label", "base", "head"),
    )
    result = {}
    for place, code, rows in _runs(columns["place"], columns["code"]):
        if not is_counted(pairs, place, code):
            continue
        result[slice_name(pairs, place, code)] = Cells(
            label=columns["label"][rows],
            base=columns["base"][rows],
            head=columns["head"][rows],
            count=columns["n"][rows],
        )
    return result


def _runs(places: NDArray[np.int64], codes: NDArray[np.int64]) -> Iterator[tuple[int, int, slice]]:
    """Each (place, code) of sorted columns, and where its rows lie."""
    changes = (np.diff(places) != 0) | (np.diff(codes) != 0)
    starts = [0, *(np.flatnonzero(changes) + 1).tolist(), len(places)]
    for start, end in itertools.pairwise(starts):
        yield int(places[start]), int(codes[start]), slice(start, end)


def values(pairs: Pairs, columns: Mapping[str, str]) -> dict[str, dict[str, NDArray[Any]]]:
    """Return columns over ``paired`` for all rows and each slice, in sorted order.

    ``columns`` maps a name to its SQL.

    For the metrics that no count suffices for; sorted, so that the order of rows is without
    effect on the last digit.
    """
    keys = [group.key for group in pairs.slices]
    names = tuple(columns)
    quoted = {name: identifier(name) for name in names}
    listed = ", ".join((*quoted.values(), *keys))
    found = pairs.engine.arrays(
        f"SELECT {', '.join(f'{columns[name]} AS {quoted[name]}' for name in names)}"
        + "".join(f", COALESCE({key}, -1) AS {key}" for key in keys)
        + f" FROM paired ORDER BY {listed}"
    )
    result = {ALL: {name: found[name] for name in names}}
    for place, group in enumerate(pairs.slices):
        codes = found[group.key].astype(np.int64)
        order = np.argsort(codes, kind="stable")
        sorted_codes = codes[order]
        for _, code, rows in _runs(np.full(codes.shape, place), sorted_codes):
            if code in group.codes:
                picked = order[rows]
                result[group.name(code)] = {name: found[name][picked] for name in names}
    return result


def roc_points(pairs: Pairs, side: str, most: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return false and true positive rates of a binary side at up to ``most`` thresholds.

    A threshold is kept where either rate passes another of ``most / 2`` equal steps, so that the
    curve's steep part is not left to a few points. Empty where a class has no rows.
    """
    steps = (most - 1) // 2
    rows = pairs.engine.rows(
        f"WITH counted AS (SELECT {side}_p AS p, count(*) FILTER (WHERE label = 1) AS hits, "
        "count(*) FILTER (WHERE label = 0) AS misses FROM paired GROUP BY p), "
        "summed AS (SELECT p, sum(hits) OVER (ORDER BY p DESC) AS hit, "
        "sum(misses) OVER (ORDER BY p DESC) AS missed, sum(hits) OVER () AS positives, "
        "sum(misses) OVER () AS negatives FROM counted), "
        f"stepped AS (SELECT *, hit * {steps} // nullif(positives, 0) AS y, "
        f"missed * {steps} // nullif(negatives, 0) AS x FROM summed), "
        "before AS (SELECT *, lag(y, 1, 0) OVER (ORDER BY p DESC) AS y_before, "
        "lag(x, 1, 0) OVER (ORDER BY p DESC) AS x_before FROM stepped) "
        "SELECT CAST(missed AS DOUBLE) / nullif(negatives, 0), "
        "CAST(hit AS DOUBLE) / nullif(positives, 0) FROM before "
        "WHERE y <> y_before OR x <> x_before ORDER BY p DESC"
    )
    if not rows or None in rows[-1]:
        return (), ()
    return (0.0, *(x for x, _ in rows)), (0.0, *(y for _, y in rows))
