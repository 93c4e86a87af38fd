"""Spark as the engine that joins and counts, for predictions that outgrew one machine.

The queries are those of DuckDB, translated (tables/dialects.py). What leaves is as small: counts,
sums of whole multiples, and the rows of the metrics that need them. PySpark is not part of the
toolkit's environment; requirements/spark.txt holds one that has both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from sqlglot import exp

from assay.errors import InputError, Location, OutsideError
from assay.tables.dialects import parsed, translate
from assay.tables.formats import Format, detect_format
from assay.tables.source import Column, Engine, Table, linked, scratch_folder, with_rows

_TYPES = {
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "string": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamp_ntz": "TIMESTAMP",
    "void": '"NULL"',
}

_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.session.timeZone": "UTC",
}


class SparkEngine(Engine):
    """One Spark session with the opened tables; made by :func:`open_spark`."""

    has_order = False

    def __init__(self, session: Any, tables: dict[str, Table], scratch: Path) -> None:
        self._session = session
        self.tables = tables
        self.scratch = scratch
        self._made: list[Any] = []

    def beside(self) -> Engine:
        """The engine itself: a session takes queries from several threads."""
        return self

    def has_numbers(self) -> bool:
        """Rows have no number here."""
        return False

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query and return its rows; raises OutsideError where Spark cannot."""
        return [tuple(map(_plain, row)) for row in self._frame(sql).collect()]

    def arrays(self, sql: str) -> dict[str, NDArray[Any]]:
        """Run a query and return its columns as numpy arrays, each of shape (rows,)."""
        with _translated(self._files()):
            found = self._frame(sql).toArrow()
        return {name: _array(found.column(name)) for name in found.column_names}

    def run(self, sql: str) -> None:
        """Run a statement: a table is kept in memory and on disk, a view is only named."""
        tree = parsed(sql, "spark")
        if isinstance(tree, exp.Drop):
            name = next(tree.find_all(exp.Table)).name
            self._session.catalog.dropTempView(_quoted(name))
            return
        if not isinstance(tree, exp.Create):
            raise NotImplementedError(f"no statement of this kind is run on Spark: {sql[:60]}")
        with _translated(self._files()):
            frame = self._session.sql(tree.expression.sql(dialect="spark"))
            if tree.args["kind"] == "TABLE":
                frame = frame.persist()
                self._made.append(frame)
            frame.createOrReplaceTempView(_quoted(tree.this.name))

    def _frame(self, sql: str) -> Any:
        with _translated(self._files()):
            return self._session.sql(translate(sql, "spark"))

    def forget(self) -> None:
        """Let go of what was kept."""
        for frame in self._made:
            frame.unpersist()


@contextmanager
def open_spark(files: Mapping[str, Path]) -> Iterator[Engine]:
    """Open each Parquet file as a table called by its key; see source.open_tables.

    Raises InputError where a file is not Parquet or has no rows, and OutsideError where Spark does
    not start.
    """
    for path in files.values():
        if detect_format(path) is not Format.PARQUET:
            raise InputError(
                "the engine spark reads Parquet alone.",
                where=Location(file=path.as_posix()),
                remedy="Write Parquet, or use the engine duckdb.",
            )
    with scratch_folder() as scratch:
        session = _session()
        engine = SparkEngine(session, {}, scratch)
        try:
            for name, path in files.items():
                link = linked(scratch, name, path, Format.PARQUET)
                engine.tables[name] = _opened(session, name, path, link)
            yield engine
        finally:
            engine.forget()


def settings() -> Any:
    """Spark's own settings and ours on top; a local master where they name none."""
    # Java alone reads spark-defaults.conf and PYSPARK_SUBMIT_ARGS, so it starts first.
    SparkContext._ensure_initialized()
    found = SparkConf().setIfMissing("spark.master", "local[*]").setAppName("assay")
    if str(found.get("spark.master")).startswith("local"):
        # Nothing beyond this machine has to reach a local driver. A cluster's workers do: there
        # its address is Spark's own choice, or that of its settings.
        found.setIfMissing("spark.driver.bindAddress", "127.0.0.1")
        found.setIfMissing("spark.driver.host", "127.0.0.1")
    return found.setAll(list(_SETTINGS.items()))


def _session() -> Any:
    """The session of the environment's Spark settings."""
    try:
        session = SparkSession.builder.config(conf=settings()).getOrCreate()
    except (PySparkException, OSError, RuntimeError) as error:
        raise OutsideError(
            f"Spark did not start: {_first(error)}.",
            remedy="Check Java (17 or later) and JAVA_HOME.",
        ) from None
    session.sparkContext.setLogLevel("OFF")
    return session


def _opened(session: Any, name: str, path: Path, link: Path) -> Table:
    with _translated(path.as_posix()):
        frame = session.read.parquet(link.as_posix())
        columns = tuple(Column(name=each, type=_type(kind)) for each, kind in frame.dtypes)
        frame.createOrReplaceTempView(name)
        rows = frame.count()
    table = Table(name=name, path=path, format=Format.PARQUET, columns=columns, rows=rows)
    return with_rows(table)


def _type(kind: str) -> str:
    if kind.startswith("array<"):
        return f"{_type(kind[6:-1])}[]"
    return _TYPES.get(kind, kind.upper())


def _quoted(name: str) -> str:
    return f"`{name}`" if " " in name else name


def _plain(value: Any) -> Any:
    """A value as DuckDB returns it: whole decimals are integers, structs are tuples."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _array(column: Any) -> NDArray[Any]:
    if str(column.type).startswith("decimal"):
        return np.array([int(value) for value in column.to_pylist()], dtype=np.int64)
    found: NDArray[Any] = column.to_numpy()
    return found


@contextmanager
def _translated(files: str) -> Iterator[None]:
    """Turn what Spark says of files and resources into the words of our errors."""
    try:
        yield
    except PySparkException as error:
        raise OutsideError(
            f"the engine Spark could not go on: {_first(error)}.",
            where=Location(file=files),
            remedy="Check the file, and Spark's memory and disk.",
        ) from None


def _first(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200].rstrip(".")
