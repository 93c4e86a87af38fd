"""Signatures by key: ECDSA on P-256 with SHA-256, over bytes.

A signature is one line of ASCII: ``ecdsa-p256-sha256``, the SHA-256 of the signer's public key
(its DER SubjectPublicKeyInfo, in hex), and the DER signature in Base64. The digest only says which
key to try, so that a stranger's signature and an altered file are told apart; what counts is the
check with a key that is trusted. Signatures are RFC 6979's: the same bytes give the same one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from assay.config import Trust
from assay.config.delivery import Keyless
from assay.errors import InputError, IntegrityError, Location

ALGORITHM = "ecdsa-p256-sha256"
MAX_SIGNATURE_BYTES = 1024
NEW_KEY = (
    "Make one: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out signing.pem && "
    "openssl pkey -in signing.pem -pubout -out signing.pub"
)


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Who signed, once it is proven: a key by its fingerprint, or a keyless identity."""

    kind: Literal["key", "keyless"]
    identity: str
    name: str
    """For a person: the key's file, or the workflow and repository."""


@dataclass(frozen=True, kw_only=True)
class PublicKey:
    """A public key that is trusted; ``name`` is what a message calls it."""

    name: str
    pem: bytes = field(repr=False)
    fingerprint: str

    @classmethod
    def parse(cls, pem: bytes, *, name: str) -> PublicKey:
        """Read a PEM public key; raises InputError where it is not one on P-256."""
        try:
            found = serialization.load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm):
            raise InputError(
                "this is no public key in PEM.",
                where=Location(file=name),
                remedy=f"{NEW_KEY} (never the private one).",
            ) from None
        return cls(name=name, pem=pem, fingerprint=_fingerprint(_on_p256(found, name)))

    def accepts(self, data: bytes, der: bytes) -> bool:
        """Whether ``der`` is this key's signature of ``data``."""
        key = serialization.load_pem_public_key(self.pem)
        try:
            _on_p256(key, self.name).verify(der, data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, kw_only=True)
class Trusted:
    """Whose signatures count: keys that were read, and the rule for keyless ones."""

    keys: tuple[PublicKey, ...] = ()
    keyless: Keyless | None = None
    trusted_root: Path | None = None
    """Sigstore's root of trust for keyless signatures; None: the one that came with sigstore."""


def load_trust(trust: Trust, root: Path) -> Trusted:
    """Read the keys that a configuration names, from the repository at ``root``.

    Raises InputError where a key is missing or is no public key on P-256.
    """
    keys = tuple(PublicKey.parse(read_key(root / name), name=name) for name in trust.keys)
    root_file = trust.keyless.trusted_root if trust.keyless else None
    return Trusted(
        keys=keys,
        keyless=trust.keyless,
        trusted_root=None if root_file is None else root / root_file,
    )


def new_key() -> tuple[bytes, bytes]:
    """Return a new private key and its public key, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, public


def public_key_of(private_pem: bytes, *, name: str = "the signing key") -> PublicKey:
    """Return the public half of a private key; raises InputError where it is not one on P-256."""
    public = _private(private_pem, name).public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return PublicKey(name=name, pem=pem, fingerprint=_fingerprint(public))


def read_private_key(path: Path) -> bytes:
    """Return the PEM text of a private key's file; raises InputError where it is not one."""
    pem = read_key(path)
    _private(pem, path.as_posix())
    return pem


def sign(data: bytes, private_pem: bytes) -> bytes:
    """Sign ``data``; raises InputError where ``private_pem`` is no private key on P-256."""
    key = _private(private_pem, "the signing key")
    der = key.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    fingerprint = _fingerprint(key.public_key())
    return f"{ALGORITHM} {fingerprint} {base64.b64encode(der).decode()}\n".encode()


def verify(data: bytes, signature: bytes, trust: Trusted) -> Signer:
    """Return who signed ``data``.

    Raises IntegrityError where nobody did, where the key is not one of ``trust``, and where the
    data is not what was signed.
    """
    fingerprint, der = _parsed(signature)
    key = next((key for key in trust.keys if key.fingerprint == fingerprint), None)
    if key is None:
        known = ", ".join(key.name for key in trust.keys) or "none"
        raise IntegrityError(
            f"it is signed by an unknown key ({fingerprint[:16]}…); trusted: {known}.",
            remedy="Add the signer's public key under delivery.trust.keys, or sign with one that "
            "stands there.",
        )
    if not key.accepts(data, der):
        raise IntegrityError(
            f"it is not what {key.name} signed: the content or the signature was altered.",
            remedy="Fetch it again from where it was made, or make and sign it again.",
        )
    return Signer(kind="key", identity=fingerprint, name=key.name)


def _parsed(signature: bytes) -> tuple[str, bytes]:
    words = signature[: MAX_SIGNATURE_BYTES + 1].split()
    if not words:
        raise IntegrityError("it is not signed.", remedy="Sign it with a trusted key.")
    try:
        algorithm, fingerprint, encoded = (word.decode("ascii") for word in words)
        der = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        algorithm, fingerprint, der = "", "", b""
    if algorithm != ALGORITHM or len(signature) > MAX_SIGNATURE_BYTES:
        raise IntegrityError(
            f"the signature is none of {ALGORITHM}.",
            remedy="It was cut off or written by another tool: sign it again.",
        )
    return fingerprint, der


def _private(pem: bytes, name: str) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError:
        raise InputError(
            "the private key is encrypted.",
            where=Location(file=name),
            remedy="Decrypt it where it is used: openssl pkey -in encrypted.pem -out signing.pem",
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise InputError(
            "this is no private key in PEM.", where=Location(file=name), remedy=f"{NEW_KEY}."
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise _other_kind(name)
    _on_p256(key.public_key(), name)
    return key


def _on_p256(key: object, name: str) -> ec.EllipticCurvePublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _other_kind(name)
    return key


def _other_kind(name: str) -> InputError:
    return InputError(
        "the key is not one for ECDSA on P-256.", where=Location(file=name), remedy=f"{NEW_KEY}."
    )


def _fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(der).hexdigest()


def read_key(path: Path) -> bytes:
    """Return what a key's file holds; raises InputError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"the key cannot be read: {error.strerror}.",
            where=Location(file=path.as_posix()),
            remedy=f"Check the path and its permissions. {NEW_KEY}.",
        ) from None
