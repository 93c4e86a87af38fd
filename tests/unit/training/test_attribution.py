"""The mixed corners with real git and a plain command: whose code ran on whose data."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.config import parse_config
from assay.evidence import Event, Plan, StageState, Training
from assay.training.attribution import CornerRequest, Mixed, train_corner
from assay.training.pipeline import Tools
from assay.training.revisions import local_ends, read_plan
from support.consumers import Recorder, builder
from support.repositories import Sandbox

CONFIG = """\
version: 1
models:
  churn:
    environment: none
    predictions: p.csv
    train: {command: "sh train.sh"}
    data: {train: data/train.csv}
    gates: {accuracy: {margin: 0.01}}
    attribution: true
"""
TRAIN = "echo id,y > p.csv\necho {code},$(cat data/train.csv) >> p.csv\n"


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    made = Sandbox.make(tmp_path / "repository")
    made.commit(
        {
            "assay.yaml": CONFIG,
            "train.sh": TRAIN.format(code="old"),
            "data/train.csv": "old\n",
            "data/gone.csv": "x\n",
            ".gitignore": "p.csv\n",
        }
    )
    made.git("checkout", "--quiet", "-b", "topic")
    return made


def change_both(sandbox: Sandbox) -> None:
    (sandbox.root / "data" / "gone.csv").unlink()
    sandbox.commit({"train.sh": TRAIN.format(code="new"), "data/train.csv": "new\n"})


def planned(sandbox: Sandbox) -> Plan:
    return read_plan(
        sandbox.repository,
        Event(),
        local_ends(sandbox.repository, base=None, dirty=False),
        config=sandbox.root / "assay.yaml",
        from_work_tree=True,
    )


def run(sandbox: Sandbox, folder: Path, corner: Mixed) -> Training:
    plan = planned(sandbox)
    config = parse_config((sandbox.root / "assay.yaml").read_text())
    request = CornerRequest(
        planned=plan.models[0],
        plan=plan,
        head=config.models["churn"],
        configs=(config,),
        corner=corner,
        target=folder / corner,
        scratch=folder / "work-trees",
    )
    tools = Tools(builder=builder(sandbox.root, sandbox.home), transcript=Recorder())
    return train_corner(request, sandbox.repository, tools)


@pytest.mark.parametrize(("corner", "row"), [("code-only", "new,old"), ("data-only", "old,new")])
def test_each_corner_is_one_sides_code_on_the_others_data(
    sandbox: Sandbox, tmp_path: Path, corner: Mixed, row: str
) -> None:
    change_both(sandbox)
    made = run(sandbox, tmp_path, corner)
    assert (made.side, made.state) == (corner, StageState.PASSED), made.reason
    assert (tmp_path / corner / "predictions.csv").read_text() == f"id,y\n{row}\n"
    assert made.lineage.dirty, "no commit holds it: it is never the evidence of a tree"
    assert not (sandbox.root / "p.csv").exists()


def test_a_file_that_one_side_lacks_is_lacking_in_the_corner(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    change_both(sandbox)
    lists = "echo id,y > p.csv\necho $(ls data | tr -d '\\n'),1 >> p.csv\n"
    sandbox.commit({"train.sh": lists})
    run(sandbox, tmp_path, "code-only")
    kept = tmp_path / "code-only" / "predictions.csv"
    assert kept.read_text() == "id,y\ngone.csvtrain.csv,1\n"


def test_a_corner_that_fails_is_said_with_its_reason(sandbox: Sandbox, tmp_path: Path) -> None:
    change_both(sandbox)
    sandbox.commit({"train.sh": "grep -q new data/train.csv && cp data/train.csv p.csv\n"})
    made = run(sandbox, tmp_path, "code-only")
    assert made.state is StageState.FAILED
    assert made.reason


def test_changes_that_no_commit_holds_are_asked_to_be_committed(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    change_both(sandbox)
    (sandbox.root / "train.sh").write_text("exit 1\n")
    made = run(sandbox, tmp_path, "code-only")
    assert "commit them first" in (made.reason or "")


def test_the_plan_asks_for_it_where_both_change_and_nowhere_else(sandbox: Sandbox) -> None:
    assert not planned(sandbox).models[0].attribution
    sandbox.commit({"train.sh": TRAIN.format(code="new")})
    assert not planned(sandbox).models[0].attribution
    change_both(sandbox)
    assert planned(sandbox).models[0].attribution
    sandbox.git("checkout", "--quiet", "main")
    sandbox.commit({"assay.yaml": CONFIG.replace("attribution: true", "attribution: false")})
    sandbox.git("checkout", "--quiet", "-B", "topic")
    change_both(sandbox)
    assert not planned(sandbox).models[0].attribution, "the base's rules ask for it, or nobody"
