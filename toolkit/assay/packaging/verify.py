"""Is this bundle what it says it is, on whose word, and is it ours? Answered offline.

``verify_bundle`` is what every deployment calls; each refusal has a sentence of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.errors import AssayError, InputError, IntegrityError, Location
from assay.evidence import Outcome, file_digest, tree_digest
from assay.packaging.bundle import EVIDENCE, MODEL, SIGNATURE, Bundle
from assay.packaging.gated import read_gated
from assay.packaging.keys import Signer, Trusted
from assay.packaging.model_directory import plain_files
from assay.packaging.signing import verify_signature

_AGAIN = "Fetch the whole bundle again, or package it again."


@dataclass(frozen=True, kw_only=True)
class Verified:
    """A bundle in which everything is right, and whose word it stands on."""

    bundle: Bundle
    signer: Signer

    @property
    def artifact_digest(self) -> str:
        """What names this bundle everywhere."""
        return self.bundle.digest()


def verify_bundle(folder: Path, trust: Trusted, repository: str | None) -> Bundle:
    """Return the document of a bundle in which everything is right; see ``verified``."""
    return verified(folder, trust, repository).bundle


def verified(folder: Path, trust: Trusted, repository: str | None) -> Verified:
    """Check files, signature, signer, repository, model and verdict of a bundle.

    ``repository`` is whose model is expected (owner/name); None takes anyone's, for a person who
    looks. Raises InputError where there is no folder, and IntegrityError where the bundle is half,
    unsigned, altered, signed by a stranger or for another repository, or not of the model that the
    verdict was about.
    """
    bundle = _whole(folder)
    signer = verify_signature(folder, folder / SIGNATURE, trust)
    _refuse_other_repository(folder, bundle, signer, repository)
    _refuse_other_model(folder, bundle)
    _refuse_other_evidence(folder, bundle)
    return Verified(bundle=bundle, signer=signer)


def _whole(folder: Path) -> Bundle:
    """Read bundle.json, and hold the folder's files to it, one by one."""
    where = Location(file=folder.as_posix())
    if not folder.is_dir():
        raise InputError(
            "there is no such folder.", where=where, remedy="Name the folder with bundle.json."
        )
    if not (folder / Bundle.FILE).is_file():
        raise IntegrityError(
            "the bundle has no bundle.json: it is half.", where=where, remedy=_AGAIN
        )
    bundle = Bundle.read(folder)
    document = Location(file=(folder / Bundle.FILE).as_posix())
    if bundle.to_json().encode() != (folder / Bundle.FILE).read_bytes():
        raise IntegrityError("the document was written again by hand.", where=document)
    try:
        found = set(plain_files(folder))
    except InputError as error:
        raise IntegrityError(error.message, where=error.where, remedy=_AGAIN) from None
    if SIGNATURE not in found:
        raise IntegrityError(
            "the bundle is unsigned.",
            where=where,
            remedy="Sign it where it is packaged: assay package --signing-key …",
        )
    for one in bundle.files:
        at = Location(file=(folder / one.file).as_posix())
        if one.file not in found:
            raise IntegrityError(
                "this file is missing: the bundle is half.", where=at, remedy=_AGAIN
            )
        if file_digest(folder / one.file) != one.sha256:
            raise IntegrityError(
                "this file was tampered with: it is not the one that bundle.json names.",
                where=at,
                remedy=_AGAIN,
            )
    extra = found - {one.file for one in bundle.files} - {Bundle.FILE, SIGNATURE}
    if extra:
        raise IntegrityError(
            "the bundle was tampered with: bundle.json does not name this file.",
            where=Location(file=(folder / min(extra)).as_posix()),
            remedy=_AGAIN,
        )
    return bundle


def _refuse_other_repository(
    folder: Path, bundle: Bundle, signer: Signer, repository: str | None
) -> None:
    where = Location(file=(folder / Bundle.FILE).as_posix())
    if repository is not None and bundle.repository.lower() != repository.lower():
        raise IntegrityError(
            f"the bundle is signed for another repository: {bundle.repository}, not "
            f"{repository[:200]}.",
            where=where,
            remedy="Deploy the bundle that this repository's own delivery packaged.",
        )
    if signer.kind == "keyless" and not signer.identity.lower().endswith(
        f"/{bundle.repository.lower()}"
    ):
        raise IntegrityError(
            f"the bundle says it is {bundle.repository}'s, and its signer's certificate says "
            f"{signer.identity}.",
            where=where,
            remedy="It is signed for another repository: package it there where it belongs.",
        )


def _refuse_other_model(folder: Path, bundle: Bundle) -> None:
    if tree_digest(folder / MODEL) != bundle.model_digest:
        raise IntegrityError(
            "the model is not the artifact that bundle.json names.",
            where=Location(file=(folder / MODEL).as_posix()),
            remedy=_AGAIN,
        )


def _refuse_other_evidence(folder: Path, bundle: Bundle) -> None:
    """Hold what bundle.json says of the verdict to the evidence beside it."""
    evidence = folder / EVIDENCE
    where = Location(file=evidence.as_posix())
    try:
        gated = read_gated(evidence, bundle.model)
    except AssayError as error:
        raise IntegrityError(
            f"the bundle carries no passing evidence: {error.message}",
            where=error.where or where,
            remedy=_AGAIN,
        ) from None
    if gated.training.model_digest != bundle.model_digest:
        raise IntegrityError(
            "the model is not the artifact that the verdict was about.", where=where, remedy=_AGAIN
        )
    said = (bundle.tree, bundle.verdict.sha256, bundle.verdict.state, bundle.evidence_digest)
    shown = (
        gated.plan.head.tree,
        gated.verdict.digest(),
        gated.verdict.state,
        tree_digest(evidence),
    )
    if said != shown or bundle.verdict.state is Outcome.FAIL:
        raise IntegrityError(
            "bundle.json says something else of the verdict than the evidence in it.",
            where=where,
            remedy=_AGAIN,
        )
