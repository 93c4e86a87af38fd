"""Which commit a plan means by the anchor, and its predictions, with real git."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.evidence import BaseSource, Event, ModelPlan, Plan, StageState, Training
from assay.training.base import BaseRequest, resolve_base
from assay.training.pipeline import Tools
from assay.training.revisions import local_ends, read_plan
from support.consumers import Recorder, builder
from support.repositories import Sandbox


def config(anchor: str = "{ref: v1.2.0}", command: str = "cp rows.txt p.csv") -> str:
    return f"""\
version: 1
models:
  churn:
    environment: none
    predictions: p.csv
    train: {{command: {command}}}
    gates: {{accuracy: {{margin: 0.01}}}}
    anchor: {anchor}
"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """Three releases on main, the last one not yet released, and a topic."""
    made = Sandbox.make(tmp_path / "repository")
    made.commit({"README.md": "no configuration yet\n", ".gitignore": "p.csv\n"})
    made.git("tag", "v1.0.0")
    for version in ("v1.9.0", "v1.10.0-rc1", "v1.10.0", "v1.2.0"):
        made.commit({"assay.yaml": config(), "rows.txt": f"id,y\n1,{version}\n"})
        made.git("tag", version)
    made.commit({"rows.txt": "id,y\n1,main\n"})
    made.git("checkout", "--quiet", "-b", "topic")
    made.commit({"rows.txt": "id,y\n1,topic\n"})
    return made


def planned(sandbox: Sandbox) -> tuple[Plan, ModelPlan]:
    made = read_plan(
        sandbox.repository,
        Event(),
        local_ends(sandbox.repository, base=None, dirty=False),
        config=sandbox.root / "assay.yaml",
        from_work_tree=True,
    )
    return made, made.models[0]


def with_rule(sandbox: Sandbox, anchor: str) -> None:
    """Change the anchor on main, and start the topic again from there."""
    sandbox.git("checkout", "--quiet", "main")
    sandbox.commit({"assay.yaml": config(anchor)})
    sandbox.git("checkout", "--quiet", "-B", "topic")
    sandbox.commit({"rows.txt": "id,y\n1,topic\n"})


def resolve(sandbox: Sandbox, folder: Path) -> Training:
    plan, model = planned(sandbox)
    request = BaseRequest(
        planned=model,
        plan=plan,
        target=folder / "evidence" / "anchor",
        scratch=folder / "work-trees",
        side="anchor",
    )
    tools = Tools(builder=builder(sandbox.root, sandbox.home), transcript=Recorder())
    return resolve_base(request, sandbox.repository, tools, lambda _tree, _model: None)


@pytest.mark.parametrize(
    ("anchor", "name"),
    [
        ("{ref: v1.2.0}", "v1.2.0"),
        ("{ref: latest-release}", "v1.10.0"),
        ('{ref: latest-release, tag: "v1.9*"}', "v1.9.0"),
    ],
)
def test_the_anchor_is_sealed_as_a_commit_and_tree_of_the_bases_history(
    sandbox: Sandbox, anchor: str, name: str
) -> None:
    with_rule(sandbox, anchor)
    found = planned(sandbox)[1].anchor
    assert found is not None
    assert found.revision is not None
    assert found.name == name
    assert found.revision.commit == sandbox.git("rev-parse", f"{name}^{{commit}}")
    assert found.revision.tree == sandbox.git("rev-parse", f"{name}^{{tree}}")
    assert found.rules is not None


def test_a_commit_is_an_anchor_too_and_is_called_by_its_beginning(sandbox: Sandbox) -> None:
    commit = sandbox.git("rev-parse", "v1.9.0")
    with_rule(sandbox, f'{{ref: "{commit}"}}')
    found = planned(sandbox)[1].anchor
    assert found is not None
    assert found.name == commit[:12]


def test_the_anchor_that_the_head_names_does_not_count(sandbox: Sandbox) -> None:
    sandbox.commit({"assay.yaml": config("{ref: v1.9.0}")})
    found = planned(sandbox)[1].anchor
    assert found is not None
    assert found.name == "v1.2.0"


@pytest.mark.parametrize(
    ("anchor", "said"),
    [
        ("{ref: v9.9.9}", "git knows no v9.9.9 here"),
        ('{ref: latest-release, tag: "model-*"}', "no tag of the base's history matches model-*"),
        ("{ref: v1.0.0}", "v1.0.0 has no assay.yaml"),
        ("{ref: stray}", "stray is not in the base's history"),
    ],
)
def test_an_anchor_that_cannot_be_had_is_said_and_not_raised(
    sandbox: Sandbox, tmp_path: Path, anchor: str, said: str
) -> None:
    """The tag `stray` is set on a commit of the topic: its code was never merged."""
    with_rule(sandbox, anchor)
    sandbox.git("tag", "stray")
    found = planned(sandbox)[1].anchor
    assert found is not None
    assert (found.revision, found.missing) == (None, said)
    made = resolve(sandbox, tmp_path)
    assert (made.side, made.state, made.reason) == ("anchor", StageState.NOT_MEASURED, said)


def test_an_anchor_without_this_model_or_with_an_invalid_file_is_said(sandbox: Sandbox) -> None:
    sandbox.git("checkout", "--quiet", "main")
    sandbox.commit({"assay.yaml": config().replace("churn", "other")})
    sandbox.git("tag", "v2.0.0")
    sandbox.commit({"assay.yaml": "version: 1\nmodels: []\n"})
    sandbox.git("tag", "v3.0.0")
    with_rule(sandbox, "{ref: v2.0.0}")
    found = planned(sandbox)[1].anchor
    assert found is not None
    assert found.missing == "assay.yaml at v2.0.0 has no model churn"
    with_rule(sandbox, "{ref: latest-release}")
    found = planned(sandbox)[1].anchor
    assert found is not None
    assert "assay.yaml at v3.0.0 is invalid" in (found.missing or "")


def test_no_anchor_is_resolved_where_none_is_named_or_it_is_off(sandbox: Sandbox) -> None:
    with_rule(sandbox, "{ref: v1.2.0, severity: off}")
    assert planned(sandbox)[1].anchor is None
    with_rule(sandbox, "null")
    assert planned(sandbox)[1].anchor is None


def test_its_pipeline_runs_again_in_a_work_tree_outside_the_checkout(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    made = resolve(sandbox, tmp_path)
    assert (made.side, made.source) == ("anchor", BaseSource.RERUN), made.reason
    assert made.source_detail == "the anchor's pipeline, run again in a work tree of its own"
    kept = tmp_path / "evidence" / "anchor" / "predictions.csv"
    assert kept.read_text() == "id,y\n1,v1.2.0\n"
    assert made.lineage.commit == sandbox.git("rev-parse", "v1.2.0")
    assert not (sandbox.root / "p.csv").exists()
