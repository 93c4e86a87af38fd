"""The anchor and the mixed corners with real DVC: .dvc files, a remote, a run cache."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from assay.config import parse_config
from assay.evidence import BaseSource, Event, StageState
from assay.training.attribution import CornerRequest, train_corner
from assay.training.base import BaseRequest, resolve_base
from assay.training.pipeline import Tools
from assay.training.revisions import local_ends, read_plan
from support.consumers import Recorder, builder, variables
from support.repositories import Sandbox

pytestmark = pytest.mark.heavy

CONFIG = """\
version: 1
models:
  churn:
    environment: none
    predictions: p.csv
    gates: {accuracy: {margin: 0.01}}
    anchor: {ref: v1}
    attribution: true
"""
PIPELINE = """\
stages:
  prepare:
    cmd: cp data/raw.csv clean.csv
    deps: [data/raw.csv]
    outs: [clean.csv]
  train:
    cmd: cat train.txt clean.csv > p.csv
    deps: [train.txt, clean.csv]
    outs: [p.csv]
"""


class Consumer:
    """A DVC pipeline, pushed and released on main; the topic changes its code and its data."""

    def __init__(self, folder: Path) -> None:
        self.sandbox = Sandbox.make(folder / "repository")
        self.folder = folder
        self.sandbox.commit({"assay.yaml": CONFIG, "dvc.yaml": PIPELINE, "train.txt": "v1,"})
        self.dvc("init", "--quiet")
        self.dvc("remote", "add", "--quiet", "--default", "storage", str(folder / "storage"))
        self.state("v1,", "v1\n")
        self.sandbox.git("tag", "v1")
        self.state("base,", "base\n")
        self.sandbox.git("checkout", "--quiet", "-b", "topic")
        self.state("head,", "head\n")

    def dvc(self, *arguments: str) -> None:
        subprocess.run(
            ["dvc", *arguments],
            cwd=self.sandbox.root,
            env=variables(self.sandbox.home),
            check=True,
            capture_output=True,
        )

    def state(self, code: str, data: str) -> None:
        root = self.sandbox.root
        (root / "data").mkdir(exist_ok=True)
        (root / "data" / "raw.csv").write_text(data)
        (root / "train.txt").write_text(code)
        self.dvc("add", "--quiet", "data/raw.csv")
        self.dvc("repro", "--quiet")
        self.dvc("push", "--quiet", "--run-cache")
        self.sandbox.commit()

    def tools(self) -> Tools:
        own = builder(self.sandbox.root, self.sandbox.home)
        return Tools(builder=own, transcript=Recorder())


def test_the_corners_and_the_anchor_come_out_of_dvc(tmp_path: Path) -> None:
    consumer = Consumer(tmp_path)
    root, repository = consumer.sandbox.root, consumer.sandbox.repository
    ends = local_ends(repository, base=None, dirty=False)
    plan = read_plan(repository, Event(), ends, config=root / "assay.yaml", from_work_tree=True)
    (planned,) = plan.models
    assert planned.attribution
    config = parse_config(CONFIG)

    expected = {"code-only": "head,base\n", "data-only": "base,head\n"}
    for corner in ("code-only", "data-only"):
        request = CornerRequest(
            planned=planned,
            plan=plan,
            head=config.models["churn"],
            configs=(config,),
            corner=corner,
            target=tmp_path / "evidence" / corner,
            scratch=tmp_path / "work-trees",
        )
        made = train_corner(request, repository, consumer.tools())
        assert made.state is StageState.PASSED, made.reason
        kept = tmp_path / "evidence" / corner / "predictions.csv"
        assert kept.read_text() == expected[corner]
        again = train_corner(request, repository, consumer.tools())
        assert again.cache_hit, "the run cache answers the second time"

    anchor = BaseRequest(
        planned=planned,
        plan=plan,
        target=tmp_path / "evidence" / "anchor",
        scratch=tmp_path / "work-trees",
        side="anchor",
    )
    found = resolve_base(anchor, repository, consumer.tools(), lambda _tree, _model: None)
    assert found.source is BaseSource.DVC_OUTPUTS, found.reason
    assert (tmp_path / "evidence" / "anchor" / "predictions.csv").read_text() == "v1,v1\n"
    assert (root / "p.csv").read_text() == "head,head\n"
