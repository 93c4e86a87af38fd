"""Test rows beside what was predicted for them offline, joined by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from assay.config import Columns
from assay.errors import InputError, Location
from assay.tables.predictions_columns import (
    USUAL_NAMES,
    Side,
    canonical,
    existing,
    number,
    recognise,
)
from assay.tables.source import Column, Engine, Table, open_tables
from assay.tables.sql import identifier


@dataclass(frozen=True, kw_only=True)
class ScoredRow:
    """One row: the values of the columns that were asked for, and its offline prediction.

    ``prediction`` is canonical text (1, 1.0 and '1' are one), ``scores`` are by class, ``names``
    what the file calls its prediction and its score, in lower case.
    """

    id: str
    features: tuple[Any, ...]
    prediction: str | None = None
    score: float | None = None
    scores: Mapping[str, float | None] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {"prediction": (), "score": ()}
    )


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Rows that are in both files; the same ones whenever it is drawn."""

    file: Path
    columns: tuple[str, ...]
    rows: tuple[ScoredRow, ...]
    joined: int
    """Rows in both files."""
    predicted: int
    """Rows of the predictions file."""


def read_scored_rows(
    features: Path,
    predictions: Path,
    *,
    required: Sequence[str],
    optional: Sequence[str] = (),
    names: Columns,
    id_column: str | None,
    most: int,
) -> Sample:
    """Draw up to ``most`` rows, by a hash of their ids.

    Raises InputError where a required column, an id or a prediction is missing, where ids repeat,
    and where the files have no id in common.
    """
    with open_tables({"features": features, "predictions": predictions}) as engine:
        table = engine.tables["features"]
        side = recognise(engine.tables["predictions"], names)
        _refuse_missing(table, required)
        columns = [existing(table, name) for name in required]
        columns += [one for one in map(table.column, optional) if one is not None]
        for column in columns:
            if column.kind == "other":
                raise InputError(
                    f"the column {column.name!r} holds {column.type} values, not single ones.",
                    where=Location(file=features.as_posix()),
                )
        own, theirs = _id_of(table, id_column), _own_id(side)
        for known, column in ((table, own), (side.table, theirs)):
            _refuse_repeated(engine, known, column)
        return _draw(engine, table, side, columns, (own, theirs), most)


def _draw(
    engine: Engine,
    table: Table,
    side: Side,
    columns: Sequence[Column],
    ids: tuple[Column, Column],
    most: int,
) -> Sample:
    own = canonical(ids[0], f"f.{identifier(ids[0].name)}", truth_as_number=False)
    theirs = canonical(ids[1], f"p.{identifier(ids[1].name)}", truth_as_number=False)
    joined = f"FROM {identifier(table.name)} f JOIN {side.alias} p ON ({own}) = ({theirs})"
    (count,) = engine.row(f"SELECT count(*) {joined}")
    if not count:
        raise InputError(
            "no id of these rows is in the predictions file.",
            where=table.where,
            remedy="Name the rows that the predictions were made from, and their id column "
            "(data.id).",
        )
    selected = [f"f.{identifier(column.name)}" for column in columns]
    prediction = side.prediction
    selected.append(
        "NULL"
        if prediction is None
        else canonical(prediction, f"p.{identifier(prediction.name)}", truth_as_number=True)
    )
    probabilities = ([side.score] if side.score else []) + list(side.scores.values())
    selected += [number(column, f"p.{identifier(column.name)}") for column in probabilities]
    found = engine.rows(
        f"SELECT {own}, {', '.join(selected)} {joined} ORDER BY md5({own}), {own} LIMIT {most}"
    )
    return Sample(
        file=table.path,
        columns=tuple(column.name for column in columns),
        rows=tuple(_row(each, len(columns), side) for each in found),
        joined=int(count),
        predicted=side.table.rows,
    )


def _row(values: tuple[Any, ...], width: int, side: Side) -> ScoredRow:
    key, features, prediction = values[0], values[1 : width + 1], values[width + 1]
    rest = list(values[width + 2 :])
    score = rest.pop(0) if side.score else None
    names = {
        role: (column.name.lower(),) if column else ()
        for role, column in (("prediction", side.prediction), ("score", side.score))
    }
    return ScoredRow(
        id=str(key),
        features=tuple(_plain(value) for value in features),
        prediction=prediction,
        score=score,
        scores=dict(zip(side.scores, rest, strict=True)),
        names=names,
    )


def _plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date | time):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _refuse_missing(table: Table, required: Sequence[str]) -> None:
    missing = [name for name in required if table.column(name) is None]
    if missing:
        listed = ", ".join(repr(name[:60]) for name in missing[:10])
        raise InputError(
            f"the file lacks columns that the model's signature asks for: {listed}.",
            where=table.where,
            remedy="Name a file with the rows as the model takes them: --features, or "
            "delivery.staging.features of the model in assay.yaml.",
        )


def _id_of(table: Table, named: str | None) -> Column:
    if named is not None:
        return existing(table, named)
    by_lower = {column.name.lower(): column for column in table.columns}
    found = next((by_lower[name] for name in USUAL_NAMES["id"] if name in by_lower), None)
    if found is None:
        raise _no_id(table, "data.id")
    return found


def _own_id(side: Side) -> Column:
    if side.id is None:
        raise _no_id(side.table, "columns.id")
    return side.id


def _no_id(table: Table, key: str) -> InputError:
    return InputError(
        "the file has no id column, and rows are joined by it.",
        where=table.where,
        remedy=f"Write one, and name it as {key} of the model in assay.yaml.",
    )


def _refuse_repeated(engine: Engine, table: Table, column: Column) -> None:
    key = canonical(column, identifier(column.name), truth_as_number=False)
    rows, ids = engine.row(f"SELECT count(*), count(DISTINCT {key}) FROM {identifier(table.name)}")
    if rows != ids:
        raise InputError(
            f"{rows - ids:,} of {rows:,} rows have no {column.name!r} of their own.",
            where=table.where,
            remedy="An id names one row; write unique ones.",
        )
