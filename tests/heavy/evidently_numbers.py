"""What Evidently says of reference.parquet and window.parquet; runs in its own environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.metrics import ValueDrift

ASKED = (
    ("category", "psi"),
    ("category", "jensenshannon"),
    ("number", "psi"),
    ("number", "jensenshannon"),
    ("number", "wasserstein"),
)


def main() -> None:
    folder = Path(sys.argv[1])
    definition = DataDefinition(numerical_columns=["number"], categorical_columns=["category"])
    window, reference = (
        Dataset.from_pandas(
            pd.read_parquet(folder / f"{name}.parquet")[["number", "category"]],
            data_definition=definition,
        )
        for name in ("window", "reference")
    )
    report = Report([ValueDrift(column=column, method=method) for column, method in ASKED])
    metrics = report.run(window, reference).dict()["metrics"]
    values = [float(metric["value"]) for metric in metrics]
    print(json.dumps({f"{c}:{m}": v for (c, m), v in zip(ASKED, values, strict=True)}))


main()
