"""Names and values as SQL text: whatever they hold, they stay names and values."""

from __future__ import annotations


def identifier(name: str) -> str:
    """Quote a column or table name; quotes, newlines and SQL inside it have no effect."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | float | bool | None) -> str:
    """Write a Python value as an SQL literal."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        # repr keeps every digit; the cast keeps nan and inf from being read as columns.
        return f"CAST('{value!r}' AS DOUBLE)"
    return "'" + value.replace("'", "''") + "'"
