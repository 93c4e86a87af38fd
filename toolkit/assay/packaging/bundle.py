"""``bundle.json``: what a bundle holds, and what it was made from.

The SHA-256 of this document is the bundle's *artifact digest*: it names every other file with its
SHA-256, so whoever pins that digest pins all of the bundle. The signature is over every file but
itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from assay.config.types import ModelName, RelativePath
from assay.evidence import Digest, Document, Lineage, Outcome, Override, Part

MODEL = "model"
EVIDENCE = "evidence"
CARD = "README.md"
SBOM = "sbom.cdx.json"
SIGNATURE = "model.sig"


class BundleFile(Part):
    """One file of the bundle, from its folder."""

    file: RelativePath
    sha256: Digest
    bytes: int = Field(ge=0)


class JudgedBy(Part):
    """The verdict that let the model pass; the document itself lies in ``evidence/``."""

    state: Outcome
    sentence: str
    sha256: Digest
    override: Override | None = Field(
        default=None, description="Who accepted a failing verdict, and when."
    )


class Bundle(Document):
    """A model version: what it is, what it was made from, and what was said of it."""

    SCHEMA: ClassVar[str] = "assay/bundle/1"
    FILE: ClassVar[str] = "bundle.json"

    model: ModelName
    repository: str = Field(
        pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$", description="Whose model it is: owner/name."
    )
    commit: str = Field(description="The commit that was judged; a squash leaves only its tree.")
    tree: str = Field(description="The git tree that was judged: what the version is known by.")
    lineage: Lineage = Field(description="What the model was trained from, and where.")
    data_digest: Digest = Field(description="SHA-256 over the data's digests in dvc.lock.")
    params_digest: Digest = Field(description="SHA-256 over the parameters.")
    model_digest: Digest = Field(description="Of the folder model/: what training.json names.")
    evidence_digest: Digest = Field(description="Of the folder evidence/.")
    verdict: JudgedBy
    flavors: tuple[str, ...] = Field(min_length=1, description="MLflow's names of its formats.")
    files: tuple[BundleFile, ...] = Field(
        description="Every file but this one and the signature, by name."
    )


def model_folder(bundle: Path) -> Path:
    """Return where the MLflow model of an unpacked bundle is."""
    return bundle / MODEL
