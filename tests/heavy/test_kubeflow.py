"""Training by Kubeflow Pipelines: the real SDK compiles, speaks, and runs what it compiled.

The server is a stand-in (tests/support/kubeflow_stand_in.py) that has the SDK's own local runner
execute each run. The pipeline is the one of docs/orchestrators.md.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.act.tools import Toolbox
from assay.evidence import StageState
from support.consumers import variables
from support.kubeflow_site import ROOT, Site, kubeflow_site, until
from support.orchestrated import Orchestrated
from support.repositories import Sandbox

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(1800), pytest.mark.xdist_group("kubeflow")]

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
      timeout: {timeout}
      seed: 1
      orchestrator:
        kind: kubeflow
        url: {url}
        pipeline: pipeline.py
        outputs: {outputs}/{{run}}
        poll: 0.5
        patience: 3
"""
SCRIPT = """\
touch {started}
while [ -e {hold} ]; do sleep 0.2; done
printf 'id,y\\n1,0\\n' > p.csv
echo a-model > model.txt
"""
TOKEN = "a-token-of-tests"


class Consumer(Orchestrated):
    """A repository with a pipeline, which runs fetch from by git."""

    secret = TOKEN

    def __init__(self, folder: Path, site: Site) -> None:
        self.site, self.folder = site, folder
        self.hold, self.started = folder / "hold", folder / "started"
        self.sandbox = Sandbox.make(folder / "repository")
        self.pipeline = self.documented("from kfp")
        self.secrets = ""
        self.commit(SCRIPT)

    def commit(self, script: str, pipeline: str | None = None, *, timeout: int = 900) -> None:
        self.sandbox.git("config", "uploadpack.allowAnySHA1InWant", "true")
        outputs = self.folder / "outputs"
        config = CONFIG.format(url=self.site.url, outputs=outputs, timeout=timeout)
        train = script.format(started=self.started, hold=self.hold)
        self.sandbox.commit(
            {"assay.yaml": config, "train.sh": train, "pipeline.py": pipeline or self.pipeline}
        )

    def start(self) -> subprocess.Popen[str]:
        cache = str(Toolbox.of(ROOT, {}, print).cache)
        more = {"PYTHONPATH": str(ROOT / "toolkit"), "ASSAY_TRAINING_SECRETS": self.secrets}
        return subprocess.Popen(
            [sys.executable, "-m", "assay", "train", "--environment-cache", cache],
            cwd=self.sandbox.root, env=variables(self.sandbox.home, **more), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def states(self) -> list[str]:
        return [run["state"] for run in self.site.runs()]


@pytest.fixture
def consumer(tmp_path: Path) -> Iterator[Consumer]:
    with kubeflow_site(tmp_path / "server") as site:
        yield Consumer(tmp_path, site)


def test_a_pipeline_trains_the_commit_and_its_outputs_are_fetched(consumer: Consumer) -> None:
    code, shown = consumer.train()
    assert code == 0, shown
    root = consumer.sandbox.root
    assert (root / ".assay/evidence/churn/predictions.csv").read_text() == "id,y\n1,0\n"
    run = consumer.run()
    assert run.commit == consumer.sandbox.git("rev-parse", "HEAD")
    assert not run.attached
    assert "[fit] succeeded" in shown
    code, shown = consumer.train()
    assert code == 0, shown
    assert consumer.run().attached
    assert consumer.run().run == run.run
    assert consumer.states() == ["SUCCEEDED"]


def test_a_lost_answer_and_a_killed_waiter_make_no_second_run(consumer: Consumer) -> None:
    (consumer.site.folder / "lose").touch()
    consumer.hold.touch()
    process = consumer.start()
    until(consumer.started.exists)
    process.kill()
    process.communicate()
    consumer.hold.unlink()
    code, shown = consumer.train()
    assert code == 0, shown
    assert not (consumer.site.folder / "lose").exists()
    assert consumer.run().attached
    assert consumer.states() == ["SUCCEEDED"]


def test_of_two_runs_that_were_made_at_once_the_first_one_stays(consumer: Consumer) -> None:
    """The second waiter does not see the first one's run when it looks, and makes another."""
    consumer.hold.touch()
    first = consumer.start()
    until(consumer.started.exists)
    (consumer.site.folder / "blind").touch()
    second = consumer.start()
    until(lambda: consumer.states() == ["RUNNING", "CANCELED"])
    consumer.hold.unlink()
    for process in (first, second):
        _, told = process.communicate(timeout=300)
        assert process.returncode == 0, told
    assert consumer.states() == ["SUCCEEDED", "CANCELED"]


def test_a_job_that_is_stopped_terminates_its_run(consumer: Consumer) -> None:
    consumer.hold.touch()
    process = consumer.start()
    until(consumer.started.exists)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=300)
    assert process.returncode == 130, told
    assert consumer.states() == ["CANCELED"]
    consumer.hold.unlink()
    code, shown = consumer.train()
    assert code == 0, shown
    assert consumer.run().run.endswith(".2")


