"""`assay train` with experiments: real DVC, its queue and workers, and a real MLflow store."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from assay.evidence import ModelSelection, StageState, Training
from support.consumers import variables
from support.repositories import Sandbox
from support.waiting import until

pytestmark = pytest.mark.heavy

CONFIG = """\
version: 1
models:
  churn:
    environment: none
    tests: null
    predictions: p.csv
    artifact: model.txt
    data: {test: test.csv}
    gates: {accuracy: {margin: 0.01}}
    train:
      timeout: 600
      selection:
        experiments: [{depth: 9}]
        grid: {depth: [3, 4, 5], kind: ["a,b"]}
        metric: {file: validation.json, key: auc}
        direction: maximize
        data: validation
"""
PIPELINE = """\
stages:
  train:
    cmd: python train.py
    deps: [train.py, train.csv]
    params: [depth, kind]
    outs: [model.txt]
    metrics: [{validation.json: {cache: false}}]
  predict:
    cmd: cp model.txt p.csv
    deps: [model.txt, test.csv]
    outs: [p.csv]
"""
SCRIPT = """\
import json, os, pathlib, time, yaml
given = yaml.safe_load(open("params.yaml"))
depth = given["depth"]
with open(os.environ["HOME"] + "/runs", "a") as runs:
    runs.write(f"{depth}\\n")
while depth == 5 and pathlib.Path(os.environ["HOME"], "hold").exists():
    time.sleep(0.1)
