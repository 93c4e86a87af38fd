"""Artifacts become one evidence folder; whatever is not evidence stays behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import IntegrityError
from assay.gate.assemble import assemble, latest_artifacts


def put(root: Path, name: str, **files: str) -> None:
    (root / name).mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (root / name / file.replace("__", ".")).write_text(text)


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    root = tmp_path / "artifacts"
    put(root, "assay-plan-1", plan__json="plan")
    put(root, "assay-base-churn-1", training__json="base", predictions__parquet="b")
    put(root, "assay-head-churn-1", training__json="old", predictions__csv="old")
    put(root, "assay-head-churn-2", training__json="new", tests__json="t", predictions__csv="h")
    return root


def tree(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()
    }


def test_each_job_s_files_land_under_their_model(artifacts: Path, tmp_path: Path) -> None:
    assemble(artifacts, tmp_path / "evidence")
    assert tree(tmp_path / "evidence") == {
        "plan.json": "plan",
        "churn/training.json": "new",
        "churn/tests.json": "t",
        "churn/predictions.csv": "h",
        "churn/base/training.json": "base",
        "churn/base/predictions.parquet": "b",
    }


def test_a_later_attempt_of_one_job_takes_the_others_from_the_earlier(artifacts: Path) -> None:
    attempts = {(item.kind, item.model): item.attempt for item in latest_artifacts(artifacts)}
    assert attempts == {("plan", None): 1, ("base", "churn"): 1, ("head", "churn"): 2}


def test_what_is_no_evidence_is_left_behind(artifacts: Path, tmp_path: Path) -> None:
    put(artifacts, "assay-head-churn-2", verdict__json="mine", report__md="mine", x__sh="rm")
    put(artifacts, "assay-head-..-9", training__json="escape")
    put(artifacts, "other", training__json="other")
    assemble(artifacts, tmp_path / "evidence")
    found = tree(tmp_path / "evidence")
    assert not {"churn/verdict.json", "churn/report.md", "churn/x.sh"} & set(found)
    assert "escape" not in found.values()


def test_the_head_s_artifact_cannot_bring_a_base(artifacts: Path, tmp_path: Path) -> None:
    put(artifacts / "assay-head-churn-2", "base", training__json="forged")
    assemble(artifacts, tmp_path / "evidence")
    assert tree(tmp_path / "evidence")["churn/base/training.json"] == "base"


def test_a_link_is_refused(artifacts: Path, tmp_path: Path) -> None:
    (artifacts / "assay-head-churn-2" / "data.json").symlink_to("/etc/hostname")
    with pytest.raises(IntegrityError, match="link"):
        assemble(artifacts, tmp_path / "evidence")


def test_no_artifacts_make_no_evidence(tmp_path: Path) -> None:
    assemble(tmp_path / "nothing", tmp_path / "evidence")
    assert not (tmp_path / "evidence").exists()


def test_an_artifact_of_an_attempt_that_is_still_to_come_is_refused(artifacts: Path) -> None:
    put(artifacts, "assay-base-churn-9", training__json="forged")
    with pytest.raises(IntegrityError, match="assay-base-churn-9: this is attempt 2"):
        latest_artifacts(artifacts, attempt=2)


@pytest.mark.parametrize("name", ["base", "head", "plan", "m-1", "1", "base-1", "carried"])
def test_no_name_of_a_model_takes_another_place(tmp_path: Path, name: str) -> None:
    root = tmp_path / "artifacts"
    put(root, "assay-plan-2", plan__json="plan")
    put(root, f"assay-base-{name}-2", training__json="base")
    put(root, f"assay-head-{name}-2", training__json="head")
    assemble(root, tmp_path / "evidence", attempt=2)
    assert tree(tmp_path / "evidence") == {
        "plan.json": "plan",
        f"{name}/training.json": "head",
        f"{name}/base/training.json": "base",
    }
