"""DVC's own files are read before DVC is run, from the model's folder up to its repository's."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import InputError
from assay.training.dvc_state import demand_readable

GOOD = {
    ".dvc/config": "[core]\n    remote = r\n['remote \"r\"']\n    url = ../r\n",
    "model/dvc.yaml": "stages:\n  a: {cmd: x}\n  b: {foreach: [1], do: {cmd: y}}\n",
    "model/dvc.lock": "schema: '2.0'\nstages:\n  a: {cmd: x}\n",
    "model/data/rows.csv.dvc": "outs:\n- path: rows.csv\n",
}


def written(root: Path, **changes: str) -> Path:
    for name, content in {**GOOD, **changes}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def test_what_dvc_can_read_passes(tmp_path: Path) -> None:
    demand_readable(written(tmp_path) / "model", tmp_path)


def test_a_folder_without_dvc_passes(tmp_path: Path) -> None:
    demand_readable(tmp_path, tmp_path)


def test_anchors_and_artifacts_without_stages_pass(tmp_path: Path) -> None:
    text = "vars: &v [1]\nplots: *v\nartifacts: {m: {path: m.joblib}}\n"
    demand_readable(written(tmp_path, **{"model/dvc.yaml": text}) / "model", tmp_path)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_conflict_is_named_from_the_root(name: str, tmp_path: Path) -> None:
    text = f"<<<<<<< ours\n{GOOD[name]}=======\n{GOOD[name]}>>>>>>> theirs\n"
    with pytest.raises(InputError) as raised:
        demand_readable(written(tmp_path, **{name: text}) / "model", tmp_path)
    assert raised.value.where is not None
    assert raised.value.where.file == name
    assert raised.value.where.line is not None
    assert raised.value.remedy


def test_a_repository_above_the_nearest_is_not_looked_at(tmp_path: Path) -> None:
    written(tmp_path, **{".dvc/config": "[broken\n", "model/.dvc/config": ""})
    demand_readable(tmp_path / "model", tmp_path)