assert depth != 9, "too deep"
assert given["kind"] in ("a,b", "plain")
open("model.txt", "w").write(f"{depth} {given['kind']}\\n")
json.dump({"auc": 1 - (depth - 4) ** 2 / 100}, open("validation.json", "w"))
"""
ASSAY = (sys.executable, "-m", "assay")


class Consumer:
    """A DVC pipeline whose model is best at a depth of 4."""

    def __init__(self, folder: Path) -> None:
        self.sandbox = Sandbox.make(folder / "repository")
        self.sandbox.commit(
            {
                "assay.yaml": CONFIG,
                "dvc.yaml": PIPELINE,
                "params.yaml": "depth: 1\nkind: plain\n",
                "train.py": SCRIPT,
                "train.csv": "id,y\n1,0\n",
                "test.csv": "id,y\n2,0\n",
            }
        )
        self.run("dvc", "init", "--quiet")
        self.sandbox.commit()

    @property
    def root(self) -> Path:
        return self.sandbox.root

    @property
    def environ(self) -> dict[str, str]:
        path = str(Path(__file__).resolve().parents[3] / "toolkit")
        known = variables(self.sandbox.home, PYTHONPATH=path)
        # Nobody's name for commits: a runner's git has none either.
        return {
            name: value
            for name, value in known.items()
            if not name.startswith(("GIT_AUTHOR", "GIT_COMMITTER"))
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            arguments, cwd=self.root, env=self.environ, capture_output=True, text=True, check=False
        )

    def start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*ASSAY, "train"],
            cwd=self.root,
            env=self.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def trained(self) -> Training:
        return Training.read(self.root / ".assay/evidence/churn")

    def runs(self) -> list[str]:
        file = self.sandbox.home / "runs"
        return sorted(file.read_text().split()) if file.exists() else []


@pytest.fixture
def consumer(tmp_path: Path) -> Consumer:
    return Consumer(tmp_path)


def selection_of(made: Training) -> ModelSelection:
    assert made.selection is not None
    return made.selection


def test_the_best_on_validation_data_goes_to_the_gate(consumer: Consumer) -> None:
    done = consumer.run(*ASSAY, "train")
    assert done.returncode == 0, done.stderr
    made = consumer.trained()
    assert made.state is StageState.PASSED
    assert (consumer.root / ".assay/evidence/churn/predictions.csv").read_text() == "4 a,b\n"
    chosen = selection_of(made)
    by_depth = {each.params["depth"]: each for each in chosen.experiments}
    assert {depth: each.value for depth, each in by_depth.items()} == {
        "9": None, "3": 0.99, "4": 1.0, "5": 0.99,
    }  # fmt: skip
    assert by_depth["4"].name == chosen.chosen
    assert by_depth["9"].reason
    assert made.lineage.params == {"depth": "4", "kind": "a,b"}
    assert not made.cache_hit
    assert "chosen of 4 experiments by validation.json:auc on validation data: depth=4" in (
        done.stdout
    )
    assert consumer.runs() == ["3", "4", "5", "9"]
    _each_is_tracked(consumer, chosen)


def _each_is_tracked(consumer: Consumer, chosen: ModelSelection) -> None:

    client = MlflowClient(f"sqlite:///{consumer.root}/.assay/mlflow.db")
    experiment = client.get_experiment_by_name("churn")
    assert experiment is not None
    runs = [
        run
        for run in client.search_runs([experiment.experiment_id])
        if "assay.selection" in run.data.tags
    ]
    found = {
        run.data.params["depth"]: (
            run.data.tags["assay.selection"], run.data.metrics.get("auc"), run.info.status,
        )
        for run in runs
    }  # fmt: skip
    assert found == {
        "9": ("tried", None, "FAILED"),
        "3": ("tried", 0.99, "FINISHED"),
        "4": ("chosen", 1.0, "FINISHED"),
        "5": ("tried", 0.99, "FINISHED"),
    }
    assert all((each.tracking or "").startswith("MLflow run ") for each in chosen.experiments)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_search_goes_on_where_it_stopped(consumer: Consumer, number: int) -> None:
    """Killed while its last experiment runs: that one is run again, by itself, and no other."""
    config = (consumer.root / "assay.yaml").read_text()
    consumer.sandbox.commit({"assay.yaml": config.replace("[{depth: 9}]", "[]")})
    hold = consumer.sandbox.home / "hold"
    hold.touch()
    process = consumer.start()
    try:
        until(lambda: "5" in consumer.runs(), seconds=240)
        process.send_signal(number)
        assert process.wait(120) == (130 if number == signal.SIGTERM else -signal.SIGKILL)
        if number == signal.SIGTERM:
            until(lambda: not _workers(consumer.root))
        process = consumer.start()
        until(lambda: consumer.runs().count("5") == 2, seconds=240)
        assert len(_training(consumer.root)) == 1
        hold.unlink()
        assert process.wait(600) == 0
    finally:
        process.kill()
        process.wait()
        hold.unlink(missing_ok=True)
    assert consumer.runs() == ["3", "4", "5", "5"]
    experiments = selection_of(consumer.trained()).experiments
    assert {each.params["depth"]: each.reused for each in experiments} == {
        "3": True, "4": True, "5": False,
    }  # fmt: skip
    until(lambda: not _workers(consumer.root), seconds=240)


def test_a_metric_of_the_test_set_is_refused_before_anything_runs(consumer: Consumer) -> None:
    pipeline = PIPELINE.replace("[train.py, train.csv]", "[train.py, train.csv, test.csv]")
    consumer.sandbox.commit({"dvc.yaml": pipeline})
    done = consumer.run(*ASSAY, "train")
    assert done.returncode == 2
    assert "comes from stage train, which has test.csv" in done.stderr
    assert not consumer.runs()


def test_no_experiment_with_a_number_is_a_failure_with_its_reason(consumer: Consumer) -> None:
    consumer.sandbox.commit({"train.py": SCRIPT.replace("depth != 9", "depth > 9")})
    done = consumer.run(*ASSAY, "train")
    assert done.returncode == 1, done.stderr
    made = consumer.trained()
    assert made.state is StageState.FAILED
    assert "none of 4 experiments has a number in validation.json" in (made.reason or "")
    assert made.predictions is None


def _workers(root: Path) -> list[str]:
    """Processes of the queue that still work in the repository."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            folder = str((entry / "cwd").readlink())
        except OSError:
            continue
        if folder == str(root) or folder.startswith(f"{root}/"):
            found.append(entry.name)
    return found


def _training(root: Path) -> list[str]:
    """Those of them that are the pipeline's own command."""
    commands = {name: Path("/proc", name, "cmdline") for name in _workers(root)}
    return [
        name
        for name, command in commands.items()
        if command.exists() and command.read_bytes().split(b"\0")[:2] == [b"python", b"train.py"]
    ]
