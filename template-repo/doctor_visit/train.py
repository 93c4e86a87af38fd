"""Train: fit the model that params.yaml describes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from doctor_visit import artifact
from doctor_visit.model import build, labelled, matrix
from doctor_visit.params import read_params


def main() -> None:
    """Write the folder model.

    One thread, because sums over several depend on their number in the last digits.
    """
    params = read_params("train")
    train = labelled(pd.read_parquet("data/train.parquet"))
    model = build(params)
    with threadpool_limits(limits=1):
        features = matrix(train, params["features"])
        model.fit(features, train["visit"].astype("int64"))
        artifact.save(model, features.head(5), Path("model"))


if __name__ == "__main__":
    main()
