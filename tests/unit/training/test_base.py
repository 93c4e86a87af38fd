from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.evidence import BaseSource, Event, Lineage, StageState, Training
from assay.git import Repository
from assay.training.base import BaseRequest, resolve_base
from assay.training.earlier import in_folder
from assay.training.outputs import keep_predictions
from assay.training.pipeline import Tools
from assay.training.revisions import local_ends, read_plan
from support.consumers import Recorder, builder
from support.repositories import Sandbox

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
CONFIG = """\
version: 1
models:
  churn:
    environment: none
    predictions: p.csv
    train: {command: "sh train.sh"}
    gates: {accuracy: {margin: 0.01}}
"""
BASE_ROWS = "id,y\n1,0\n"


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """The base trains by a script; the head changed it. Nothing trained is committed."""
    made = Sandbox.make(tmp_path / "repository")
    made.commit(
        {"assay.yaml": CONFIG, "train.sh": f"printf '{BASE_ROWS}' > p.csv\n", ".gitignore": "p.csv"}
    )
    made.git("checkout", "--quiet", "-b", "topic")
    made.commit({"train.sh": "printf 'id,y\\n1,1\\n' > p.csv\n"})
    return made


def resolve(
    sandbox: Sandbox,
    find: Callable[[str, str], Path | None] = lambda _tree, _model: None,
    name: str = "churn",
) -> tuple[Training, Recorder]:
    repository: Repository = sandbox.repository
    plan = read_plan(
        repository,
        Event(),
        local_ends(repository, base=None, dirty=False),
        config=sandbox.root / "assay.yaml",
        from_work_tree=True,
    )
    transcript = Recorder()
    tools = Tools(
        builder=builder(sandbox.root, sandbox.home), transcript=transcript, now=lambda: NOW
    )
    request = BaseRequest(
        planned=next(found for found in plan.models if found.name == name),
        plan=plan,
        target=sandbox.home / "evidence" / "churn" / "base",
        scratch=sandbox.home / "work-trees",
    )
    return resolve_base(request, repository, tools, find), transcript


def rows(sandbox: Sandbox, made: Training) -> str:
    assert made.predictions is not None
    return (sandbox.home / "evidence" / "churn" / "base" / made.predictions.file).read_text()


def check_clean(sandbox: Sandbox) -> None:
    assert not list((sandbox.home / "work-trees").iterdir())
    assert sandbox.git("worktree", "list").count("\n") == 0


def test_the_bases_pipeline_runs_again_in_a_work_tree_of_its_own(sandbox: Sandbox) -> None:
    made, transcript = resolve(sandbox)
    assert made.state is StageState.PASSED
    assert made.side == "base"
    assert made.source is BaseSource.RERUN
    assert rows(sandbox, made) == BASE_ROWS
    assert made.lineage.commit == sandbox.git("rev-parse", "main")
    assert not (sandbox.root / "p.csv").exists()
    assert any("stored outputs" in line for line in transcript.said)
    check_clean(sandbox)


def test_predictions_committed_at_the_base_are_taken_first(sandbox: Sandbox) -> None:
    sandbox.git("checkout", "--quiet", "main")
    sandbox.commit({".gitignore": "", "p.csv": BASE_ROWS})
    sandbox.git("checkout", "--quiet", "-b", "other")
    sandbox.commit({"p.csv": "id,y\n1,1\n"})
    made, _ = resolve(sandbox)
    assert made.source is BaseSource.FILE
    assert rows(sandbox, made) == BASE_ROWS
    committed = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert made.source_age_seconds == (NOW - committed).total_seconds()
    check_clean(sandbox)


def earlier(sandbox: Sandbox, folder: Path, **fields: object) -> str:
    """Leave evidence of an earlier run of the base in ``folder``; returns the base's tree."""
    tree = sandbox.git("rev-parse", "main^{tree}")
    place = folder / tree / "churn"
    source = folder / "p.csv"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text("id,y\n1,0.25\n")
    kept = keep_predictions(source, place)
    Training.model_validate(
        {
            "model": "churn",
            "side": "head",
            "state": StageState.PASSED,
            "started": "2026-03-04T04:06:07+00:00",
            "lineage": Lineage(tree=tree),
            "predictions": kept,
            **fields,
        }
    ).write(place)
    return tree


