"""A log of requests, read into arrays: when, whose, and what came of each.

One version's outcomes are ``error``, ``milliseconds`` and ``value`` (what the metric averages;
empty where there is no label), each optional; those of a second version on the same requests have
the same names after ``new_``. ``label_time`` says when a value became known.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError, Location
from assay.tables.source import Engine, Table, open_tables
from assay.tables.sql import identifier

Floats = NDArray[np.float64]
_MOST_ROWS = 20_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcomes:
    """What one version answered; every array has the shape (requests,)."""

    error: NDArray[np.bool_]
    milliseconds: Floats
    """0 where the log has none."""
    value: Floats
    """NaN where there is no label."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RequestLog:
    """Requests in the order of their time."""

    seconds: Floats
    """Since the first one."""
    unit: NDArray[np.int64]
    """Whose, as codes from 0."""
    labelled: Floats
    """When the value became known, in seconds since the first request."""
    serving: Outcomes
    new: Outcomes | None
    columns: tuple[str, ...]
    """What the file has of the columns that are understood."""


def read_request_log(path: Path) -> RequestLog:
    """Read a log; raises InputError where a column is missing or holds what it cannot."""
    with open_tables({"log": path}) as engine:
        table = engine.tables["log"]
        names = {each.name for each in table.columns}
        _check(table, names, path)
        arrays = _arrays(engine, table, names, path)
    seconds = arrays["time"] - arrays["time"][0]
    labelled = arrays["label_time"] - arrays["time"][0]
    return RequestLog(
        seconds=seconds,
        unit=arrays["unit"].astype(np.int64),
        labelled=np.maximum(labelled, seconds),
        serving=_outcomes(arrays, ""),
        new=_outcomes(arrays, "new_") if _has_new(names) else None,
        columns=tuple(sorted(names & _UNDERSTOOD)),
    )


_PARTS = ("error", "milliseconds", "value")
_UNDERSTOOD = {"time", "unit", "label_time", *_PARTS, *(f"new_{each}" for each in _PARTS)}


def _has_new(names: set[str]) -> bool:
    return any(f"new_{each}" in names for each in _PARTS)


def _check(table: Table, names: set[str], path: Path) -> None:
    where = Location(file=path.as_posix())
    if "time" not in names:
        raise InputError(
            "the log has no column 'time'.",
            where=where,
            remedy="Write one row a request: time, unit, error, milliseconds, value (and "
            "new_error, new_milliseconds, new_value, where a second version answered it too).",
        )
    if not names & set(_PARTS):
        raise InputError(
            "the log says nothing of what came of a request.",
            where=where,
            remedy="Give at least one of the columns error, milliseconds and value.",
        )
    alone = [each for each in _PARTS if f"new_{each}" in names and each not in names]
    if alone:
        raise InputError(
            f"the log has 'new_{alone[0]}' and not '{alone[0]}': there is nothing to compare.",
            where=where,
        )
    if table.rows > _MOST_ROWS:
        raise InputError(
            f"the log has {table.rows:,} requests, and {_MOST_ROWS:,} at most can be replayed.",
            where=where,
            remedy="Give a shorter time, or a sample of the units.",
        )


def _arrays(
    engine: Engine, table: Table, names: set[str], path: Path
) -> dict[str, NDArray[np.float64]]:
    """Every column that is understood, in the order of time; what the file has not is its gap."""
    asked = {each: _number(table, each) for each in sorted(names & _UNDERSTOOD - {"unit"})}
    _refuse_what_is_none(engine, asked, path)
    unit = (
        f"dense_rank() OVER (ORDER BY {identifier('unit')})"
        if "unit" in names
        else "row_number() OVER ()"
    )
    columns = ", ".join(
        f"coalesce({sql}, '{_GAPS.get(each, 0)}'::DOUBLE) AS {identifier(each)}"
        for each, sql in asked.items()
    )
    found = engine.arrays(
        f"SELECT {columns}, {unit} - 1 AS unit FROM log ORDER BY {identifier('time')}, unit"
    )
    rows = len(found["unit"])
    arrays = {
        each: np.asarray(found[each], dtype=np.float64)
        if each in found
        else np.full(rows, float(_GAPS.get(each, 0)))
        for each in _UNDERSTOOD
    }
    if "label_time" not in names:
        arrays["label_time"] = arrays["time"].copy()
    return arrays


_GAPS = {"value": "nan", "new_value": "nan", "label_time": "inf"}
"""What stands for nothing: no label, and one that never comes."""


def _refuse_what_is_none(engine: Engine, asked: dict[str, str], path: Path) -> None:
    bad = ", ".join(
        f"count(*) FILTER (WHERE {identifier(each)} IS NOT NULL AND ({sql} IS NULL OR NOT "
        f"isfinite({sql})))"
        for each, sql in asked.items()
    )
    counted = engine.row(f"SELECT {bad}, count(*) - count({identifier('time')}) FROM log")
    for name, count in zip((*asked, "time"), counted, strict=True):
        if count:
            kind = "time" if name in {"time", "label_time"} else "number"
            raise InputError(
                f"column {name!r} holds {count:,} values that are no {kind}.",
                where=Location(file=path.as_posix()),
                remedy="Times are timestamps or seconds; error is 0 or 1; others are numbers.",
            )


def _number(table: Table, name: str) -> str:
    return (
        _seconds(table, name)
        if name in {"time", "label_time"}
        else f"TRY_CAST({identifier(name)} AS DOUBLE)"
    )


def _seconds(table: Table, name: str) -> str:
    column = table.column(name)
    if column is not None and column.kind in {"integer", "float"}:
        return f"CAST({identifier(name)} AS DOUBLE)"
    return f"epoch(TRY_CAST({identifier(name)} AS TIMESTAMPTZ))"


def _outcomes(arrays: dict[str, NDArray[np.float64]], prefix: str) -> Outcomes:
    return Outcomes(
        error=arrays[f"{prefix}error"] > 0,
        milliseconds=arrays[f"{prefix}milliseconds"],
        value=arrays[f"{prefix}value"],
    )
