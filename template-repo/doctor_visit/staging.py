"""Staging rows: a few test rows as the model takes them, for `assay stage` to ask a server for."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from doctor_visit.model import FEATURES, labelled, matrix
from doctor_visit.prepare import position

PATH = Path("staging.csv")
ROWS = 200


def sample(test: pd.DataFrame) -> pd.DataFrame:
    """Take the rows whose ids hash lowest, with every feature that params.yaml may name."""
    rows = labelled(test).set_index("id", drop=False)
    chosen = sorted(rows.index, key=lambda name: position(name, "staging"))[:ROWS]
    found = rows.loc[sorted(chosen)]
    return matrix(found, list(FEATURES)).reset_index()


def main() -> None:
    """Write staging.csv; commit it, and write it again where `ingest` or `prepare` changed."""
    sample(pd.read_parquet("data/test.parquet")).to_csv(PATH, index=False)


if __name__ == "__main__":
    main()
