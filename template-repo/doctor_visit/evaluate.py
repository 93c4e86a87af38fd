"""Evaluate: predict the test rows, one line each, and sum them up."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from doctor_visit import artifact, parquet
from doctor_visit.model import labelled, matrix
from doctor_visit.params import read_params

SLICES = ["plan", "health", "disease_index"]


def predict(model: Pipeline, test: pd.DataFrame, *, threshold: float) -> pd.DataFrame:
    """Give each test row its truth, the predicted class and the probability of a visit."""
    features = list(model.feature_names_in_)
    score = model.predict_proba(matrix(test, features))[:, 1]
    return pd.DataFrame(
        {
            "id": test["id"],
            "y_true": test["visit"].astype("int8"),
            "y_pred": (score >= threshold).astype("int8"),
            "y_score": score,
            **{column: test[column] for column in SLICES},
        }
    )


def summarise(predictions: pd.DataFrame) -> dict[str, float]:
    """Compute the metrics a person looks at first; Assay computes its own from the rows."""
    truth = predictions["y_true"]
    return {
        "accuracy": float(accuracy_score(truth, predictions["y_pred"])),
        "log_loss": float(log_loss(truth, predictions["y_score"])),
        "roc_auc": float(roc_auc_score(truth, predictions["y_score"])),
        "rows": len(predictions),
    }


def main() -> None:
    """Write predictions.parquet and metrics.json."""
    model = artifact.load(Path("model"))
    test = labelled(pd.read_parquet("data/test.parquet"))
    with threadpool_limits(limits=1):
        predictions = predict(model, test, **read_params("evaluate"))
    parquet.write(predictions, Path("predictions.parquet"))
    Path("metrics.json").write_text(json.dumps(summarise(predictions), indent=2) + "\n")


if __name__ == "__main__":
    main()
