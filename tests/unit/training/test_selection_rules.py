"""What a selection may choose by: never what the gate judges with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from assay.config import Model
from assay.errors import InputError
from assay.git import Revision
from assay.training.apart import demand_apart
from assay.training.lineage import Checkout

SELECTION: dict[str, Any] = {
    "experiments": [{"train.depth": 3}],
    "metric": {"file": "validation.json", "key": "auc"},
    "direction": "maximize",
    "data": "validation",
}
JUDGED = frozenset({"p.csv", "data/test.csv"})


def model(selection: dict[str, Any], **fields: Any) -> Model:
    return Model.model_validate(
        {
            "predictions": "p.csv",
            "data": {"test": "data/test.csv"},
            "gates": {"accuracy": {"margin": 0.01}},
            "train": {"selection": {**SELECTION, **selection}},
            **fields,
        }
    )


def test_a_grid_is_every_combination_after_the_listed_ones_each_once() -> None:
    made = model({"grid": {"train.depth": [3, 5], "rate": [0.1]}, "experiments": [{"rate": 0.2}]})
    assert made.train.selection is not None
    assert made.train.selection.candidates == (
        {"rate": 0.2},
        {"train.depth": 3, "rate": 0.1},
        {"train.depth": 5, "rate": 0.1},
    )
    twice = model({"experiments": [{"a": 1}, {"a": 1}], "grid": {"a": [1, 2]}})
    assert twice.train.selection is not None
    assert twice.train.selection.candidates == ({"a": 1}, {"a": 2})


@pytest.mark.parametrize("file", ["p.csv", "data/test.csv"])
def test_the_gates_own_files_cannot_choose(file: str) -> None:
    with pytest.raises(ValidationError, match=f"{file} is what the gate judges by"):
        model({"metric": {"file": file, "key": "auc"}})


def test_a_number_that_the_gate_compares_cannot_choose() -> None:
    scalar = {"file": "validation.json", "key": "auc"}
    with pytest.raises(ValidationError, match=r"scalars\.auc compares the same number"):
        model({}, scalars={"auc": scalar})
    model({}, scalars={"auc": {**scalar, "severity": "off"}})
    model({}, scalars={"loss": {**scalar, "key": "loss"}})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"data": "test"}, "validation"),
        ({"experiments": []}, "name 0 experiments"),
        ({"grid": {"a": list(range(20)), "b": list(range(20))}}, "name 401 experiments"),
        ({"experiments": [{"a=b": 1}]}, "pattern"),
    ],
)
def test_a_selection_that_makes_no_sense_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        model(changed)


def test_a_selection_runs_dvcs_pipeline_and_no_command() -> None:
    with pytest.raises(ValidationError, match="leave command out"):
        model({}, train={"command": "python train.py", "selection": SELECTION})


def checkout(folder: Path) -> Checkout:
    return Checkout(root=folder, folder=folder, revision=Revision(commit="c" * 40, tree="t" * 40))


APART = """\
stages:
  split: {cmd: a, deps: [raw.csv], outs: [data/train.csv, data/valid.csv, data/test.csv]}
  train: {cmd: b, deps: [data/train.csv], outs: [model]}
  validate: {cmd: c, deps: [model, data/valid.csv], metrics: [validation.json: {cache: false}]}
  predict: {cmd: d, deps: [model, data/test.csv], outs: [p.csv]}
"""


def test_a_stage_that_reads_validation_data_alone_may_choose(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text(APART)
    demand_apart("validation.json", JUDGED, checkout(tmp_path))


@pytest.mark.parametrize(
    ("before", "after", "shared"),
    [
        ("[model, data/valid.csv]", "[model, data/test.csv]", "data/test.csv"),
        ("[model, data/valid.csv]", "[model, ./data/test.csv]", "data/test.csv"),
        ("[model, data/valid.csv]", "[model, p.csv]", "p.csv"),
        ("[model, data/valid.csv]", "[model, data]", "data/test.csv"),
        ("deps: [data/train.csv]", "deps: [data/train.csv, data/test.csv]", "data/test.csv"),
        ("data/test.csv], outs: [p.csv]", "x], outs: [p.csv], metrics: [other.json]", "p.csv"),
    ],
)
def test_a_stage_that_sees_the_test_set_may_not(
    tmp_path: Path, before: str, after: str, shared: str
) -> None:
    assert before in APART
    (tmp_path / "dvc.yaml").write_text(APART.replace(before, after))
    metric = "other.json" if "other" in after else "validation.json"
    with pytest.raises(InputError, match=f"has {shared}, by which the gate judges"):
        demand_apart(metric, JUDGED, checkout(tmp_path))


def test_a_templated_stage_is_known_by_its_lock(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text(APART.replace("data/valid.csv", "${valid}"))
    demand_apart("validation.json", JUDGED, checkout(tmp_path))
    (tmp_path / "dvc.lock").write_text(
        "schema: '2.0'\nstages:\n  validate:\n    cmd: c\n    deps: [{path: data/test.csv}]\n"
        "    outs: [{path: validation.json}]\n"
    )
    with pytest.raises(InputError, match=r"dvc\.lock: .* stage validate"):
        demand_apart("validation.json", JUDGED, checkout(tmp_path))
