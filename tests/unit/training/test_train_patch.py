"""What a retraining hands over, with real DVC: its dvc.lock once all of it is in the remote."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from assay.cli.edge import run
from support.consumers import variables
from support.repositories import Sandbox
from support.retrainings import lock

pytestmark = pytest.mark.heavy

CONFIG = """\
version: 1
models:
  churn:
    path: models/churn
    environment: none
    predictions: p.csv
    tracking: {enabled: false}
    gates: {accuracy: {margin: 0.01}}
    train: TRAIN
"""
PIPELINE = """\
stages:
  train:
    cmd: cp train.txt p.csv
    deps: [train.txt]
    outs: [p.csv]
"""
SELECTION = (
    "{selection: {experiments: [{depth: 3}], metric: {file: m.json, key: auc}, "
    "direction: maximize, data: validation}}"
)


class Consumer:
    """A model in a folder of a repository, whose outputs go to a DVC remote on this machine."""

    def __init__(self, folder: Path) -> None:
        self.sandbox = Sandbox.make(folder / "repository")
        self.root, self.storage = self.sandbox.root, folder / "storage"
        self.model = self.root / "models/churn"
        self.patch = folder / "patch"
        files = {"dvc.yaml": PIPELINE, "train.txt": "id,y\n1,0\n"}
        self.sandbox.commit({f"models/churn/{name}": text for name, text in files.items()})
        self.configure("{command: dvc repro}")

    def configure(self, train: str) -> None:
        self.sandbox.commit({"assay.yaml": CONFIG.replace("TRAIN", train)})

    def dvc(self, *words: str) -> None:
        subprocess.run(
            ["dvc", *words], cwd=self.root, env=variables(self.sandbox.home), check=True,
            capture_output=True,
        )  # fmt: skip

    def with_remote(self, storage: Path) -> None:
        self.dvc("init", "--quiet")
        self.dvc("remote", "add", "--quiet", "--default", "storage", str(storage))
        self.sandbox.commit()

    def train(self, *more: str) -> int:
        return run(["train", "--evidence", str(self.root / ".assay/e"), "--patch",
                    str(self.patch), *more])  # fmt: skip


@pytest.fixture
def consumer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Consumer:
    made = Consumer(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_EVENT_NAME", "GITHUB_OUTPUT", "RUNNER_TEMP"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables(made.sandbox.home).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(made.root)
    made.patch.mkdir()
    (made.patch / "dvc.lock").write_text(lock("e" * 32))
    return made


def test_the_lock_is_handed_over_under_its_path_once_the_remote_has_what_it_names(
    consumer: Consumer,
) -> None:
    consumer.with_remote(consumer.storage)
    assert consumer.train() == 0
    made = consumer.model / "dvc.lock"
    (handed,) = [path for path in consumer.patch.rglob("*") if path.is_file()]
    assert handed == consumer.patch / "models/churn/dvc.lock", "an earlier patch is gone"
    assert handed.read_bytes() == made.read_bytes()
    held = [path for path in (consumer.storage / "files/md5").rglob("*") if path.is_file()]
    assert [path.read_text() for path in held] == ["id,y\n1,0\n"]


def test_a_remote_that_takes_nothing_hands_nothing_over(
    consumer: Consumer, capsys: pytest.CaptureFixture[str]
) -> None:
    consumer.storage.write_text("a file where DVC wants a folder")
    consumer.with_remote(consumer.storage)
    assert consumer.train() == 3
    assert "`dvc push` failed" in (said := capsys.readouterr().err)
    assert "dvc-credentials" in said
    assert list(consumer.patch.rglob("*")) == []


def test_a_training_that_fails_hands_nothing_over(consumer: Consumer) -> None:
    consumer.with_remote(consumer.storage)
    consumer.sandbox.commit({"models/churn/dvc.yaml": PIPELINE.replace("cp train", "cp absent")})
    assert consumer.train() == 1
    assert not consumer.patch.exists()
    assert consumer.train("--exit-zero") == 0
    assert not consumer.patch.exists()


@pytest.mark.parametrize("linked", [False, True], ids=["none", "a link"])
def test_a_pipeline_that_left_no_lock_is_refused(
    consumer: Consumer, capsys: pytest.CaptureFixture[str], linked: bool
) -> None:
    consumer.with_remote(consumer.storage)
    consumer.configure("{command: cp train.txt p.csv}")
    if linked:
        (consumer.model / "dvc.lock").symlink_to(consumer.model / "dvc.yaml")
    assert consumer.train() == 2
    assert "models/churn/dvc.lock: the pipeline left no dvc.lock" in capsys.readouterr().err
    assert not consumer.patch.exists()


@pytest.mark.parametrize(
    ("train", "words"),
    [
        (
            "{command: touch p.csv}",
            ".dvc/config: there is no DVC remote, so nobody could fetch the retrained model",
        ),
        (SELECTION, "a selection changes parameters as well"),
    ],
    ids=["no remote", "a selection"],
)
def test_what_could_not_be_handed_over_is_refused_before_anything_is_trained(
    consumer: Consumer, capsys: pytest.CaptureFixture[str], train: str, words: str
) -> None:
    consumer.configure(train)
    assert consumer.train() == 2
    assert words in capsys.readouterr().err
    assert not (consumer.model / "p.csv").exists()
    assert not consumer.patch.exists()
