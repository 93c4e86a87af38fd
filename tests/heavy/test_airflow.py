"""Training by a real Airflow: the DAG of docs/orchestrators.md, real git and real DVC."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.evidence import StageState
from support.airflow_site import PASSWORD, ROOT, Site, airflow_site, until
from support.consumers import variables
from support.orchestrated import Orchestrated
from support.repositories import Sandbox

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(1800), pytest.mark.xdist_group("airflow")]

DAG = "train_churn"
CONFIG = """\
version: 1
models:
  churn:
    environment: none
    tests: null
    predictions: p.csv
    artifact: model.txt
    gates: {{accuracy: {{margin: 0.01}}}}
    train:
      timeout: 900
      seed: {seed}
      orchestrator:
        kind: airflow
        url: {url}
        dag: train_churn
        outputs: dvc
        report: train
        poll: 0.5
        patience: {patience}
"""
PIPELINE = """\
stages:
  train:
    cmd: sh train.sh
    deps: [train.sh, train.csv]
    outs: [model.txt, p.csv]
"""
SCRIPT = """\
echo training started
touch {hold}.{seed}
while [ -e {hold} ]; do sleep 0.2; done
cp train.csv model.txt
cp train.csv p.csv
echo training ended
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with airflow_site(tmp_path_factory.mktemp("airflow") / "home") as site:
        yield site


@pytest.fixture(scope="module")
def kept(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Consumer:
    return Consumer(tmp_path_factory.mktemp("consumer"), site)


@pytest.fixture
def consumer(kept: Consumer) -> Consumer:
    """The consumer as it is committed; what came along in an earlier test was not."""
    kept.hold.unlink(missing_ok=True)
    kept.sandbox.git("reset", "--hard", "--quiet")
    kept.sandbox.git("clean", "--force", "--quiet", "-d", "--exclude=.assay")
    return kept


class Consumer(Orchestrated):
    """A repository that Airflow fetches from, its DVC remote, and the DAG of the documentation."""

    secret = PASSWORD

    def __init__(self, folder: Path, site: Site) -> None:
        self.site = site
        self.hold = folder / "hold"
        self.sandbox = Sandbox.make(folder / "repository")
        storage = folder / "storage"
        self.sandbox.commit({"dvc.yaml": PIPELINE, "train.csv": "id,y\n1,0\n"})
        self.dvc("init", "--quiet")
        self.dvc("remote", "add", "--quiet", "--default", "storage", str(storage))
        self.sandbox.commit(message="a remote")
        self.sandbox.git("config", "uploadpack.allowAnySHA1InWant", "true")
        (site.dags / "train.py").write_text(self.documented("airflow"))
        until(lambda: site.has(DAG))

    def dvc(self, *arguments: str) -> None:
        subprocess.run(
            ["dvc", *arguments],
            cwd=self.sandbox.root, env=self.environ, check=True, capture_output=True,
        )  # fmt: skip

    def commit(self, seed: int, *, patience: float = 300, script: str = SCRIPT) -> None:
        """Commit what is another order for every seed, since the runs of one are shared."""
        config = CONFIG.format(url=self.site.url, seed=seed, patience=patience)
        train = script.format(hold=self.hold, seed=seed)
        self.sandbox.commit({"assay.yaml": config, "train.sh": train})

    @property
    def environ(self) -> dict[str, str]:
        secret = f"AIRFLOW_USERNAME=assay\nAIRFLOW_PASSWORD={PASSWORD}\n"
        more = {"PYTHONPATH": str(ROOT / "toolkit"), "ASSAY_TRAINING_SECRETS": secret}
        return variables(self.sandbox.home, **more)

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "assay", "train"],
            cwd=self.sandbox.root, env=self.environ, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def states(self, seed: int) -> list[str]:
        """The states of the runs of one order."""
        runs = self.site.runs(DAG)
        return [run["state"] for run in runs if run["conf"]["assay"]["seed"] == seed]

    def training(self, seed: int) -> bool:
        """Whether the command of an order has started, which then waits for ``hold`` to go."""
        return self.hold.with_name(f"{self.hold.name}.{seed}").exists()

    def running(self) -> list[str]:
        """The ids of runs whose tasks run."""
        every = f"/dags/{DAG}/dagRuns/~/taskInstances"
        answer = self.site.ask("GET", every, params={"state": "running"}).json()
        return [task["dag_run_id"] for task in answer["task_instances"]]


def test_a_dag_trains_the_commit_and_the_outputs_come_by_dvc(consumer: Consumer) -> None:
    consumer.commit(seed=1)
    code, shown = consumer.train()
    assert code == 0, shown
    root = consumer.sandbox.root
    assert (root / ".assay/evidence/churn/predictions.csv").read_text() == "id,y\n1,0\n"
    made, run = consumer.trained(), consumer.run()
    assert run.commit == consumer.sandbox.git("rev-parse", "HEAD") == made.lineage.commit
    assert not run.attached
    assert {"data:train.csv", "out:p.csv"} <= made.lineage.dvc.keys()
    assert made.model_digest
    # Each line of the task's log once.
    assert shown.count("[train] training started") == 1
    assert shown.count("[train] training ended") == 1
    # What came along is in the work tree, and is no change of anybody's.
    code, shown = consumer.train()
    assert code == 0, shown
    assert consumer.run().attached
    assert consumer.run().run == run.run
    assert consumer.states(1) == ["success"]
    (root / "train.csv").write_text("id,y\n1,1\n")
    code, shown = consumer.train()
    assert code == 2, shown
    assert "trains what is committed, and the work tree has changes (train.csv)" in shown


def test_a_waiter_that_is_killed_leaves_one_run_to_attach_to(consumer: Consumer) -> None:
    consumer.commit(seed=2)
    consumer.hold.touch()
    process = consumer.start()
    until(lambda: consumer.training(2))
    process.kill()
    process.communicate()
    consumer.hold.unlink()
    code, shown = consumer.train()
    assert code == 0, shown
    assert consumer.run().attached
    assert consumer.states(2) == ["success"]


def test_a_job_that_is_stopped_cancels_its_run(consumer: Consumer) -> None:
    consumer.commit(seed=3)
    consumer.hold.touch()
    process = consumer.start()
    until(lambda: consumer.training(3))
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    until(lambda: consumer.states(3) == ["failed"] and not consumer.running())
    consumer.hold.unlink()
    code, shown = consumer.train()
    assert code == 0, shown
    assert consumer.run().run.endswith(".2")
    assert sorted(consumer.states(3)) == ["failed", "success"]


def test_a_server_that_dies_while_it_is_waited_for(consumer: Consumer) -> None:
    consumer.commit(seed=4, patience=2)
    consumer.hold.touch()
    process = consumer.start()
    until(lambda: consumer.training(4))
    consumer.site.kill("api-server")
    _, told = process.communicate(timeout=300)
    assert process.returncode == 3, told
    assert "cannot be reached" in told
    assert "attaches to it" in told
    consumer.site.start("api-server")
    until(consumer.site.answers)
    consumer.hold.unlink()
    code, shown = consumer.train()
    assert code == 0, shown
    assert consumer.run().attached
    assert consumer.states(4) == ["success"]


def test_a_pipeline_that_fails_says_why(consumer: Consumer) -> None:
    consumer.commit(seed=5, script="echo no more rows; exit 3\n")
    code, shown = consumer.train()
    assert code == 1, shown
    made = consumer.trained()
    assert made.state is StageState.FAILED
    assert "failed: task train: " in (made.reason or "")
    assert "exit status" in (made.reason or "")
    assert "[train] " in shown
