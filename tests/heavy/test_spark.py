"""The same comparison on real Spark, local with four workers: the same counts, the same verdict."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.predictions import binary, write_predictions

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(1200)]

TOOLKIT = Path(__file__).resolve().parents[2] / "toolkit"
LAUNCHER = TOOLKIT / "bin" / "assay"
ARGUMENTS = (
    "--margin", "accuracy=0.03", "--margin", "roc_auc=0.03", "--metric", "log_loss",
    "--metric", "f1", "--slice", "region", "--slice", "age:30,50", "--json", "--exit-zero",
)  # fmt: skip


def compared(folder: Path, *more: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LAUNCHER, "compare", "base.parquet", "head.parquet", *ARGUMENTS, *more],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def without_last_digits(value: Any) -> Any:
    """Floats to 12 digits: a logarithm of Java may differ from that of C in its last bit."""
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, dict):
        return {key: without_last_digits(each) for key, each in value.items() if key != "inputs"}
    return [without_last_digits(each) for each in value] if isinstance(value, list) else value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, columns in zip(("base", "head"), binary(3000), strict=True):
        write_predictions(tmp_path / f"{name}.parquet", columns)
    return tmp_path


@pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java on PATH")
def test_spark_counts_the_same_and_judges_the_same(folder: Path) -> None:
    here = compared(folder)
    there = compared(
        folder,
        "--engine",
        "spark",
        ASSAY_ENVIRONMENT="spark",
        PYSPARK_SUBMIT_ARGS="--master local[4] pyspark-shell",
    )
    assert there.returncode == 0, there.stderr[-3000:]
    (one,), (other,) = json.loads(here.stdout), json.loads(there.stdout)
    for key in ("confusion_base", "confusion_head", "both_right", "lost", "won"):
        assert one["comparison"]["details"][key] == other["comparison"]["details"][key]
    assert without_last_digits(one) == without_last_digits(other)
    assert one["verdict"]["sentence"] == other["verdict"]["sentence"]


@pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java on PATH")
def test_only_a_local_driver_is_bound_to_the_machine_itself(tmp_path: Path) -> None:
    """A cluster's workers must reach the driver: there its address is left to Spark."""
    variables = {"ASSAY_ENVIRONMENT": "spark", "ASSAY_CACHE": str(tmp_path)}
    subprocess.run([LAUNCHER, "--version"], env={**os.environ, **variables}, check=True)
    (python,) = tmp_path.glob("assay/environment-*/bin/python")
    asked = "('spark.master', 'spark.driver.bindAddress', 'spark.driver.host')"
    script = (
        f"import sys; sys.path.insert(0, {str(TOOLKIT)!r}); "
        "from assay.tables.spark import settings; "
        f"found = settings(); print([found.get(name) for name in {asked}])"
    )
    here = "127.0.0.1"
    for arguments, expected in (
        ("", ["local[*]", here, here]),
        ("--master local[3]", ["local[3]", here, here]),
        ("--conf spark.driver.host=localhost", ["local[*]", here, "localhost"]),
        ("--master spark://cluster:7077", ["spark://cluster:7077", None, None]),
    ):
        done = subprocess.run(
            [python, "-c", script],
            env={**os.environ, "PYSPARK_SUBMIT_ARGS": f"{arguments} pyspark-shell"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.splitlines()[-1] == str(expected)


def test_without_pyspark_it_says_what_to_do(folder: Path) -> None:
    found = compared(folder, "--engine", "spark")
    assert found.returncode == 2
    assert "ASSAY_ENVIRONMENT=spark" in found.stderr
    assert "Traceback" not in found.stderr
