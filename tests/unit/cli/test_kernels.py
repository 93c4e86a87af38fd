"""The same files give the same bytes, whatever OpenBLAS takes the processor for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[3]
CPUINFO = Path("/proc/cpuinfo")


def compared(folder: Path, **variables: str) -> str:
    kept = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    done = subprocess.run(
        [sys.executable, "-m", "assay", "compare", "base.parquet", "head.parquet", "--json"],
        cwd=folder, env={**kept, "PYTHONPATH": str(ROOT / "toolkit"), **variables},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.skipif(
    not CPUINFO.is_file() or "avx2" not in CPUINFO.read_text(), reason="not an x86 with AVX2"
)
def test_another_kernel_gives_the_same_bytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    label = rng.integers(0, 2, 999)
    for side, skill in (("base", 0.8), ("head", 0.84)):
        said = np.where(rng.random(999) < skill, label, 1 - label)
        rows = {"id": range(999), "y_true": label, "y_pred": said, "y_score": rng.random(999)}
        pd.DataFrame(rows).to_parquet(tmp_path / f"{side}.parquet")
    found = {compared(tmp_path), compared(tmp_path, OPENBLAS_CORETYPE="Sandybridge")}
    assert len(found) == 1
