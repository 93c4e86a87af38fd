"""Put a bundle together: the gate's evidence and the model it judged, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.errors import InputError, IntegrityError, Location, OutsideError
from assay.evidence import file_digest, tree_digest
from assay.packaging.bundle import (
    CARD,
    EVIDENCE,
    MODEL,
    SBOM,
    SIGNATURE,
    Bundle,
    BundleFile,
    JudgedBy,
)
from assay.packaging.card import Carded, card_of
from assay.packaging.gated import Gated, read_gated
from assay.packaging.model_directory import ModelDirectory, plain_files, read_model_directory
from assay.packaging.sbom import packages_needed, sbom_of

Sign = Callable[[Path, Path], object]
"""Signs a folder (first) into a file (second)."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is packaged, and for whom."""

    evidence: Path
    artifact: Path
    output: Path
    repository: str
    model: str | None = None
    lock: Path | None = None


def package(wanted: Wanted, sign: Sign) -> Bundle:
    """Write the bundle's folder and return its document.

    It runs nothing of the model. The same evidence and artifact give the same ``bundle.json``.
    The folder appears by one rename, signed. Raises InputError, VerdictFailed (the verdict is
    fail), IntegrityError (this is not the model that was judged) and OutsideError.
    """
    gated = read_gated(wanted.evidence, wanted.model)
    directory = read_model_directory(wanted.artifact)
    refuse_another(gated, directory)
    if wanted.output.exists():
        raise InputError(
            "there is something already.",
            where=Location(file=wanted.output.as_posix()),
            remedy="Remove it, or name another folder with --output.",
        )
    scratch: Path | None = None
    try:
        wanted.output.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=wanted.output.parent, prefix=".bundle-"))
        bundle = _fill(scratch, wanted, gated, directory)
        sign(scratch, scratch / SIGNATURE)
        scratch.chmod(0o755)
        scratch.rename(wanted.output)
        scratch = None
    except OSError as error:
        raise OutsideError(
            f"the bundle cannot be written: {error.strerror}.",
            where=Location(file=wanted.output.as_posix()),
            remedy="Check the free space and the permissions of the folder.",
        ) from None
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
    return bundle


def refuse_another(gated: Gated, directory: ModelDirectory) -> None:
    """Raise IntegrityError unless ``directory`` is the artifact that the verdict was about."""
    judged = gated.training.model_digest
    where = Location(file=directory.folder.as_posix())
    if judged is None:
        raise InputError(
            "the training kept no digest of a model.",
            where=where,
            remedy="Name the model's folder as artifact: in assay.yaml and run the gate again.",
        )
    if directory.digest != judged:
        raise IntegrityError(
            f"this is not the artifact that the verdict was about: its digest is "
            f"{directory.digest[:16]}…, that of the judged model {judged[:16]}….",
            where=where,
            remedy="Fetch the model of that very run (dvc pull at its commit), or run the gate on "
            "this one.",
        )


def _fill(folder: Path, wanted: Wanted, gated: Gated, directory: ModelDirectory) -> Bundle:
    for name in plain_files(directory.folder):
        target = folder / MODEL / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(directory.folder / name, target)
    copied = read_model_directory(folder / MODEL)
    # What was copied is what is signed: the artifact may have changed since it was compared.
    refuse_another(gated, copied)
    for place, document in gated.documents.items():
        document.write((folder / EVIDENCE / place).parent)
    packages = packages_needed(copied, _lock(wanted.lock))
    (folder / SBOM).write_text(sbom_of(gated, copied, packages), encoding="utf-8")
    bundle = _described(folder, wanted, gated, copied)
    made = Carded(bundle=bundle, gated=gated, directory=copied, packages=packages)
    (folder / CARD).write_text(card_of(made), encoding="utf-8")
    files = tuple(
        BundleFile(
            file=name, sha256=file_digest(folder / name), bytes=(folder / name).stat().st_size
        )
        for name in plain_files(folder)
    )
    whole = Bundle.model_validate({**dict(bundle), "files": files})
    whole.write(folder)
    return whole


def _lock(path: Path | None) -> tuple[str, str] | None:
    if path is None:
        return None
    try:
        return path.as_posix(), path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError(
            "the lock cannot be read.",
            where=Location(file=path.as_posix()),
            remedy="Name a requirements file with pinned versions.",
        ) from None


def _described(folder: Path, wanted: Wanted, gated: Gated, directory: ModelDirectory) -> Bundle:
    verdict, lineage = gated.verdict, gated.training.lineage
    data = {name: digest for name, digest in lineage.dvc.items() if name.startswith("data:")}
    return Bundle(
        model=gated.name,
        repository=wanted.repository,
        commit=gated.plan.head.commit,
        tree=gated.plan.head.tree,
        lineage=lineage,
        data_digest=_digest(data),
        params_digest=_digest(lineage.params),
        model_digest=directory.digest,
        evidence_digest=tree_digest(folder / EVIDENCE),
        verdict=JudgedBy(
            state=verdict.state,
            sentence=verdict.sentence,
            sha256=verdict.digest(),
            override=verdict.override,
        ),
        flavors=directory.flavors,
        files=(),
    )


def _digest(values: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(dict(values), sort_keys=True).encode()).hexdigest()
