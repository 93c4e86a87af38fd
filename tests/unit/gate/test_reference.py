"""The reference profile of a watched model, from its job through the gate into the bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.cli.edge import run
from assay.cli.plan import outputs_of
from assay.errors import IntegrityError
from assay.evidence import Outcome, Plan, Reference, file_digest, tree_digest
from assay.gate.assemble import assemble
from assay.gate.judge import judge, write
from assay.gate.verify import verify
from assay.packaging.build import Wanted, package
from assay.packaging.bundle import EVIDENCE
from assay.packaging.signing import sign_with_key
from assay.packaging.verify import verify_bundle
from support.bundles import HEAD_TREE, PRIVATE, REPOSITORY, TRUST, put_model
from support.evidence_folders import MODEL, plan, put_evidence, put_training, rows, rules

WATCHED = rules(monitoring={"logs": {"source": "logs"}})
CONFIG = """\
version: 1
models:
  churn:
    predictions: p.csv
    columns: {label: y_true, prediction: y_pred}
    gates: {accuracy: {margin: 0.05}}
    monitoring: {logs: {source: logs}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Evidence of a watched model, with predictions in the work tree as training left them."""
    evidence = tmp_path / "evidence"
    put_evidence(evidence, base=rows(400), head=rows(400), made=plan(judged_by=WATCHED))
    (tmp_path / "assay.yaml").write_text(CONFIG)
    (tmp_path / "p.csv").write_bytes((evidence / MODEL / "predictions.csv").read_bytes())
    return evidence


def profile(folder: Path) -> Reference:
    config = folder.parent / "assay.yaml"
    assert run(["reference", "--config", str(config), "--evidence", str(folder)]) == 0
    return Reference.read(folder / MODEL)


def test_the_profile_names_what_was_judged_and_the_verdict_names_the_profile(folder: Path) -> None:
    made = profile(folder)
    digest = file_digest(folder / MODEL / "predictions.csv")
    assert made.inputs == {"predictions.csv": digest}
    models, verdict = judge(Plan.read(folder), folder)
    assert verdict.state is Outcome.PASS
    assert models[0].reference == made
    assert verdict.inputs[f"{MODEL}/reference.json"] == file_digest(folder / MODEL / Reference.FILE)
    write(folder, Plan.read(folder), models, verdict)
    changed = made.model_copy(update={"quality": {"accuracy": 0.1}})
    changed.write(folder / MODEL)
    with pytest.raises(IntegrityError, match=r"verdict\.json was made from"):
        verify(folder)


def test_a_watched_model_without_its_profile_warns(folder: Path) -> None:
    _, verdict = judge(Plan.read(folder), folder)
    assert verdict.state is Outcome.WARN
    (said,) = [stage.message for stage in verdict.stages if stage.decides]
    assert "no reference profile was made" in said


@pytest.mark.parametrize("wrong", ["another model's", "of other predictions"])
def test_a_profile_of_anything_else_is_refused(folder: Path, wrong: str) -> None:
    made = profile(folder)
    if wrong == "another model's":
        made.model_copy(update={"model": "fraud"}).write(folder / MODEL)
    else:
        put_training(folder, rows(400, wrong=4))
    with pytest.raises(IntegrityError, match="not the profile of the predictions"):
        judge(Plan.read(folder), folder)


def test_the_gate_takes_it_out_of_the_heads_artifact_alone(folder: Path, tmp_path: Path) -> None:
    profile(folder)
    artifacts = tmp_path / "artifacts"
    for kind in ("head", "base"):
        place = artifacts / f"assay-{kind}-{MODEL}-1"
        place.mkdir(parents=True)
        (place / Reference.FILE).write_bytes((folder / MODEL / Reference.FILE).read_bytes())
    corner = artifacts / f"assay-head-{MODEL}-1" / "code-only"
    corner.mkdir()
    (corner / Reference.FILE).write_text("{}")
    assemble(artifacts, tmp_path / "gate")
    found = sorted(path.relative_to(tmp_path / "gate") for path in (tmp_path / "gate").rglob("*.*"))
    assert found == [Path(MODEL, Reference.FILE)]


def test_the_bundle_keeps_it_with_the_version(folder: Path, tmp_path: Path) -> None:
    artifact = put_model(tmp_path / "model")
    put_training(folder, rows(400), model_digest=tree_digest(artifact))
    made = profile(folder)
    models, verdict = judge(Plan.read(folder), folder)
    write(folder, Plan.read(folder), models, verdict)
    output = tmp_path / "bundle"
    wanted = Wanted(evidence=folder, artifact=artifact, output=output, repository=REPOSITORY)
    bundled = package(wanted, _sign)
    assert bundled.tree == HEAD_TREE
    assert Reference.read(output / EVIDENCE / MODEL) == made
    verify_bundle(output, TRUST, REPOSITORY)
    (output / EVIDENCE / MODEL / Reference.FILE).write_text("{}")
    with pytest.raises(IntegrityError, match="tampered"):
        verify_bundle(output, TRUST, REPOSITORY)


def _sign(folder: Path, signature: Path) -> None:
    sign_with_key(folder, signature, PRIVATE)


def test_the_plan_asks_for_it_where_the_head_is_watched() -> None:
    assert '"reference":true' in outputs_of(plan(judged_by=WATCHED))["models"]
    assert "reference" not in outputs_of(plan())["models"]
    made = plan()
    proposed = made.models[0].model_copy(update={"proposed": WATCHED})
    after = made.model_copy(update={"models": (proposed,)})
    assert '"reference":true' in outputs_of(after)["models"]
