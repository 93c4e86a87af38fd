"""Load one file into the engine: Parquet as a view, CSV and JSON as typed tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import duckdb

from assay.errors import InputError, Location
from assay.tables.formats import csv_header, is_json_array, json_problem
from assay.tables.sql import identifier, literal

_LONGEST_LINE = 16 * 1024 * 1024


def load_parquet(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    path: Path,
    link: Path,
    *,
    compared: Collection[str] | None = None,
) -> None:
    """A view of the file; see :func:`_has_nan` for `compared`."""
    source = literal(link.as_posix())
    listed = connection.execute(
        f"SELECT name, num_children FROM parquet_schema({source})"
    ).fetchall()
    _unique(top_level(listed), path)
    file = f"read_parquet({source}, hive_partitioning = false)"
    chosen = choose_columns(connection, file)
    view = f"SELECT {chosen} FROM {file}"
    connection.execute(f"CREATE VIEW {identifier(name)} AS {view}")
    if _has_nan(connection, name, compared):
        connection.execute(f"DROP VIEW {identifier(name)}")
        connection.execute(f"CREATE TABLE {identifier(name)} AS {view}")
        return
    numbered = f"read_parquet({source}, hive_partitioning = false, file_row_number = true)"
    rows = f"CREATE VIEW {identifier(numbered_name(name))} AS SELECT {chosen} FROM {numbered}"
    connection.execute(rows)


def choose_columns(connection: duckdb.DuckDBPyConnection, file: str) -> str:
    """SQL for all columns; pandas' times with a zone, in nanoseconds, in microseconds.

    DuckDB has no functions for those.
    """
    described = connection.execute(f"DESCRIBE SELECT * FROM {file}").fetchall()
    fine = [identifier(column) for column, kind, *_ in described if kind == "TIMESTAMPTZ_NS"]
    listed = ", ".join(f"CAST({one} AS TIMESTAMPTZ) AS {one}" for one in fine)
    return f"* REPLACE ({listed})" if fine else "*"


def numbered_name(name: str) -> str:
    """The view of a Parquet file's rows with their ``file_row_number``, from 0."""
    return f"{name} numbered"


def _has_nan(
    connection: duckdb.DuckDBPyConnection, name: str, compared: Collection[str] | None
) -> bool:
    """Whether a number of these columns, or of any, is NaN or infinite.

    Parquet's column statistics leave NaN out, and DuckDB answers isnan(x) and x > 5 from them:
    a file with NaN is therefore loaded, which gives it statistics that are true.
    """
    described = connection.execute(f"DESCRIBE {identifier(name)}").fetchall()
    tests = [
        f"bool_and(isfinite({identifier(column)}))"
        for column, kind, *_ in described
        if kind in {"FLOAT", "DOUBLE"} and (compared is None or column in compared)
    ]
    if not tests:
        return False
    finite = connection.execute(f"SELECT {', '.join(tests)} FROM {identifier(name)}").fetchone()
    return False in (finite or ())


def top_level(listed: list[tuple[str, int | None]]) -> list[str]:
    """Names of a Parquet file's columns, out of its schema in depth-first order."""
    names: list[str] = []
    pending = 0
    for name, children in listed[1:]:
        if pending == 0:
            names.append(name)
        else:
            pending -= 1
        pending += children or 0
    return names


def load_csv(connection: duckdb.DuckDBPyConnection, name: str, path: Path, link: Path) -> None:
    delimiter, names = csv_header(path)
    _unique(names, path)
    declared = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in names)
    raw = identifier(f"{name} as text")
    connection.execute(
        f"CREATE TEMP TABLE {raw} AS SELECT * FROM read_csv({literal(link.as_posix())}, "
        f"auto_detect = false, header = true, delim = {literal(delimiter)}, quote = '\"', "
        f"escape = '\"', strict_mode = true, max_line_size = {_LONGEST_LINE}, "
        f"columns = {{{declared}}})"
    )
    facts = ", ".join(_type_of_text(identifier(column)) for column in names)
    types = connection.execute(f"SELECT {facts} FROM {raw}").fetchone() or ()
    typed = ", ".join(
        f"CAST({identifier(column)} AS {kind}) AS {identifier(column)}"
        for column, kind in zip(names, types, strict=True)
    )
    connection.execute(f"CREATE TABLE {identifier(name)} AS SELECT {typed} FROM {raw}")
    connection.execute(f"DROP TABLE {raw}")


def _type_of_text(column: str) -> str:
    """SQL for the narrowest type that every value of a text column has.

    Numbers with leading zeros (postal codes, ids) and whole numbers beyond 64 bits stay text.
    """
    whole = f"TRY_CAST({column} AS BIGINT)"
    return (
        f"CASE WHEN count({column}) = 0 THEN 'VARCHAR'"
        f" WHEN bool_and({column} IS NULL OR CAST({whole} AS VARCHAR) IS NOT DISTINCT FROM"
        f" {column}) THEN 'BIGINT'"
        f" WHEN bool_and({column} IS NULL OR (TRY_CAST({column} AS DOUBLE) IS NOT NULL"
        f" AND NOT regexp_matches({column}, '^[+-]?0[0-9]')"
        f" AND ({whole} IS NOT NULL OR regexp_matches({column}, '[^0-9+-]')))) THEN 'DOUBLE'"
        f" WHEN bool_and({column} IS NULL OR lower({column}) IN ('true', 'false')) THEN 'BOOLEAN'"
        f" ELSE 'VARCHAR' END"
    )


def load_json(connection: duckdb.DuckDBPyConnection, name: str, path: Path, link: Path) -> None:
    shape = "array" if is_json_array(path) else "newline_delimited"
    source = f"{literal(link.as_posix())}, format = '{shape}', maximum_object_size = 67108864"
    try:
        keys = connection.execute(
            "SELECT DISTINCT unnest(json_keys(json)) AS key "
            f"FROM read_json_objects({source}) ORDER BY key"
        ).fetchall()
        if not keys:
            raise json_problem(path)
        _unique([key for (key,) in keys], path)
        relation = connection.execute(
            f"DESCRIBE SELECT * FROM read_json({source}, sample_size = -1, maximum_depth = 2, "
            "records = true)"
        ).fetchall()
        texts = ", ".join(
            f"{identifier(column)} ->> '$' AS {identifier(column)}"
            if kind == "JSON"
            else identifier(column)
            for column, kind, *_ in relation
        )
        connection.execute(
            f"CREATE TABLE {identifier(name)} AS SELECT {texts} FROM read_json({source}, "
            "sample_size = -1, maximum_depth = 2, records = true)"
        )
    except (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.BinderException):
        raise json_problem(path) from None


def _unique(names: Sequence[str], path: Path) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if name.lower() in seen:
            raise InputError(
                f"the columns {seen[name.lower()]!r} and {name!r} have one name, apart from case.",
                where=Location(file=path.as_posix()),
                remedy="Rename or drop one of them.",
            )
        seen[name.lower()] = name
