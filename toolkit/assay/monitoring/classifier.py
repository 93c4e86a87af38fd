"""Tell two sets of rows apart: ``python classifier.py request.npz result.npz``.

A script of its own for an environment of its own (requirements/classifier.txt): the toolkit starts
it and never imports it, and it imports nothing of the toolkit.

The request has ``comparisons``, how many there are, and ``categories``, bool of shape (k,). Of each
``<n>.rows``, float64 of shape (r, k), NaN where a value is missing, codes from 0 for categories;
``<n>.now``, bool of shape (r,); ``<n>.tested``, bool of shape (r,), the rows that are not learned
from; and ``<n>.importance``, a bool. The result has ``<n>.scores``, float64 of shape (tested,), how
sure it is that a row is of now; and ``<n>.importance``, float64 of shape (k,), by how much the area
under the ROC curve falls when a column of the tested rows is shuffled (Breiman 2001, "Random
Forests"), or of shape (0,) where it is not asked for.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any


def main(request_file: str, result_file: str) -> None:
    """Fit and score each comparison; write the result by rename."""
    numpy = import_module("numpy")
    with numpy.load(request_file, allow_pickle=False) as request:
        given = {name: request[name] for name in request.files}
    result: dict[str, Any] = {}
    for place in range(int(given["comparisons"])):
        rows, now, tested = (given[f"{place}.{name}"] for name in ("rows", "now", "tested"))
        model = _fitted(rows[~tested], now[~tested], given["categories"])
        result[f"{place}.scores"] = model.predict_proba(rows[tested])[:, 1]
        importance = numpy.zeros(0)
        if given[f"{place}.importance"]:
            inspection = import_module("sklearn.inspection")
            importance = inspection.permutation_importance(
                model, rows[tested], now[tested], scoring="roc_auc", n_repeats=2, random_state=0
            ).importances_mean
        result[f"{place}.importance"] = importance
    aside = Path(f"{result_file}.part")
    with aside.open("wb") as stream:
        numpy.savez(stream, **result)
    aside.replace(result_file)


def _fitted(rows: Any, now: Any, categories: Any) -> Any:
    """Boosted trees over histograms: they see interactions, take missing values, and are quick."""
    ensemble = import_module("sklearn.ensemble")
    model = ensemble.HistGradientBoostingClassifier(
        categorical_features=categories,
        max_iter=100,
        max_leaf_nodes=15,
        min_samples_leaf=20,
        early_stopping=True,
        validation_fraction=0.2,
        n_iter_no_change=20,
        random_state=0,
    )
    return model.fit(rows, now)


if __name__ == "__main__":
    main(*sys.argv[1:3])
