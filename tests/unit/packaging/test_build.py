"""Packaging: what a bundle holds, that it is the same each time, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assay.errors import InputError, IntegrityError, VerdictFailed
from assay.evidence import Override, Verdict, tree_digest
from assay.packaging.build import package
from assay.packaging.bundle import Bundle
from assay.verdict.decide import accept
from support.bundles import REPOSITORY, bundle, ingredients, put_model


def unsigned(folder: Path, signature: Path) -> None:
    signature.write_text("{}")


def test_a_bundle_holds_model_evidence_sbom_card_and_signature(tmp_path: Path) -> None:
    folder, made = bundle(tmp_path)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == {
        "README.md",
        "bundle.json",
        "evidence/churn/base/training.json",
        "evidence/churn/comparison.json",
        "evidence/churn/training.json",
        "evidence/plan.json",
        "evidence/verdict.json",
        "model.sig",
        "model/MLmodel",
        "model/model.skops",
        "model/requirements.txt",
        "sbom.cdx.json",
    }
    assert {one.file for one in made.files} == names - {"bundle.json", "model.sig"}
    assert (made.repository, made.tree, made.model) == (REPOSITORY, "1" * 40, "churn")
    assert made.model_digest == tree_digest(folder / "model")
    assert made.evidence_digest == tree_digest(folder / "evidence")
    assert made.verdict.sha256 == Verdict.read(folder / "evidence").digest()
    assert made.flavors == ("python_function", "sklearn")
    assert Bundle.read(folder) == made


def test_the_same_ingredients_give_the_same_bytes(tmp_path: Path) -> None:
    made = ingredients(tmp_path)
    first = package(made.wanted(output=tmp_path / "one"), unsigned)
    second = package(made.wanted(output=tmp_path / "two"), unsigned)
    assert first.digest() == second.digest()
    assert (tmp_path / "one/bundle.json").read_bytes() == (
        tmp_path / "two/bundle.json"
    ).read_bytes()


def test_who_accepted_a_failing_verdict_stands_in_the_bundle(tmp_path: Path) -> None:
    made = ingredients(tmp_path, wrong=90)
    override = Override(by="octo", label="assay-accept", at="2026-03-04T05:06:07Z")
    accept(Verdict.read(made.evidence), override).write(made.evidence)
    assert package(made.wanted(), unsigned).verdict.override == override


def test_data_digest_is_of_the_data_alone(tmp_path: Path) -> None:
    _, made = bundle(tmp_path / "one")
    assert made.data_digest != made.params_digest
    assert made.lineage.dvc["data:data/train.parquet"] == "1" * 32


def test_a_failing_verdict_is_not_packaged(tmp_path: Path) -> None:
    made = ingredients(tmp_path, wrong=120)
    with pytest.raises(VerdictFailed, match="verdict is fail") as refused:
        package(made.wanted(), unsigned)
    assert refused.value.exit_code == 1
    assert not made.folder.exists()


def test_another_artifact_is_refused(tmp_path: Path) -> None:
    made = ingredients(tmp_path)
    (made.artifact / "model.skops").write_bytes(b"another")
    with pytest.raises(IntegrityError, match="not the artifact that the verdict was about"):
        package(made.wanted(), unsigned)


def test_what_is_no_mlflow_directory_is_refused(tmp_path: Path) -> None:
    made = ingredients(tmp_path)
    (made.artifact / "MLmodel").unlink()
    with pytest.raises(InputError, match="no MLflow model directory") as refused:
        package(made.wanted(), unsigned)
    assert "save_model" in str(refused.value)
    with pytest.raises(InputError, match="no folder"):
        package(made.wanted(artifact=made.artifact / "model.skops"), unsigned)


@pytest.mark.parametrize("text", ["- a", "flavors: {}", "flavors: [", "a: !!python/object:os.x {}"])
def test_an_mlmodel_that_names_no_flavors_is_refused(tmp_path: Path, text: str) -> None:
    made = ingredients(tmp_path)
    (made.artifact / "MLmodel").write_text(text)
    with pytest.raises(InputError, match=r"flavors|YAML"):
        package(made.wanted(), unsigned)


def test_a_link_out_of_the_artifact_is_refused(tmp_path: Path) -> None:
    made = ingredients(tmp_path)
    (tmp_path / "secret").write_text("hunter22")
    (made.artifact / "extra").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match="neither a file nor a folder"):
        package(made.wanted(), unsigned)


def test_a_model_that_was_not_judged_is_refused(tmp_path: Path) -> None:
    made = ingredients(tmp_path)
    with pytest.raises(InputError, match="did not judge") as refused:
        package(made.wanted(model="fraud"), unsigned)
    assert "churn" in str(refused.value)


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    made = ingredients(tmp_path)
    made.folder.mkdir()
    with pytest.raises(InputError, match="something already"):
        package(made.wanted(), unsigned)
    assert list(made.folder.iterdir()) == []


def test_a_signer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    made = ingredients(tmp_path)

    def broken(folder: Path, signature: Path) -> None:
        raise InputError("no key")

    with pytest.raises(InputError, match="no key"):
        package(made.wanted(), broken)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evidence", "model"]


def test_a_pickle_in_the_artifact_is_carried_and_never_run(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    payload = b"cos\nsystem\n(S'touch " + str(trap).encode() + b"'\ntR."
    made = ingredients(tmp_path, payload=payload)
    package(made.wanted(), unsigned)
    assert not trap.exists()


def test_a_directory_without_requirements_asks_for_a_lock(tmp_path: Path) -> None:
    shutil.rmtree(put_model(tmp_path / "gone"))
    made = ingredients(tmp_path)
    lock = tmp_path / "lock.txt"
    lock.write_text("numpy==2.4.6 \\\n    --hash=sha256:" + "a" * 64 + "\n")
    package(made.wanted(lock=lock), unsigned)
    assert '"pkg:pypi/numpy@2.4.6"' in (made.folder / "sbom.cdx.json").read_text()
