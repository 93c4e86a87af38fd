"""The trained model on disk: an MLflow model directory, equal models as equal bytes.

skops rather than a pickle: whoever loads it names the types that may come out, and nothing runs.
MLflow and skops both write the moment, a random id or an address in memory into their files. A
verdict is about these very bytes and DVC's cache goes by them, so all of that is taken out.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skops.io
import yaml
from sklearn.pipeline import Pipeline

TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]
NEEDS = ("mlflow-skinny", "numpy", "pandas", "scikit-learn", "scipy", "skops")
_MODEL = "model.skops"
_WHEN_AND_WHERE = ("model_id", "model_size_bytes", "model_uuid", "utc_time_created")
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)


def save(model: Pipeline, example: pd.DataFrame, folder: Path) -> None:
    """Write ``model`` into ``folder``; ``example`` are rows to try a server with."""
    import mlflow.sklearn  # takes seconds, and only training needs it
    from mlflow.models import infer_signature

    shutil.rmtree(folder, ignore_errors=True)
    mlflow.sklearn.save_model(
        model,
        folder,
        serialization_format="skops",
        skops_trusted_types=TRUSTED,
        pyfunc_predict_fn="predict_proba",
        signature=infer_signature(example, np.asarray(model.predict_proba(example))),
        input_example=example,
        pip_requirements=[f"{name}=={version(name)}" for name in NEEDS],
    )
    _settle_skops(folder / _MODEL)
    _settle_description(folder / "MLmodel")


def load(folder: Path) -> Pipeline:
    """Return the model in ``folder``; raises where it holds a type that is not trusted."""
    return skops.io.load(folder / _MODEL, trusted=TRUSTED)


def _settle_description(path: Path) -> None:
    described = yaml.safe_load(path.read_text(encoding="utf-8"))
    kept = {name: value for name, value in described.items() if name not in _WHEN_AND_WHERE}
    path.write_text(yaml.safe_dump(kept, sort_keys=True), encoding="utf-8")


def _settle_skops(path: Path) -> None:
    """Write a skops file again, with its addresses in memory replaced by their order."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    numbers: dict[str, int] = {}

    def number(address: str) -> int:
        return numbers.setdefault(address, len(numbers))

    def renamed(name: str) -> str:
        address, _, ending = name.partition(".")
        return f"{number(address)}.{ending}"

    def settled(node: Any) -> Any:
        if isinstance(node, list):
            return [settled(one) for one in node]
        if not isinstance(node, dict):
            return node
        found = {}
        for key, value in node.items():
            if key == "__id__":
                found[key] = number(str(value))
            else:
                found[key] = renamed(value) if key == "file" else settled(value)
        return found

    schema = settled(json.loads(files.pop("schema.json")))
    arrays = {renamed(name): content for name, content in files.items()}
    ordered = [("schema.json", json.dumps(schema, indent=2).encode()), *sorted(arrays.items())]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in ordered:
            archive.writestr(zipfile.ZipInfo(name, _FIRST_DAY), content, zipfile.ZIP_DEFLATED)
