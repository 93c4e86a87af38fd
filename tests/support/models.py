"""MLflow model directories that load in a moment and do what a test needs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from assay.rollout.target import Release

_LOADER = """
import json, time
import numpy as np
from pathlib import Path

def _load_pyfunc(path):
    return Probe(json.loads(Path(path).read_text()))

class Probe:
    def __init__(self, how):
        self.how = how

    def predict(self, data, params=None):
        time.sleep(self.how.get("sleep", 0))
        if self.how.get("raises"):
            raise RuntimeError("this model is broken")
        if "parity" in self.how:
            return (data["a"].to_numpy().astype(int) + self.how["parity"]) % 2
        return np.array([self.how["answer"]] * len(data))
"""

_TYPES = {str: "object", int: "int64", float: "float64"}


def probe_model(folder: Path, answer: object, **how: object) -> Release:
    """A bundle whose model answers ``answer`` to each row; ``sleep`` and ``raises`` change that.

    With ``parity`` it answers (a + parity) modulo 2.
    """
    model = folder / "model"
    (model / "code").mkdir(parents=True)
    (model / "code" / "assay_probe.py").write_text(_LOADER)
    (model / "how.json").write_text(json.dumps({"answer": answer, **how}))
    (model / "requirements.txt").write_text("mlflow-skinny\n")
    signature = {
        "inputs": json.dumps([{"name": "a", "type": "double", "required": True}]),
        "outputs": json.dumps(
            [{"type": "tensor", "tensor-spec": {"dtype": _TYPES[type(answer)], "shape": [-1]}}]
        ),
        "params": None,
    }
    (model / "MLmodel").write_text(
        json.dumps(
            {
                "flavors": {
                    "python_function": {
                        "code": "code",
                        "data": "how.json",
                        "loader_module": "assay_probe",
                        "python_version": "3.11.7",
                    }
                },
                "signature": signature,
            }
        )
    )
    digest = hashlib.sha256(json.dumps([str(folder), answer, how]).encode()).hexdigest()
    return Release(digest=digest, folder=folder)
