"""What a model says it takes: the columns of its MLflow signature, and its example."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assay.errors import InputError, Location
from assay.packaging.model_directory import FILE, ModelDirectory

_REQUESTS = ("serving_input_example.json", "input_example.json")
_EXPECTED = "output_example.json"
EXAMPLES = (*_REQUESTS, _EXPECTED)
"""Files of a model directory that the smoke test reads."""
_WHOLE = frozenset({"integer", "long"})
_REAL = frozenset({"float", "double"})
NUMBERS = _WHOLE | _REAL


@dataclass(frozen=True, kw_only=True)
class Input:
    """One column that the model takes."""

    name: str
    type: str
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Rows as MLflow's ``dataframe_split`` has them."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def body(self) -> bytes:
        """The JSON to post."""
        split = {"columns": list(self.columns), "data": [list(row) for row in self.rows]}
        return json.dumps({"dataframe_split": split}, allow_nan=False).encode()

    def without(self, name: str) -> Frame:
        """The same rows with a column left out."""
        at = self.columns.index(name)
        return Frame(
            columns=self.columns[:at] + self.columns[at + 1 :],
            rows=tuple(row[:at] + row[at + 1 :] for row in self.rows),
        )

    def replaced(self, name: str, value: object) -> Frame:
        """The same rows with one value in a column."""
        at = self.columns.index(name)
        rows = tuple((*row[:at], value, *row[at + 1 :]) for row in self.rows)
        return Frame(columns=self.columns, rows=rows)


@dataclass(frozen=True, kw_only=True)
class Example:
    """The request that a model was saved with."""

    body: bytes
    rows: int | None = None
    """How many it has; None where its form does not say."""
    frame: Frame | None = None
    """The same as rows of named columns; None where it has none."""
    expected: tuple[Any, ...] | None = None
    """What was predicted offline for these rows, where the pipeline wrote it down."""


def read_inputs(model: ModelDirectory) -> tuple[Input, ...]:
    """Return the named columns of the signature; none where it has tensors or is missing.

    Raises InputError where the signature cannot be read.
    """
    signature = model.described.get("signature")
    listed = signature.get("inputs") if isinstance(signature, dict) else None
    if not listed:
        return ()
    try:
        columns = json.loads(listed) if isinstance(listed, str) else listed
        if not all("name" in column for column in columns):
            return ()
        return tuple(
            Input(
                name=str(column["name"]),
                type=str(column["type"]),
                required=column.get("required", True) is not False,
            )
            for column in columns
        )
    except (ValueError, TypeError, KeyError):
        raise InputError(
            "the signature's inputs cannot be read.",
            where=Location(file=(model.folder / FILE).as_posix()),
        ) from None


def read_example(model: ModelDirectory) -> Example | None:
    """Return what the model was saved with; None where that is no request.

    ``output_example.json`` is the pipeline's: a list of predictions, or an object that holds one
    as ``predictions``. Raises InputError where it is neither.
    """
    for name in _REQUESTS:
        text = model.text(name)
        found = None if text is None else _example(text)
        if found is not None:
            return replace(found, expected=_expected(model))
    return None


def _example(text: str) -> Example | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    split = found.get("dataframe_split", found) if isinstance(found, dict) else None
    frame = _frame(split)
    if frame is not None:
        return Example(body=frame.body(), rows=len(frame.rows), frame=frame)
    if isinstance(found, dict) and {"instances", "inputs", "dataframe_records"} & found.keys():
        listed = found.get("instances", found.get("dataframe_records"))
        rows = len(listed) if isinstance(listed, list) else None
        return Example(body=json.dumps(found).encode(), rows=rows)
    if isinstance(found, list) and found:
        return Example(body=json.dumps({"instances": found}).encode(), rows=len(found))
    return None


def _frame(split: Any) -> Frame | None:
    try:
        columns = tuple(str(column) for column in split["columns"])
        rows = tuple(tuple(row) for row in split["data"])
    except (TypeError, KeyError):
        return None
    if rows and all(len(row) == len(columns) for row in rows):
        return Frame(columns=columns, rows=rows)
    return None


def _expected(model: ModelDirectory) -> tuple[Any, ...] | None:
    text = model.text(_EXPECTED)
    if text is None:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        found = found.get("predictions")
    if not isinstance(found, list):
        raise InputError(
            "this is no list of predictions.",
            where=Location(file=(model.folder / _EXPECTED).as_posix()),
            remedy='Write one prediction a row: [0.1, 0.9] or {"predictions": [0.1, 0.9]}.',
        )
    return tuple(found)


def as_typed(value: Any, column: Input, *, file: Path) -> Any:
    """Write a value of a data file as the JSON of the signature's type; missing ones are null.

    What does not fit the type is left for the server to refuse. Raises InputError for an infinite
    number, which JSON has not.
    """
    if value is None or value != value:  # noqa: PLR0124 -- NaN alone is not itself
        return None
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise InputError(
            f"the column {column.name!r} holds an infinite number, which no request can carry.",
            where=Location(file=file.as_posix()),
            remedy="Leave the row out, or have the pipeline cap the value.",
        )
    if column.type in _REAL and isinstance(value, int | float):
        return float(value)
    if column.type in _WHOLE and isinstance(value, float) and value.is_integer():
        return int(value)
    if column.type == "boolean" and value in (0, 1):
        return bool(value)
    if column.type == "string" and not isinstance(value, str):
        return str(value)
    return value


def frame_of(rows: Sequence[Sequence[Any]], columns: Sequence[Input], *, file: Path) -> Frame:
    """Return rows of a data file, one value for each of ``columns``, as a request holds them."""
    return Frame(
        columns=tuple(column.name for column in columns),
        rows=tuple(
            tuple(
                as_typed(value, column, file=file)
                for value, column in zip(row, columns, strict=True)
            )
            for row in rows
        ),
    )
