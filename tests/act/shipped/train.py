"""Trains nothing: right on as many of a thousand rows as skill.txt says.

The model that it writes fails for values above limit.txt. No test row has such a value; live
requests do: what passes offline is not always good.
"""

import csv
import json
from pathlib import Path

LOADER = """
import json
from pathlib import Path

import numpy as np


def _load_pyfunc(path):
    return Scores(json.loads(Path(path).read_text()))


class Scores:
    def __init__(self, known):
        self.known = known

    def predict(self, data, params=None):
        if (data["a"] > self.known["limit"]).any():
            raise ValueError("a value that training never saw")
        return np.full(len(data), self.known["skill"])
"""

skill = int(Path("skill.txt").read_text())
limit = float(Path("limit.txt").read_text())
with Path("predictions.csv").open("w", newline="") as file:
    rows = csv.writer(file)
    rows.writerow(["id", "y_true", "y_pred"])
    for number in range(1000):
        label = number % 2
        rows.writerow([number, label, label if (number * 7) % 1000 < skill else 1 - label])

folder = Path("model")
(folder / "code").mkdir(parents=True, exist_ok=True)
(folder / "code" / "scores_loader.py").write_text(LOADER)
(folder / "known.json").write_text(json.dumps({"skill": skill, "limit": limit}))
(folder / "requirements.txt").write_text("mlflow-skinny\n")
signature = {
    "inputs": json.dumps([{"name": "a", "type": "double", "required": True}]),
    "outputs": json.dumps([{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]),
    "params": None,
}
(folder / "input_example.json").write_text('{"columns": ["a"], "data": [[0.5], [0.1]]}')
(folder / "output_example.json").write_text(json.dumps([skill, skill]))
flavor = {
    "code": "code",
    "data": "known.json",
    "loader_module": "scores_loader",
    "python_version": "3.11.7",
}
described = {"flavors": {"python_function": flavor}, "signature": signature}
(folder / "MLmodel").write_text(json.dumps(described))
