"""Bundles as delivery meets them: a judged evidence folder, an MLflow directory, a signature.

The model's file is no model: nothing here may load it. A real one is in the template's tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import yaml

from assay.config.delivery import Keyless
from assay.evidence import Lineage, tree_digest
from assay.gate.run import Request, run_gate
from assay.github.settings import read_settings
from assay.packaging.build import Wanted, package
from assay.packaging.bundle import Bundle
from assay.packaging.keys import PublicKey, Trusted, new_key
from assay.packaging.signing import sign_with_key
from support.evidence_folders import HEAD_TREE, MODEL, plan, put_training, rows

REPOSITORY = "octo/churn"
PRIVATE, PUBLIC = new_key()
TRUST = Trusted(keys=(PublicKey.parse(PUBLIC, name="keys/own.pub"),))
REQUIREMENTS = "mlflow==3.17.2\nscikit-learn==1.9.1\nskops==0.14.0\n"
ML_MODEL = {
    "flavors": {
        "python_function": {"loader_module": "mlflow.sklearn", "python_version": "3.11.7"},
        "sklearn": {"pickled_model": "model.skops", "serialization_format": "skops"},
    },
    "mlflow_version": "3.17.2",
    "signature": {
        "inputs": '[{"type": "double", "name": "age", "required": true}]',
        "outputs": '[{"type": "long", "required": true}]',
    },
}


@dataclass(frozen=True)
class Made:
    """What a bundle was, or can be, made from."""

    evidence: Path
    artifact: Path
    folder: Path

    def wanted(self, **changes: object) -> Wanted:
        """What ``package`` is asked."""
        given = {
            "evidence": self.evidence,
            "artifact": self.artifact,
            "output": self.folder,
            "repository": REPOSITORY,
        }
        return Wanted(**{**given, **changes})  # type: ignore[arg-type]


def put_model(folder: Path, *, payload: bytes = b"not a pickle", **changes: object) -> Path:
    """Write an MLflow model directory whose model is no model."""
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text(yaml.safe_dump({**ML_MODEL, **changes}))
    (folder / "requirements.txt").write_text(REQUIREMENTS)
    (folder / "model.skops").write_bytes(payload)
    return folder


def ingredients(
    folder: Path,
    *,
    wrong: int = 0,
    payload: bytes = b"not a pickle",
    artifact: Path | None = None,
) -> Made:
    """Write evidence that the gate judged, and the artifact it is about; nothing is packaged."""
    artifact = artifact or put_model(folder / "model", payload=payload)
    evidence = folder / "evidence"
    plan().write(evidence)
    put_training(evidence, rows(400), side="base")
    lineage = Lineage(
        commit="a" * 40,
        tree=HEAD_TREE,
        dvc={"data:data/train.parquet": "1" * 32, "code:train.py": "2" * 32},
        params={"depth": "3"},
    )
    digest = tree_digest(artifact)
    put_training(evidence, rows(400, wrong=wrong), model_digest=digest, lineage=lineage)
    run_gate(Request(evidence=evidence, publisher="file"), read_settings({}), say=lambda _: None)
    return Made(evidence, artifact, folder / "bundle")


def bundle(folder: Path, *, private: bytes = PRIVATE, **changes: object) -> tuple[Path, Bundle]:
    """Package and sign a model that passed; return the folder and its document."""
    made = ingredients(folder)
    done = package(made.wanted(**changes), partial(_sign, private))
    return made.folder, done


def _sign(private: bytes, folder: Path, signature: Path) -> None:
    sign_with_key(folder, signature, private)


def resigned(folder: Path, private: bytes = PRIVATE) -> None:
    """Sign a changed bundle again: what remains wrong then is no matter of the signature."""
    (folder / "model.sig").unlink(missing_ok=True)
    sign_with_key(folder, folder / "model.sig", private)


KEYLESS = Keyless(
    workflow="assay-ml/assay/.github/workflows/deliver.yml@refs/tags/v0.1.0",
    repository=REPOSITORY,
)
__all__ = ["HEAD_TREE", "MODEL"]
