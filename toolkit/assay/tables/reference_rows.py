"""The rows a reference profile is made of: features and predictions of the test set, joined."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from assay.config import Columns
from assay.errors import InputError
from assay.tables.predictions_columns import Side, canonical, number, recognise
from assay.tables.source import Column, Engine
from assay.tables.sql import identifier

RELATION = "reference_rows"
LABEL, PREDICTION, SCORE, KEY = "assay label", "assay prediction", "assay score", "assay key"


@dataclass(frozen=True, kw_only=True)
class ReferenceRows:
    """The joined rows, as the temporary table ``source``; role columns are called as above.

    ``features`` are the others. ``truth`` is SQL for the label as text, ``guess`` likewise for the
    prediction, ``right`` for whether they are equal, ``error`` for the absolute error; each is
    None where the files have no such columns.
    """

    source: str
    rows: int
    features: tuple[Column, ...]
    names: dict[str, str]
    """Of the role columns, in the predictions file."""
    label: Column | None
    prediction: Column | None
    score: Column | None
    truth: str | None
    guess: str | None
    right: str | None
    error: str | None


def join_reference(
    engine: Engine, columns: Columns, *, data_id: str | None, ignore: Collection[str]
) -> ReferenceRows:
    """Join the tables ``predictions`` and, where there is one, ``data`` by their ids.

    Raises InputError where no id joins them, where ids repeat, or where no row is in both.
    """
    side = recognise(engine.tables["predictions"], columns)
    data = engine.tables.get("data")
    roles = {LABEL: side.label, PREDICTION: side.prediction, SCORE: side.score}
    used = {name: column for name, column in roles.items() if column is not None}
    taken = {column.name for column in used.values()} | side.taken() | set(ignore)
    if data is None:
        features = [c for c in engine.tables["predictions"].columns if c.name not in taken]
        origin, joined = "p", f"FROM {side.alias} p"
    else:
        own = _data_id(engine, data_id, side)
        left_out = taken | {own.name}
        features = [c for c in data.columns if c.name not in left_out]
        origin = "d"
        joined = f"FROM {side.alias} p JOIN data d ON {_key(side.id, 'p')} = {_key(own, 'd')}"
    listed = [
        *(f"{origin}.{identifier(column.name)}" for column in features),
        *(f"p.{identifier(column.name)} AS {identifier(role)}" for role, column in used.items()),
        f"{_key(side.id, 'p') if side.id else 'row_number() OVER ()'} AS {identifier(KEY)}",
    ]
    engine.run(f"CREATE TEMP TABLE {RELATION} AS SELECT {', '.join(listed)} {joined}")
    rows, keys = engine.row(f"SELECT count(*), count(DISTINCT {identifier(KEY)}) FROM {RELATION}")
    _check(side, int(rows), int(keys))
    return _described(used, tuple(features), int(rows))


def _described(used: dict[str, Column], features: tuple[Column, ...], rows: int) -> ReferenceRows:
    label, prediction = (_renamed(used.get(role), role) for role in (LABEL, PREDICTION))
    truth, guess, right, error = None, None, None, None
    if label is not None:
        truth = _text(label)
    if prediction is not None:
        guess = _text(prediction)
    if label is not None and prediction is not None:
        right = f"CASE WHEN {truth} IS NOT NULL THEN CAST({truth} = {guess} AS DOUBLE) END"
        values = [number(each, identifier(each.name)) for each in (label, prediction)]
        error = f"abs({values[0]} - {values[1]})"
    return ReferenceRows(
        source=RELATION,
        rows=rows,
        features=features,
        names={role: column.name for role, column in used.items()},
        label=label,
        prediction=prediction,
        score=_renamed(used.get(SCORE), SCORE),
        truth=truth,
        guess=guess,
        right=right,
        error=error,
    )


def _renamed(column: Column | None, role: str) -> Column | None:
    return Column(name=role, type=column.type) if column is not None else None


def _text(column: Column) -> str:
    return canonical(column, identifier(column.name), truth_as_number=True)


def _key(column: Column | None, side: str) -> str:
    assert column is not None  # noqa: S101 -- the caller has looked
    return canonical(column, f"{side}.{identifier(column.name)}", truth_as_number=False)


def _data_id(engine: Engine, named: str | None, side: Side) -> Column:
    data = engine.tables["data"]
    if side.id is None:
        raise InputError(
            "the predictions have no id to join the data's rows by.",
            where=side.table.where,
            remedy="Write the row's id beside each prediction, or name it under columns.id.",
        )
    wanted = named or side.id.name
    own = data.column(wanted)
    if own is None:
        raise InputError(
            f"the data have no column {wanted[:80]!r} to join the predictions by.",
            where=data.where,
            remedy="Name the id under data.id in assay.yaml.",
        )
    return own


def _check(side: Side, rows: int, keys: int) -> None:
    where = side.table.where
    if not rows:
        raise InputError(
            "no row of the data has a prediction.",
            where=where,
            remedy="The ids of the two files must be the same: look at data.id and columns.id.",
        )
    if side.id is not None and keys < rows:
        raise InputError(
            f"{rows - keys:,} rows have an id that another row has too.",
            where=where,
            remedy="A reference counts each row once: give every row an id of its own.",
        )
