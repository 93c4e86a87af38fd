"""Conditions that a stranger may write: one scalar SQL expression over the row's own columns.

DuckDB's own parser reads the text, so nothing can mean one thing to the guard and another to the
engine; and what runs is the parsed tree written out again, not the text.
"""

from __future__ import annotations

import json
from typing import Any

import duckdb

from assay.errors import InputError
from assay.tables.rows import Rows
from assay.tables.sql import literal

_CLASSES = frozenset(
    {
        "BETWEEN", "CASE", "CAST", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT",
        "FUNCTION", "OPERATOR", "TYPE",
    }
)  # fmt: skip
_OPERATORS = frozenset(
    {
        "+", "-", "*", "/", "//", "%", "**", "^", "||", "~~", "!~~", "~~*", "!~~*", "~~~", "^@",
        "&", "|", "<<", ">>", "~", "__between",
    }
)  # fmt: skip
FUNCTIONS = frozenset(
    {
        "abs", "array_contains", "array_length", "ceil", "ceiling", "char_length", "coalesce",
        "concat", "contains", "date_diff", "date_part", "date_trunc", "datediff", "day",
        "dayofweek", "dayofyear", "ends_with", "epoch", "exp", "floor", "greatest", "hour",
        "ifnull", "isfinite", "isinf", "isnan", "lcase", "least", "left", "len", "length",
        "like_escape", "ilike_escape", "not_like_escape", "not_ilike_escape", "list_contains",
        "list_value", "ln", "log", "log10", "log2", "lower", "ltrim", "make_date", "minute",
        "mod", "month", "not", "nullif", "pow", "power", "prefix", "quarter", "regexp_extract",
        "regexp_full_match", "regexp_matches", "regexp_replace", "replace", "right", "round",
        "rtrim", "second", "sign", "split_part", "sqrt", "starts_with", "strip_accents",
        "strlen", "strpos", "strptime", "substr", "substring", "suffix", "to_days", "to_hours",
        "to_minutes", "to_months", "to_seconds", "to_weeks", "to_years", "trim", "trunc",
        "try_strptime", "ucase", "upper", "week", "weekday", "year", "yearweek",
    }
)  # fmt: skip
"""The functions an expression may call: scalar, without side effects, the same every time."""

_FRAME = "SELECT "


def condition(rows: Rows, expression: str, *, what: str) -> str:
    """Return SQL for an expression, parenthesised, once it is known to be harmless and true/false.

    ``what`` names the expression in messages. Raises InputError for anything but one scalar
    boolean expression over columns of ``rows``: a subquery, an aggregate, a window, a function
    that is not in ``FUNCTIONS``, a column that is not there, a type that does not fit.
    """
    node = _select(rows, expression, what)
    plain = _parse(rows, "1", what)[1]
    if _skeleton(node) != _skeleton(plain) or len(node["select_list"]) != 1:
        raise _refused(what, "it is more than one expression")
    _walk(node["select_list"][0], {column.name.lower() for column in rows.columns}, what)
    tree = _parse(rows, expression, what)[0]
    (written,) = rows.engine.row(f"SELECT json_deserialize_sql({literal(tree)}::JSON)")
    sql = f"({written.removeprefix(_FRAME)})"
    try:
        (described,) = rows.engine.rows(f"DESCRIBE SELECT {sql} AS met FROM {rows.source}")
    except duckdb.Error as error:
        raise engine_refused(what, error) from None
    if described[1] != "BOOLEAN":
        raise InputError(
            f"{what} is of type {described[1]}, not true or false.",
            remedy="Write a comparison, such as `age >= 0`.",
        )
    return sql


def engine_refused(what: str, error: Exception) -> InputError:
    """The engine's own words about an expression, without the query around it."""
    first = str(error).split("\n\nLINE ", 1)[0].strip().replace("\n", " ")
    return InputError(
        f"{what} cannot be evaluated: {first[:300].rstrip('.')}.",
        remedy='Check the column names (quote unusual ones with ") and the types.',
    )


def _select(rows: Rows, expression: str, what: str) -> dict[str, Any]:
    return _parse(rows, expression, what)[1]


def _parse(rows: Rows, expression: str, what: str) -> tuple[str, dict[str, Any]]:
    """Return the statement's tree, as text and as its select node."""
    if "\0" in expression:
        raise _refused(what, "it holds a NUL character")
    # The line break ends a comment, so that it cannot swallow the parenthesis.
    statement = literal(f"{_FRAME}({expression}\n)")
    (text,) = rows.engine.row(f"SELECT json_serialize_sql({statement})")
    tree = json.loads(text)
    if tree["error"]:
        raise InputError(
            f"{what} is not an SQL expression: {str(tree.get('error_message'))[:300]}.",
            remedy="Write a condition on one row's columns, such as `visits >= 0`.",
        )
    statements = tree["statements"]
    if len(statements) != 1 or statements[0]["named_param_map"]:
        raise _refused(what, "it is more than one expression")
    return text, statements[0]["node"]


def _skeleton(node: dict[str, Any]) -> Any:
    """A select node without its list of expressions and without positions in the text."""

    def bare(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: bare(value) for key, value in part.items() if "location" not in key}
        return [bare(value) for value in part] if isinstance(part, list) else part

    return bare({key: value for key, value in node.items() if key != "select_list"})


def _walk(part: Any, columns: set[str], what: str) -> None:
    if isinstance(part, list):
        for item in part:
            _walk(item, columns, what)
    if not isinstance(part, dict):
        return
    kind = part.get("class")
    if kind is not None and kind not in _CLASSES:
        raise _refused(what, f"it holds a {str(kind).lower().replace('_', ' ')}")
    if kind == "COLUMN_REF":
        name = part["column_names"]
        if len(name) != 1 or name[0].lower() not in columns:
            raise InputError(
                f"{what} names the column {'.'.join(name)!r}, which the data has not.",
                remedy=f"Its columns are {', '.join(sorted(columns))[:300]}.",
            )
    if kind == "FUNCTION":
        called = str(part["function_name"])
        allowed = _OPERATORS if part["is_operator"] else FUNCTIONS
        if called.lower() not in allowed or part["schema"] or part["catalog"]:
            raise _refused(what, f"it calls {called!r}")
    for value in part.values():
        _walk(value, columns, what)


def _refused(what: str, why: str) -> InputError:
    return InputError(
        f"{what} may only compute with the row's own columns, but {why}.",
        remedy="docs/data-checks.md lists the functions an expression may call.",
    )
