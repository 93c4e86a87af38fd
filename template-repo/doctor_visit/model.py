"""The models that params.yaml can name, and the matrix they learn from."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

HEALTH = {"excellent": 0, "good": 1, "fair": 2, "poor": 3}
FEATURES = (
    "coinsurance",
    "individual_deductible",
    "log_incentive",
    "log_max_expenditure",
    "limitation",
    "disease_index",
    "health",
    "first_year",
    "visits_last_year",
    "visits_mean_before",
)


def labelled(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out the rows whose label is not known: they teach and prove nothing."""
    return table[table["visit"].notna()]


def matrix(table: pd.DataFrame, features: list[str]) -> pd.DataFrame:
    """Select the features as floats; health becomes its rank, and unknown health the best."""
    unknown = sorted(set(features) - set(FEATURES))
    if unknown:
        raise ValueError(f"params.yaml: no such feature: {', '.join(unknown)}")
    ranked = table.assign(health=table["health"].map(HEALTH).fillna(0))
    return ranked[features].astype("float64")


def build(params: dict[str, Any]) -> Pipeline:
    """Make the untrained model that the train section of params.yaml describes."""
    if params["model"] == "gradient_boosting":
        boosting = params["gradient_boosting"]
        return make_pipeline(
            HistGradientBoostingClassifier(random_state=params["seed"], **boosting)
        )
    if params["model"] == "logistic_regression":
        regression = params["logistic_regression"]
        return make_pipeline(
            StandardScaler(), LogisticRegression(random_state=params["seed"], **regression)
        )
    raise ValueError(f"params.yaml: no such model: {params['model']}")
