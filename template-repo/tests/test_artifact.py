from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
import yaml
from sklearn.pipeline import Pipeline
from skops.io.exceptions import UntrustedTypesFoundException

from doctor_visit import artifact
from doctor_visit.model import build, matrix
from doctor_visit.params import read_params
from doctor_visit.prepare import add_history, add_label

ROOT = Path(__file__).parents[1]
# MLflow warns of its own use of pandas: nothing here can do anything about that.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def features(raw: pd.DataFrame) -> pd.DataFrame:
    params = read_params("train", ROOT / "params.yaml")
    table = add_label(add_history(raw)).reset_index(drop=True)
    return matrix(table, params["features"])


def trained(features: pd.DataFrame) -> Pipeline:
    params = read_params("train", ROOT / "params.yaml")
    return build(params).fit(features, np.arange(len(features)) % 2)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_equal_models_are_equal_bytes_and_predict_the_same(
    features: pd.DataFrame, tmp_path: Path
) -> None:
    model = trained(features)
    artifact.save(model, features.head(2), tmp_path / "one")
    artifact.save(trained(features), features.head(2), tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    loaded = artifact.load(tmp_path / "one")
    np.testing.assert_array_equal(loaded.predict_proba(features), model.predict_proba(features))


def test_the_directory_says_what_serves_it(features: pd.DataFrame, tmp_path: Path) -> None:
    artifact.save(trained(features), features.head(2), tmp_path / "model")
    described = yaml.safe_load((tmp_path / "model/MLmodel").read_text())
    assert described["flavors"]["python_function"]["predict_fn"] == "predict_proba"
    assert "utc_time_created" not in described
    needs = (tmp_path / "model/requirements.txt").read_text().split()
    assert [line.split("==")[0] for line in needs] == list(artifact.NEEDS)


def test_a_type_that_is_not_trusted_is_not_loaded(tmp_path: Path) -> None:
    folder: Any = tmp_path / "model"
    folder.mkdir()
    skops.io.dump({"run": Path.unlink}, folder / "model.skops")
    with pytest.raises(UntrustedTypesFoundException):
        artifact.load(folder)
