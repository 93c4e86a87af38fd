"""Quantile loss and SMAPE where their formula bends, and names that are no quantile's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.comparison import Asked, compare
from assay.config import Gate, Task
from assay.config.families import is_metric, metric_named
from support.predictions import regression, write_predictions


@pytest.mark.parametrize("name", ["0.9", ".5", "0.001", "0.99"])
def test_a_quantile_lies_between_0_and_1(name: str) -> None:
    assert metric_named(f"quantile_loss:{name}").parameter == name


@pytest.mark.parametrize("name", ["0", "1", "0.0", "1.5", "-0.1", "", "nan", "0.9 ", "COLUMN"])
def test_other_levels_are_no_metric(name: str) -> None:
    assert not is_metric(f"quantile_loss:{name}")


def test_it_gates_and_is_searched_by_slice(tmp_path: Path) -> None:
    base, head = regression(800)
    files = [
        write_predictions(tmp_path / f"{name}.parquet", columns)
        for name, columns in (("base", base), ("head", head))
    ]
    found = compare(*files, Asked(gates={"quantile_loss:0.9": Gate(margin=0.1)}))
    (measured,) = found.measurements[:1]
    assert (measured.metric, measured.higher_is_better) == ("quantile_loss:0.9", False)
    assert measured.interval is not None


def test_smape_counts_nothing_predicted_as_nothing_for_no_error(tmp_path: Path) -> None:
    label = np.tile([0.0, 0.0, 2.0, 4.0], 20)
    rows = {"id": np.arange(80), "y_true": label}
    files = [
        write_predictions(tmp_path / f"{name}.parquet", {**rows, "y_pred": prediction})
        for name, prediction in (("base", label), ("head", label + [0, 1, 0, 0] * 20))
    ]
    found = compare(*files, Asked(task=Task.REGRESSION, report=("smape",)))
    assert (found.measurements[0].base, found.measurements[0].head) == (0.0, 0.5)
