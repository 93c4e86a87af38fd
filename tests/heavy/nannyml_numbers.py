"""What NannyML says of reference.parquet and window.parquet; runs in its own environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nannyml
import pandas as pd

METRICS = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "f1"}


def main() -> None:
    folder = Path(sys.argv[1])
    reference, window = (
        pd.read_parquet(folder / f"{name}.parquet") for name in ("reference", "window")
    )
    drift = nannyml.UnivariateDriftCalculator(
        column_names=["number", "category"],
        treat_as_categorical=["category"],
        continuous_methods=["jensen_shannon", "wasserstein"],
        categorical_methods=["jensen_shannon", "chi2"],
        chunk_number=1,
    )
    drift.fit(reference)
    found = drift.calculate(window).filter(period="analysis").to_df()
    numbers = {
        f"{column}:{method}": float(found[(column, method, "value")].iloc[0])
        for column, method in (
            ("number", "jensen_shannon"),
            ("number", "wasserstein"),
            ("category", "jensen_shannon"),
            ("category", "chi2"),
        )
    }
    together = nannyml.DomainClassifierCalculator(
        feature_column_names=["number", "category", "score"],
        treat_as_categorical=["category"],
        chunk_number=1,
    )
    together.fit(reference)
    told = together.calculate(window).filter(period="analysis").to_df()
    numbers["together"] = float(told[("domain_classifier_auroc", "value")].iloc[0])
    performance = nannyml.CBPE(
        problem_type="classification_binary",
        y_pred_proba="score",
        y_pred="prediction",
        y_true="label",
        metrics=list(METRICS),
        calibration="isotonic",
        chunk_number=1,
    )
    performance.fit(reference)
    guesses = performance.estimate(window.drop(columns="label"))
    expected = guesses.filter(period="analysis").to_df()
    numbers |= {f"estimate:{name}": float(expected[(name, "value")].iloc[0]) for name in METRICS}
    print(json.dumps(numbers))


main()
