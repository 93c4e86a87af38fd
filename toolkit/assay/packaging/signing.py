"""Signatures over a folder, in OpenSSF's model-signing format: by a key, or keyless by Sigstore.

A signature is a Sigstore bundle around an in-toto statement that names each file with its SHA-256.
model-signing is imported by the functions: it lives in the environment of delivery
(ASSAY_ENVIRONMENT=delivery), and the gate's has not got it.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from assay.errors import InputError, IntegrityError, Location, OutsideError
from assay.evidence import file_digest
from assay.packaging.keys import PublicKey, Signer, Trusted, public_key_of
from assay.packaging.model_directory import plain_files

MAX_SIGNATURE_BYTES = 32 * 1024 * 1024
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://model_signing/signature/v1.0"
_ALTERED = "It was altered or cut off: fetch the bundle again, or package and sign it again."


def sign_with_key(folder: Path, signature: Path, private_pem: bytes) -> None:
    """Sign every file of ``folder`` into ``signature``, a file in it.

    Raises InputError where ``private_pem`` is no private key on P-256.
    """
    public_key_of(private_pem)
    signing = _model_signing("signing")
    with _file_of(private_pem) as key:
        config = signing.Config().use_elliptic_key_signer(private_key=key)
        config.set_hashing_config(_hashing(signature)).sign(folder, signature)


def sign_keyless(folder: Path, signature: Path) -> None:
    """Sign every file of ``folder`` with the job's own identity, by Sigstore.

    Needs a job with ``id-token: write`` and a network. Raises OutsideError where Sigstore refuses
    or cannot be reached.
    """
    signing = _model_signing("signing")
    if not os.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL"):
        raise InputError(
            "there is no identity to sign with.",
            remedy="Keyless signing works in a GitHub job with `permissions: id-token: write`; "
            "elsewhere sign with a key: --signing-key.",
        )
    try:
        config = signing.Config().use_sigstore_signer(use_ambient_credentials=True)
        config.set_hashing_config(_hashing(signature)).sign(folder, signature)
    except Exception as error:
        raise OutsideError(
            f"Sigstore did not sign: {_first_line(error)}.",
            remedy="See https://status.sigstore.dev, and whether the job may reach it.",
        ) from error


def verify_signature(folder: Path, signature: Path, trust: Trusted) -> Signer:
    """Return who signed ``folder``: exactly the files that are there, each as it was.

    Raises IntegrityError where nobody did, where the signer is not trusted, and where a file was
    altered, added or taken away.
    """
    where = Location(file=signature.as_posix())
    document = _read(signature)
    if _certificate_in(document):
        from assay.packaging.keyless import verify_keyless  # noqa: PLC0415 -- imports sigstore

        signer, statement = verify_keyless(signature, trust)
    else:
        signer = _verify_with_key(folder, signature, document, trust)
        statement = json.loads(base64.b64decode(document["dsseEnvelope"]["payload"]))
    signed = files_signed(statement, where=where)
    for name in plain_files(folder):
        if folder / name == signature:
            continue
        if signed.pop(name, None) != file_digest(folder / name):
            raise IntegrityError(
                "this file is not what was signed, or was never signed.",
                where=Location(file=(folder / name).as_posix()),
                remedy=_ALTERED,
            )
    if signed:
        raise IntegrityError(
            f"the signed file {sorted(signed)[0][:200]!r} is missing.", where=where, remedy=_ALTERED
        )
    return signer


def files_signed(statement: Any, *, where: Location) -> dict[str, str]:
    """Return the SHA-256 of each file by its name, from a statement whose signature was right."""
    try:
        kinds = (statement["_type"], statement["predicateType"])
        resources = statement["predicate"]["resources"]
        serialization = statement["predicate"]["serialization"]
        whole = (kinds, serialization["method"]) == ((STATEMENT, PREDICATE), "files")
        named = {str(one["name"]): str(one["digest"]) for one in resources}
        known = all(one["algorithm"] == "sha256" for one in resources)
    except (KeyError, TypeError):
        whole = known = False
        named = {}
    if not (whole and known and len(named) == len(resources)):
        raise IntegrityError(
            "what is signed is no list of files with their SHA-256.", where=where, remedy=_ALTERED
        )
    return named


def _verify_with_key(
    folder: Path, signature: Path, document: dict[str, Any], trust: Trusted
) -> Signer:
    where = Location(file=signature.as_posix())
    hint = _key_hint(document)
    key = next((key for key in trust.keys if _hint_of(key) == hint), None)
    if key is None:
        known = ", ".join(key.name for key in trust.keys) or "none"
        raise IntegrityError(
            f"the bundle is signed by an unknown key ({hint[:16]}…); trusted: {known}.",
            where=where,
            remedy="Add the signer's public key under delivery.trust.keys, or sign with one that "
            "stands there.",
        )
    verifying = _model_signing("verifying")
    said = io.StringIO()
    try:
        with _file_of(key.pem) as path, contextlib.redirect_stdout(said):
            config = verifying.Config().use_elliptic_key_verifier(public_key=path)
            config.set_hashing_config(_hashing(signature)).verify(folder, signature)
    except (ValueError, KeyError, TypeError, IndexError, InvalidSignature) as error:
        reason = _first_line(error) or "the signature is not the key's"
        raise IntegrityError(
            f"the bundle is not what {key.name} signed: {reason}.", where=where, remedy=_ALTERED
        ) from None
    return Signer(kind="key", identity=key.fingerprint, name=key.name)


def _hint_of(key: PublicKey) -> str:
    """Return how model-signing names a key: the SHA-256 of its PEM text."""
    pem = serialization.load_pem_public_key(key.pem).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(pem).hexdigest()


def _key_hint(document: dict[str, Any]) -> str:
    try:
        return str(document["verificationMaterial"]["publicKey"]["hint"])
    except (KeyError, TypeError):
        return "unnamed"


def _certificate_in(document: dict[str, Any]) -> bool:
    material = document.get("verificationMaterial")
    return isinstance(material, dict) and bool(
        {"certificate", "x509CertificateChain"} & material.keys()
    )


def _read(signature: Path) -> dict[str, Any]:
    where = Location(file=signature.as_posix())
    try:
        if signature.stat().st_size > MAX_SIGNATURE_BYTES:
            raise IntegrityError("the signature is too large to be one.", where=where)
        document = json.loads(signature.read_text(encoding="utf-8"))
        envelope = document["dsseEnvelope"]
        base64.b64decode(envelope["payload"], validate=True)
    except FileNotFoundError:
        raise IntegrityError(
            "the bundle is unsigned.",
            where=where,
            remedy="Sign it where it is packaged: assay package --signing-key …",
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise IntegrityError("this is no signature.", where=where, remedy=_ALTERED) from None
    if not isinstance(document, dict):
        raise IntegrityError("this is no signature.", where=where, remedy=_ALTERED)
    return document


def _hashing(signature: Path) -> Any:
    hashing = _model_signing("hashing")
    return hashing.Config().set_ignored_paths(paths=[signature.name], ignore_git_paths=False)


def _model_signing(module: str) -> Any:
    try:
        return import_module(f"model_signing.{module}")
    except ImportError:
        raise InputError(
            "signatures need the environment of delivery.",
            remedy="Run it with ASSAY_ENVIRONMENT=delivery.",
        ) from None


@contextlib.contextmanager
def _file_of(pem: bytes) -> Iterator[Path]:
    """model-signing takes keys as files: one that only this user can read, removed at once."""
    handle, name = tempfile.mkstemp(prefix="assay-key-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(pem)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300].rstrip(".") if lines else ""
