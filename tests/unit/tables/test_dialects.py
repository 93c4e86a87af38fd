"""The queries of a comparison in other engines' words: every one translates and parses back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import sqlglot

from assay.comparison import Asked, compare
from assay.config import Cross, Slice
from assay.tables.dialects import WAREHOUSES, translate
from assay.tables.source import Engine
from support.predictions import binary, multiclass, regression, write_predictions

GOLDEN = Path(__file__).with_name("golden")
ASKED: dict[str, tuple[Any, dict[str, Any]]] = {
    "binary": (
        binary,
        {"slices": (Slice(column="region"), Cross(cross=("region", "age")),
                    Slice(column="age", bins=(30.0, 50.0)))},
    ),
    "multiclass": (multiclass, {"report": ("accuracy", "f1_macro", "log_loss", "brier")}),
    "regression": (regression, {"report": ("mae", "rmse", "r2", "mape", "quantile_loss:0.9")}),
}  # fmt: skip


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a comparison asks of an engine whose rows have no places."""
    asked: list[str] = []
    for name in ("rows", "arrays", "run"):
        original = getattr(Engine, name)

        def kept(engine: Engine, sql: str, original: Any = original) -> Any:
            asked.append(sql)
            return original(engine, sql)

        monkeypatch.setattr(Engine, name, kept)
    monkeypatch.setattr(Engine, "has_order", False)
    monkeypatch.setattr(Engine, "has_numbers", lambda _: False)
    return asked


@pytest.mark.parametrize("task", ASKED)
def test_every_query_translates_and_parses_back(
    task: str, statements: list[str], tmp_path: Path
) -> None:
    """For Spark, which runs them, and for the warehouses, where nobody has run them here."""
    make, options = ASKED[task]
    files = [
        write_predictions(tmp_path / f"{name}.parquet", columns)
        for name, columns in zip(("base", "head"), make(400), strict=True)
    ]
    compare(*files, Asked(**options))
    assert len(statements) > 10
    for sql in statements:
        for dialect in ("spark", *WAREHOUSES):
            assert sqlglot.parse(translate(sql, dialect), read=dialect)


def test_a_product_of_doubles_is_rounded_and_codes_are_not() -> None:
    product = "SELECT CAST(p * 4503599627370496 AS BIGINT), CAST(s0 AS BIGINT) * 3 + s1 FROM paired"
    assert translate(product, "spark") == (
        "SELECT CAST(RINT(p * 4503599627370496) AS BIGINT), CAST(s0 AS BIGINT) * 3 + s1 FROM paired"
    )


def test_sums_have_room() -> None:
    assert translate("SELECT sum(n) FROM t", "spark") == (
        "SELECT SUM(CAST(n AS DECIMAL(38, 0))) FROM t"
    )


def test_infinity_is_not_finite_and_nothing_stays_nothing() -> None:
    found = translate("SELECT isfinite(x) FROM t", "spark")
    assert "ISFINITE" not in found.upper()
    assert "ISNAN" in found.upper()


@pytest.mark.parametrize("dialect", ["spark", *WAREHOUSES])
def test_the_joint_counts_read_as_they_did(dialect: str) -> None:
    """One query for each engine, to be read: `ASSAY_UPDATE_GOLDEN=1` writes it again."""
    sql = (
        "SELECT * FROM (SELECT CASE WHEN grouping(s0) = 0 THEN 0 ELSE -1 END AS place, "
        "CASE WHEN grouping(s0) = 0 THEN s0 ELSE -1 END AS code, label, base, head, count(*) AS n "
        "FROM paired GROUP BY GROUPING SETS ((label, base, head), (s0, label, base, head))) "
        "WHERE code IS NOT NULL ORDER BY place, code, label, base, head"
    )
    found = sqlglot.transpile(translate(sql, dialect), read=dialect, write=dialect, pretty=True)
    path = GOLDEN / f"joint-counts.{dialect}.sql"
    if os.environ.get("ASSAY_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(found[0] + "\n")
    assert path.read_text() == found[0] + "\n"
