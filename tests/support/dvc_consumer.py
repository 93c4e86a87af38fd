"""A consumer whose pipeline is DVC's, with real storage beside it."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from assay.config import Config, parse_config
from assay.evidence import Event, Training
from assay.training.base import BaseRequest, resolve_base
from assay.training.lineage import Checkout
from assay.training.pipeline import Job, Tools, train
from assay.training.revisions import local_ends, read_plan
from support.consumers import Recorder, builder, variables
from support.repositories import Sandbox

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
CONFIG = """\
version: 1
models:
  churn:
    environment: none
    predictions: p.csv
    artifact: model.txt
    data: {test: data/test.csv}
    scalars: {auc: {file: m.json, key: auc}}
    gates: {accuracy: {margin: 0.01}}
"""
PIPELINE = """\
stages:
  prepare:
    cmd: cp raw.csv data/test.csv
    deps: [raw.csv]
    outs: [data/test.csv]
  train:
    cmd: cat train.txt data/test.csv > model.txt; cp model.txt p.csv; echo '{"auc":0.5}' > m.json
    deps: [train.txt, data/test.csv]
    params: [depth]
    outs: [model.txt, p.csv]
    metrics: [m.json]
"""


class Consumer:
    """A DVC pipeline, trained and pushed on main; the head changes what it trains from."""

    def __init__(self, folder: Path) -> None:
        self.sandbox = Sandbox.make(folder / "repository")
        self.storage = folder / "storage"
        self.evidence = folder / "evidence"
        self.transcript = Recorder()
        files = {
            "assay.yaml": CONFIG,
            "dvc.yaml": PIPELINE,
            "params.yaml": "depth: 3\n",
            "raw.csv": "id,y\n1,0\n",
            "train.txt": "first\n",
            "data/.gitkeep": "",
        }
        self.sandbox.commit(files)
        self.dvc("init", "--quiet")
        self.dvc("remote", "add", "--quiet", "--default", "storage", str(self.storage))
        self.dvc("repro", "--quiet")
        self.dvc("push", "--quiet", "--run-cache")
        self.sandbox.commit()
        self.sandbox.git("checkout", "--quiet", "-b", "topic")
        self.sandbox.commit({"train.txt": "second\n"})

    @property
    def root(self) -> Path:
        return self.sandbox.root

    @property
    def config(self) -> Config:
        return parse_config((self.root / "assay.yaml").read_text())

    def dvc(self, *arguments: str) -> None:
        subprocess.run(
            ["dvc", *arguments],
            cwd=self.root,
            env=variables(self.sandbox.home),
            check=True,
            capture_output=True,
        )

    def forget_cache(self) -> None:
        """Leave what a fresh checkout would have: the remote alone holds the outputs."""
        shutil.rmtree(self.root / ".dvc" / "cache", ignore_errors=True)
        for name in ("model.txt", "p.csv", "m.json", "data/test.csv"):
            (self.root / name).unlink(missing_ok=True)

    def tools(self) -> Tools:
        self.transcript = Recorder()
        return Tools(
            builder=builder(self.root, self.sandbox.home),
            transcript=self.transcript,
            now=lambda: NOW,
        )

    def train(self) -> Training:
        checkout = Checkout(
            root=self.root, folder=self.root, revision=self.sandbox.repository.resolve("HEAD")
        )
        model = self.config.models["churn"]
        job = Job(name="churn", model=model, side="head", checkout=checkout, target=self.evidence)
        return train(job, self.tools())

    def base(self) -> Training:
        repository = self.sandbox.repository
        plan = read_plan(
            repository,
            Event(),
            local_ends(repository, base=None, dirty=False),
            config=self.root / "assay.yaml",
            from_work_tree=True,
        )
        request = BaseRequest(
            planned=plan.models[0],
            plan=plan,
            target=self.evidence / "base",
            scratch=self.evidence / "work-trees",
        )
        return resolve_base(request, repository, self.tools(), lambda _tree, _model: None)

    def base_rows(self) -> str:
        return (self.evidence / "base" / "predictions.csv").read_text()
