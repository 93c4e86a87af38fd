"""Train: fit the model that params.yaml describes."""

from __future__ import annotations

from pathlib import Path

import joblib
import pandas as pd
from threadpoolctl import threadpool_limits

from doctor_visit.model import build, labelled, matrix
from doctor_visit.params import read_params


def main() -> None:
    """Write model.joblib.

    One thread, because sums over several depend on their number in the last digits, and
    joblib rather than a safer format, because it writes equal models as equal bytes.
    """
    params = read_params("train")
    train = labelled(pd.read_parquet("data/train.parquet"))
    model = build(params)
    with threadpool_limits(limits=1):
        model.fit(matrix(train, params["features"]), train["visit"].astype("int64"))
    joblib.dump(model, Path("model.joblib"), compress=3)


if __name__ == "__main__":
    main()
