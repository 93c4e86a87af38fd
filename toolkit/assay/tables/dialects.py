"""The queries of `tables`, written once in DuckDB's SQL, in the words of other engines.

sqlglot translates; what it does not know, because it needs the meaning and not the words, is here:
a DOUBLE rounds half to even on its way to an integer, a sum of integers never overflows, a list of
values is one text, the smallest n rows are an aggregate.
"""

from __future__ import annotations

from typing import Any

import sqlglot
from sqlglot import exp

_WIDE = "DECIMAL(38, 0)"
_WHOLE = (exp.DataType.Type.BIGINT, exp.DataType.Type.INT)
WAREHOUSES = ("bigquery", "snowflake", "trino")
"""Engines that the queries are translated for in tests, and that nobody has run here."""


def translate(sql: str, dialect: str) -> str:
    """Write a statement of `tables` in another dialect; raises sqlglot's errors."""
    return str(parsed(sql, dialect).sql(dialect=dialect))


def parsed(sql: str, dialect: str) -> exp.Expression:
    """Parse a statement of `tables` and replace what the dialect would understand otherwise."""
    tree: Any = sqlglot.parse_one(sql, read="duckdb")
    if dialect == "duckdb":
        return tree
    for name, change in _CHANGES.items():
        if name in _FOR_ALL or dialect == "spark":
            tree = tree.transform(change)
    return tree


def _value_table(node: exp.Expression) -> exp.Expression:
    """A text split into (value, code) rows: Spark explodes one list with its places."""
    if not isinstance(node, exp.Select) or len(node.expressions) != 2:
        return node
    first, second = (each.unalias() for each in node.expressions)
    if not (isinstance(first, exp.Explode) and isinstance(second, exp.Explode)):
        return node
    split = first.this.sql(dialect="spark")
    # The text is a literal that sqlglot wrote.
    shape = f"SELECT col AS value, pos AS code FROM (SELECT posexplode({split}))"
    return sqlglot.parse_one(shape, read="spark")


def _finite(node: exp.Expression) -> exp.Expression:
    """``isfinite``, NULL for NULL; no engine but DuckDB has it as a function."""
    named = isinstance(node, exp.Anonymous) and node.name.lower() == "isfinite"
    if not named:
        return node
    value = node.expressions[0]
    return sqlglot.parse_one(
        f"(abs({value.sql(dialect='duckdb')}) < CAST('Infinity' AS DOUBLE) "
        f"AND NOT isnan({value.sql(dialect='duckdb')}))",
        read="duckdb",
    )


def _rounded(node: exp.Expression) -> exp.Expression:
    """A product of DOUBLEs as an integer: the nearest one, half to even, where others cut off."""
    if not isinstance(node, exp.Cast) or node.to.this not in _WHOLE:
        return node
    product = node.this
    if not isinstance(product, exp.Mul):
        return node
    doubles = any(cast.to.is_type("double") for cast in product.find_all(exp.Cast))
    if doubles or any(len(number.this) > _LONG for number in product.find_all(exp.Literal)):
        node.set("this", exp.Anonymous(this="rint", expressions=[product.copy()]))
    return node


_LONG = 10
"""Digits of a number beyond which a product with it is one of DOUBLEs, not of codes."""


def _wide_sum(node: exp.Expression) -> exp.Expression:
    """A sum of integers in 38 digits, as DuckDB's 128 bits hold; windows and filters included."""
    if not isinstance(node, exp.Sum) or (isinstance(node.this, exp.Cast) and _is_wide(node.this)):
        return node
    node.set("this", exp.cast(node.this.copy(), _WIDE))
    return node


def _is_wide(node: exp.Cast) -> bool:
    return bool(node.to.is_type("decimal"))


def _smallest(node: exp.Expression) -> exp.Expression:
    """``arg_min(row(…), key, n) FILTER (WHERE …)``: the first n of the sorted rows."""
    if not isinstance(node, exp.Filter) or not isinstance(node.this, exp.ArgMin):
        return node
    found, condition = node.this, node.expression.this
    fields = ", ".join(each.sql(dialect="spark") for each in found.this.expressions)
    row = f"struct({fields})"
    kept = f"CASE WHEN {condition.sql(dialect='spark')} THEN {row} END"
    count = found.args["count"].sql(dialect="spark")
    return sqlglot.parse_one(f"slice(array_sort(collect_list({kept})), 1, {count})", read="spark")


_CHANGES = {
    "values": _value_table,
    "finite": _finite,
    "rounded": _rounded,
    "sum": _wide_sum,
    "smallest": _smallest,
}
_FOR_ALL = ("finite",)
