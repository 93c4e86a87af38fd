"""A consumer whose model a stand-in for Airflow trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assay.config import Model
from assay.evidence import Training
from assay.training.lineage import Checkout
from assay.training.pipeline import Job, Tools, train
from support.airflow_stand_in import PASSWORD, StandIn
from support.consumers import Recorder, builder
from support.repositories import Sandbox

ROWS = "id,y\n1,0\n"
SECRETS = {"AIRFLOW_USERNAME": "assay", "AIRFLOW_PASSWORD": PASSWORD}


class Site:
    """A repository, a folder that runs leave outputs in, and a stand-in for Airflow."""

    def __init__(self, folder: Path, airflow: StandIn) -> None:
        self.sandbox = Sandbox.make(folder / "repository")
        self.commit = self.sandbox.commit({"train.py": "pass\n"})
        self.airflow, self.outputs = airflow, folder / "outputs"
        self.outputs.mkdir()
        (self.outputs / "p.csv").write_text(ROWS)
        self.transcript = Recorder()
        self.secrets = SECRETS
        airflow.report = {"commit": self.commit, "data": {"train.csv": "abc"}}

    def train(self, timeout: float = 60, dirty: bool = False, **changed: Any) -> Training:
        orchestrator = {
            "kind": "airflow", "url": self.airflow.url, "dag": "train", "poll": 0.01,
            "patience": 1.0, "conf": {"queue": "gpu"}, "outputs": str(self.outputs), **changed,
        }  # fmt: skip
        model = Model.model_validate(
            {
                "predictions": "p.csv",
                "gates": {"accuracy": {"margin": 0.01}},
                "train": {"orchestrator": orchestrator, "timeout": timeout, "seed": 7},
            }
        )
        tools = Tools(
            builder=builder(self.sandbox.root, self.sandbox.home, self.secrets),
            transcript=self.transcript,
        )
        revision = self.sandbox.repository.resolve("HEAD")
        root = self.sandbox.root
        checkout = Checkout(root=root, folder=root, revision=revision, dirty=dirty)
        target = self.sandbox.home / "evidence"
        return train(
            Job(name="churn", model=model, side="head", checkout=checkout, target=target), tools
        )