def test_a_timeout_terminates_the_run(consumer: Consumer) -> None:
    consumer.commit(SCRIPT, timeout=20)
    consumer.hold.touch()
    code, shown = consumer.train()
    assert code == 1, shown
    assert "was stopped after 20 seconds" in (consumer.trained().reason or "")
    assert consumer.states() == ["CANCELED"]


def test_a_server_that_dies_is_said_and_its_run_is_found_again(consumer: Consumer) -> None:
    consumer.site.kill()
    code, shown = consumer.train()
    assert code == 3, shown
    assert "cannot be reached: no connection" in shown
    consumer.site.start()
    consumer.hold.touch()
    process = consumer.start()
    until(consumer.started.exists)
    consumer.site.kill()
    _, told = process.communicate(timeout=300)
    assert process.returncode == 3, told
    assert "attaches to it" in told
    consumer.site.start()
    consumer.hold.unlink()
    code, shown = consumer.train()
    assert code == 0, shown
    assert consumer.run().attached
    assert consumer.states() == ["SUCCEEDED"]


def test_outputs_that_are_missing_or_of_another_commit_are_refused(consumer: Consumer) -> None:
    code, shown = consumer.train()
    assert code == 0, shown
    (outputs,) = (consumer.folder / "outputs").iterdir()
    report = (outputs / "report.json").read_text()
    (outputs / "report.json").write_text(report.replace('"commit": "', '"commit": "0'))
    code, shown = consumer.train()
    assert code == 4, shown
    (outputs / "report.json").write_text(report)
    (outputs / "p.csv").unlink()
    code, shown = consumer.train()
    assert code == 3, shown
    assert "the run left no p.csv at" in shown
    shutil.rmtree(outputs)
    code, shown = consumer.train()
    assert code == 3, shown
    assert "names no commit" in shown


def test_a_task_that_fails_and_a_pipeline_that_is_wrong_say_so(consumer: Consumer) -> None:
    consumer.commit("exit 3\n")
    code, shown = consumer.train()
    assert code == 1, shown
    made = consumer.trained()
    assert made.state is StageState.FAILED
    assert "failed: task fit: " in (made.reason or "")
    consumer.commit(SCRIPT, pipeline=consumer.pipeline.replace("outputs", "place"))
    code, shown = consumer.train()
    assert code == 2, shown
    assert "the pipeline takes no outputs" in shown
    consumer.commit(SCRIPT, pipeline="import nothing_of_the_kind\n")
    code, shown = consumer.train()
    assert code == 2, shown
    assert "does not compile" in shown


def test_a_token_comes_from_the_declared_secret_alone(consumer: Consumer) -> None:
    (consumer.site.folder / "token").write_text(TOKEN)
    code, shown = consumer.train()
    assert code == 3, shown
    assert "does not let these credentials in (401)" in shown
    consumer.secrets = f"KUBEFLOW_TOKEN={TOKEN}\n"
    code, shown = consumer.train()
    assert code == 0, shown