def test_earlier_evidence_of_the_same_tree_spares_the_run(sandbox: Sandbox, tmp_path: Path) -> None:
    earlier(sandbox, tmp_path / "earlier", scalars={"auc": 0.5})
    made, _ = resolve(sandbox, in_folder(tmp_path / "earlier"))
    assert made.source is BaseSource.EARLIER_EVIDENCE
    assert made.side == "base"
    assert made.source_age_seconds == 3600
    assert made.scalars == {"auc": 0.5}
    assert rows(sandbox, made) == "id,y\n1,0.25\n"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"lineage": Lineage(tree="f" * 40)}, "another tree"),
        ({"state": StageState.FAILED, "reason": "it broke"}, "it broke"),
        ({"predictions": None}, "no predictions"),
    ],
)
def test_evidence_that_is_not_the_bases_is_passed_over(
    sandbox: Sandbox, tmp_path: Path, fields: dict[str, object], why: str
) -> None:
    earlier(sandbox, tmp_path / "earlier", **fields)
    made, transcript = resolve(sandbox, in_folder(tmp_path / "earlier"))
    assert made.source is BaseSource.RERUN
    assert any(why in line for line in transcript.said)


def test_altered_predictions_are_passed_over(sandbox: Sandbox, tmp_path: Path) -> None:
    tree = earlier(sandbox, tmp_path / "earlier")
    (tmp_path / "earlier" / tree / "churn" / "predictions.csv").write_text("forged")
    made, transcript = resolve(sandbox, in_folder(tmp_path / "earlier"))
    assert made.source is BaseSource.RERUN
    assert any("do not match their digest" in line for line in transcript.said)


@pytest.mark.parametrize("tree", ["..", "../..", "", "a" * 39])
def test_a_tree_that_is_none_is_looked_for_nowhere(tmp_path: Path, tree: str) -> None:
    (tmp_path / "churn").mkdir()
    (tmp_path / "churn" / "training.json").write_text("{}")
    assert in_folder(tmp_path / "folder")(tree, "churn") is None


def test_where_nothing_works_every_reason_is_kept(sandbox: Sandbox) -> None:
    sandbox.git("checkout", "--quiet", "main")
    sandbox.commit({"train.sh": "echo no memory >&2; exit 1\n"})
    sandbox.git("checkout", "--quiet", "-b", "other")
    sandbox.commit({"train.sh": "true\n"})
    made, _ = resolve(sandbox)
    assert made.state is StageState.NOT_MEASURED
    assert made.source is BaseSource.NONE
    for part in ("stored outputs:", "earlier evidence:", "running it again:", "no memory"):
        assert part in (made.reason or "")
    assert made.reason == "; ".join(made.tried)
    check_clean(sandbox)


def test_a_new_model_has_no_base(sandbox: Sandbox) -> None:
    sandbox.commit({"assay.yaml": CONFIG + CONFIG.split("models:\n")[1].replace("churn", "fraud")})
    made, _ = resolve(sandbox, name="fraud")
    assert made.source is BaseSource.NONE
    assert "the base has no such model" in (made.reason or "")


def test_without_a_base_the_reason_is_the_plans(sandbox: Sandbox) -> None:
    sandbox.git("branch", "--move", "main", "trunk")
    made, _ = resolve(sandbox)
    assert made.source is BaseSource.NONE
    assert "no default branch was found" in (made.reason or "")


def test_the_base_is_made_by_its_own_rules(sandbox: Sandbox) -> None:
    sandbox.commit({"assay.yaml": CONFIG.replace("sh train.sh", "printf forged > p.csv")})
    made, _ = resolve(sandbox)
    assert rows(sandbox, made) == BASE_ROWS
