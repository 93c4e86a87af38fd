"""Who can be asked about, as the model of a consumer sees them: run with the consumer's Python.

``population.parquet`` has every row of the experiment, in the raw table's columns, with what the
served model is sent (``input``) and answers (``output``), both as its log holds them.
``served.parquet`` has the test rows as the model is sent them: what a reference is made of.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
from doctor_visit import artifact, parquet
from doctor_visit.model import matrix


def main(folder: Path) -> None:
    """Score the consumer's rows with its trained model, in the working directory."""
    model = artifact.load(Path("model"))
    test = pd.read_parquet("data/test.parquet")
    known = pd.concat([pd.read_parquet("data/train.parquet"), test], ignore_index=True)
    features = matrix(known, list(model.feature_names_in_))
    shares = model.predict_proba(features)
    scored = known[["id"]].assign(
        input=[json.dumps(row) for row in features.to_dict("records")],
        output=[json.dumps(pair) for pair in shares.tolist()],
        score=shares[:, 1],
    )
    raw = pd.read_parquet("data/raw.parquet")
    folder.mkdir(parents=True, exist_ok=True)
    parquet.write(raw.merge(scored, on="id", validate="1:1"), folder / "population.parquet")
    served = matrix(test, list(model.feature_names_in_)).assign(id=test["id"])
    parquet.write(served, folder / "served.parquet")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
