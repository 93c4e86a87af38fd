"""Which engine joins and counts: DuckDB in this process, or Spark."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

from assay.errors import InputError
from assay.tables.source import Engine, open_tables

Name = Literal["duckdb", "spark"]


def open_with(name: Name, files: Mapping[str, Path]) -> AbstractContextManager[Engine]:
    """Open each file as a table of the engine ``name``; see source.open_tables.

    Raises InputError where the environment has no PySpark.
    """
    if name == "duckdb":
        return open_tables(files)
    try:
        from assay.tables.spark import open_spark  # noqa: PLC0415 -- in an environment of its own
    except ImportError:
        raise InputError(
            "the engine spark needs PySpark, which this environment does not have.",
            remedy="Set ASSAY_ENVIRONMENT=spark, which installs PySpark beside the toolkit (it "
            "needs Java 17 or later), or use the engine duckdb.",
        ) from None
    return open_spark(files)
