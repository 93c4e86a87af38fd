"""The base's data files, out of git and out of DVC's local cache."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.git import Repository
from assay.training.base_data import place_base_data
from support.repositories import Sandbox, git_variables

NAMES = ("data/train.csv", "data/test.csv", "data.schema.yaml")
DIGEST = "ab" + "0" * 30


def cached(sandbox: Sandbox, digest: str, content: str, version: str = "files/md5") -> None:
    path = sandbox.root / ".dvc/cache" / version / digest[:2] / digest[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    sandbox = Sandbox.make(tmp_path / "repo")
    (sandbox.root / ".dvc").mkdir()
    (sandbox.root / ".dvc/config").write_text("")
    return sandbox


def placed(sandbox: Sandbox, folder: str = "churn") -> dict[str, str]:
    """Commit what lies there, change it, and fetch the base's files."""
    sandbox.git("add", "--all")
    commit = sandbox.commit({"note": "base"})
    sandbox.commit({f"{folder}/data/train.csv": "head"})
    target = sandbox.root.parent / "base"
    repository = Repository(sandbox.root, git_variables(sandbox.home))
    for _ in range(2):
        place_base_data(repository, commit, folder=folder, names=NAMES, target=target)
    return {name: (target / name).read_text() for name in NAMES if (target / name).exists()}


def test_committed_files(sandbox: Sandbox) -> None:
    sandbox.commit({"churn/data/train.csv": "base", "churn/data.schema.yaml": "version: 1"})
    assert placed(sandbox) == {"data/train.csv": "base", "data.schema.yaml": "version: 1"}


@pytest.mark.parametrize("version", ["files/md5", "."])
def test_outputs_of_a_pipeline(sandbox: Sandbox, version: str) -> None:
    lock = f"""
schema: '2.0'
stages:
  prepare:
    cmd: x
    outs:
    - path: data/train.csv
      md5: {DIGEST}
    - path: data/test.csv
      md5: {"cd" + "1" * 30}
"""
    sandbox.commit({"churn/dvc.lock": lock})
    cached(sandbox, DIGEST, "from the cache", version)
    assert placed(sandbox) == {"data/train.csv": "from the cache"}


def test_tracked_files_and_folders(sandbox: Sandbox) -> None:
    listing = [{"md5": DIGEST, "relpath": "train.csv"}, {"md5": "no", "relpath": "test.csv"}]
    folder = "ef" + "2" * 30 + ".dir"
    cached(sandbox, folder, json.dumps(listing))
    cached(sandbox, DIGEST, "in a folder")
    sandbox.commit({"churn/data.dvc": f"outs:\n- md5: {folder}\n  path: data\n"})
    assert placed(sandbox) == {"data/train.csv": "in a folder"}


@pytest.mark.parametrize(
    "pointer", ["outs: 3", "outs: []", "- a", "outs:\n- md5: ../../../../etc/passwd", "\t", ""]
)
def test_broken_pointers_lead_nowhere(sandbox: Sandbox, pointer: str) -> None:
    sandbox.commit({"churn/data/train.csv.dvc": pointer, "churn/dvc.lock": "stages: 7"})
    assert placed(sandbox) == {}
