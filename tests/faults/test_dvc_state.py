"""Broken DVC files, and pipelines that cannot be run, through ``assay train``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from faults.conftest import Case, Files, Place
from support.repositories import Sandbox

CONFIG = """version: 1
models:
  m:
    predictions: p.csv
    gates: {accuracy: {margin: 0.01}}
    environment: none
    tracking: {enabled: false}
"""
PIPELINE = "stages:\n  s:\n    cmd: cp rows.csv p.csv\n    deps: [rows.csv]\n    outs: [p.csv]\n"
LOCK = """schema: '2.0'
stages:
  s:
    cmd: cp rows.csv p.csv
    outs:
    - path: p.csv
      hash: md5
      md5: 0123456789abcdef0123456789abcdef
"""
GOOD: dict[str, str | bytes] = {
    "assay.yaml": CONFIG,
    "rows.csv": "id,y\n1,1\n",
    "dvc.yaml": PIPELINE,
    ".dvc/config": "",
}


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one commit, to be copied."""
    sandbox = Sandbox.make(tmp_path_factory.mktemp("dvc") / "work")
    sandbox.commit({".gitignore": "/p.csv\n"})
    return sandbox.root


def broken(file: str, content: str | bytes, *says: str, more: Files | None = None) -> Case:
    return Case(argv=("train",), files={**GOOD, **(more or {}), file: content}, says=(file, *says))


def configured(text: str, *says: str, argv: tuple[str, ...] = ("train",)) -> Case:
    return Case(argv=argv, files={**GOOD, "assay.yaml": CONFIG + text}, says=says)


CASES = {
    "dvc.yaml cut off": broken("dvc.yaml", "stages: [\n", "dvc.yaml:2: DVC cannot read this"),
    "dvc.yaml in conflict": broken(
        "dvc.yaml", f"<<<<<<< a\n{PIPELINE}=======\n>>>>>>> b\n", "it holds a merge conflict"
    ),
    "dvc.yaml as list": broken("dvc.yaml", "- a\n", "it is no mapping of keys to values"),
    "dvc.yaml empty": broken("dvc.yaml", "", "it is no mapping of keys to values"),
    "stages as list": broken("dvc.yaml", "stages: [a]\n", "`stages` is no mapping"),
    "a stage without cmd": broken("dvc.yaml", "stages: {s: {cmdd: x}}\n", "'s' has no cmd"),
    "a stage that is text": broken("dvc.yaml", "stages: {s: x}\n", "'s' has no cmd"),
    "dvc.yaml in Latin-1": broken("dvc.yaml", b"# \xe9\n", "it is not UTF-8 (byte 2)"),
    "dvc.lock in conflict": broken(
        "dvc.lock", f"<<<<<<< a\n{LOCK}=======\n>>>>>>> b\n", "merge conflict", "`dvc repro`"
    ),
    "dvc.lock cut off": broken("dvc.lock", LOCK[:60] + "{", "dvc.lock:", "not YAML"),
    "dvc.lock as list": broken("dvc.lock", "- a\n", "no mapping with `stages`", "`dvc repro`"),
    "dvc.lock empty": broken("dvc.lock", "", "the file is empty", "Restore it with git"),
    "dvc.lock of text": broken("dvc.lock", "stages: {s: x}\n", "dvc.lock"),
    "settings cut off": broken(".dvc/config", "[core\n", ".dvc/config:1: ", "no [section]"),
    "settings without value": broken(".dvc/config", "[core]\n = 3\n", ".dvc/config:2: "),
    "settings in UTF-16": broken(".dvc/config", b"\xff\xfe[\0", "it is not UTF-8 (byte 0)"),
    "a pointer cut off": broken("rows.csv.dvc", "outs: [\n", "rows.csv.dvc:2: DVC cannot read"),
    "a pointer in a folder": broken("data/a.csv.dvc", "x", "it is no mapping of keys to values"),
    "nothing to run": Case(
        argv=("train",),
        files={"assay.yaml": CONFIG},
        says=("assay.yaml: there is nothing to run", "Write train: {command: python train.py}"),
    ),
    "predictions of another kind": Case(
        argv=("train",),
        files={**GOOD, "assay.yaml": CONFIG.replace("p.csv", "p.pkl")},
        says=("p.pkl: predictions of the kind .pkl cannot be read", "Write one of .csv"),
    ),
    "no requirements": Case(
        argv=("train",),
        files={**GOOD, "assay.yaml": CONFIG.replace("none", "{requirements: r.txt}")},
        says=("r.txt: environment.requirements needs this file", "Commit it"),
    ),
    "no folder": configured("    path: no\n", "the model's path 'no' is no folder"),
    "secrets that are none": configured(
        "", "training-secrets:1: ", argv=("train", "--training-secrets", "hush")
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_broken_state(name: str, place: Place, repository: Path) -> None:
    shutil.copytree(repository, place.root, dirs_exist_ok=True)
    place.demand(CASES[name])


def test_no_repository(place: Place) -> None:
    place.demand(Case(argv=("train",), files=GOOD, says=("lies in no git repository",)))


def test_a_secret_is_never_part_of_a_message(place: Place, repository: Path) -> None:
    shutil.copytree(repository, place.root, dirs_exist_ok=True)
    place.write(GOOD)
    code, out, err = place.run("train", "--training-secrets", "hush-hush")
    assert code == 2
    assert "hush-hush" not in out + err
