"""Which column of a predictions file plays which role: id, label, prediction, probabilities."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from assay.config import Columns
from assay.errors import InputError
from assay.tables.source import Column, Table
from assay.tables.sql import identifier

USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "id": ("id", "row_id", "example_id", "sample_id"),
    "label": ("y_true", "label", "target", "actual"),
    "prediction": ("y_pred", "prediction", "predicted", "pred"),
    "score": ("y_score", "proba", "probability", "score", "y_prob", "y_proba"),
}
"""Names by which a column is recognised, in order of preference; case does not matter."""

_LIST = re.compile(r"[A-Z0-9_]+\[\]")

KEY_NAME = "assay key"
"""The column that joins the rows, added to both sides."""

CLASS_PREFIXES = ("proba_", "probability_", "prob_", "p_")
"""What precedes the class in the name of a column with one class's probability."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """The roles of one file's columns; ``scores`` maps a class to its probability column."""

    table: Table
    id: Column | None
    label: Column | None
    prediction: Column | None
    score: Column | None
    scores: Mapping[str, Column]
    within: Column | None = None
    """The column within whose values ids are unique: the query of a ranking's items."""

    @property
    def alias(self) -> str:
        """The side's table in queries."""
        return identifier(self.table.name)

    def taken(self) -> set[str]:
        """Names of the columns that have a role."""
        roles = (
            self.id,
            self.label,
            self.prediction,
            self.score,
            *self.scores.values(),
            self.within,
        )
        return {column.name for column in roles if column is not None}


def recognise(table: Table, names: Columns) -> Side:
    """Assign roles to the columns of ``table``; named columns win over recognised ones.

    Raises InputError where a named column does not exist or holds nested values.
    """
    if any(column.name.lower() == KEY_NAME for column in table.columns):
        raise InputError(
            f"the column name {KEY_NAME!r} is reserved.",
            where=table.where,
            remedy="Rename the column.",
        )
    roles = {role: _role(table, role, getattr(names, role)) for role in USUAL_NAMES}
    if names.scores:
        scores = {label: existing(table, column) for label, column in names.scores.items()}
    else:
        chosen = {column.name for column in roles.values() if column is not None}
        scores = _class_columns(table, chosen)
    side = Side(table=table, scores=scores, **roles)
    for column in (side.id, side.label, side.prediction, side.score, *scores.values()):
        sets = column in (side.label, side.prediction) and is_list(column)
        if column is not None and column.kind == "other" and not sets:
            raise not_single(table, column)
    return side


def is_list(column: Column | None) -> bool:
    """Whether each row of the column holds a list of plain values, as sets of labels are."""
    return column is not None and _LIST.fullmatch(column.type) is not None


def not_single(table: Table, column: Column) -> InputError:
    """The error for a column that holds nested values."""
    return InputError(
        f"the column {column.name!r} holds {column.type} values, not single ones.",
        where=table.where,
        remedy="Write one plain value per row.",
    )


def _role(table: Table, role: str, named: str | None) -> Column | None:
    if named is not None:
        return existing(table, named)
    by_lower = {column.name.lower(): column for column in table.columns}
    return next((by_lower[name] for name in USUAL_NAMES[role] if name in by_lower), None)


def existing(table: Table, name: str) -> Column:
    """Return the column called ``name``; raises InputError where there is none."""
    column = table.column(name)
    if column is None:
        close = next((c.name for c in table.columns if c.name.lower() == name.lower()), None)
        hint = f"Did you mean {close!r}? " if close else ""
        listed = ", ".join(repr(c.name[:60]) for c in table.columns[:20])
        raise InputError(
            f"there is no column {name[:100]!r}.",
            where=table.where,
            remedy=f"{hint}The file has: {listed}.",
        )
    return column


def _class_columns(table: Table, chosen: set[str]) -> dict[str, Column]:
    """Columns such as proba_CLASS; at least two with one prefix, all of them numbers."""
    for prefix in CLASS_PREFIXES:
        found = {
            column.name[len(prefix) :]: column
            for column in table.columns
            if column.name.lower().startswith(prefix)
            and len(column.name) > len(prefix)
            and column.kind in {"float", "integer"}
            and column.name not in chosen
        }
        if len(found) > 1:
            return found
    return {}


def canonical(column: Column, expression: str, *, truth_as_number: bool) -> str:
    """SQL that writes a value as text, so that 1, 1.0 and '1' are one label.

    NULL and NaN become NULL. With ``truth_as_number`` true and false become '1' and '0', for
    files where one column is boolean and the other counts.
    """
    if column.kind == "float":
        number = f"CAST({expression} AS DOUBLE)"
        return (
            f"CASE WHEN {expression} IS NULL OR isnan({number}) THEN NULL "
            f"WHEN isfinite({number}) AND {number} = trunc({number}) AND abs({number}) < 9e15 "
            f"THEN CAST(CAST({number} AS BIGINT) AS VARCHAR) ELSE CAST({number} AS VARCHAR) END"
        )
    if column.kind == "boolean" and truth_as_number:
        return f"CAST(CAST({expression} AS INTEGER) AS VARCHAR)"
    text = f"CAST({expression} AS VARCHAR)"
    if column.kind == "text":
        # As pandas writes booleans into text columns.
        return f"CASE WHEN {text} IN ('True', 'False') THEN lower({text}) ELSE {text} END"
    return text


def number(column: Column, expression: str) -> str:
    """SQL that reads a value as a DOUBLE; NULL for what is no number."""
    if column.kind == "boolean":
        return f"CAST({expression} AS DOUBLE)"
    return f"TRY_CAST({expression} AS DOUBLE)"
