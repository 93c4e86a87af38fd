"""The base's model where it has to be made again, by the server that its own rules name."""

from __future__ import annotations

from pathlib import Path

from assay.evidence import BaseSource, Event
from assay.training.base import BaseRequest, resolve_base
from assay.training.pipeline import Tools
from assay.training.revisions import local_ends, read_plan
from support.airflow_consumers import ROWS, SECRETS, Site
from support.consumers import builder

BASE = """\
version: 1
models:
  churn:
    environment: none
    predictions: p.csv
    gates: {{accuracy: {{margin: 0.01}}}}
    train:
      orchestrator: {{kind: airflow, url: "{url}", dag: train, outputs: {outputs}, poll: 0.01}}
"""


def test_the_base_is_trained_there_as_well_from_its_own_commit(site: Site, tmp_path: Path) -> None:
    sandbox = site.sandbox
    config = BASE.format(url=site.airflow.url, outputs=site.outputs)
    base = sandbox.commit({"assay.yaml": config})
    sandbox.git("checkout", "--quiet", "-b", "topic")
    sandbox.commit({"train.py": "changed\n"})
    site.airflow.report = {"commit": base}
    plan = read_plan(
        sandbox.repository,
        Event(),
        local_ends(sandbox.repository, base=None, dirty=False),
        config=sandbox.root / "assay.yaml",
        from_work_tree=True,
    )
    request = BaseRequest(
        planned=plan.models[0], plan=plan, target=tmp_path / "base", scratch=tmp_path / "trees"
    )
    tools = Tools(builder=builder(sandbox.root, sandbox.home, SECRETS), transcript=site.transcript)
    made = resolve_base(request, sandbox.repository, tools, lambda _tree, _model: None)
    assert made.source is BaseSource.RERUN, made.reason
    assert made.orchestrated is not None
    assert made.orchestrated.commit == base
    assert (tmp_path / "base" / "predictions.csv").read_text() == ROWS
    assert not (sandbox.root / "p.csv").exists()
