"""What a model says it takes: the columns of its MLflow signature, and its example."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.errors import InputError, Location
from assay.packaging.model_directory import FILE, ModelDirectory

_EXAMPLES = ("serving_input_example.json", "input_example.json")
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


def read_example(model: ModelDirectory) -> Frame | None:
    """Return the rows that the model was saved with; None where there are none of named columns."""
    for name in _EXAMPLES:
        text = model.text(name)
        if text is None:
            continue
        try:
            found = json.loads(text)
            split = found.get("dataframe_split", found)
            columns = tuple(str(column) for column in split["columns"])
            rows = tuple(tuple(row) for row in split["data"])
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
        if rows and all(len(row) == len(columns) for row in rows):
            return Frame(columns=columns, rows=rows)
    return None


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
