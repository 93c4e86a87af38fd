"""Signatures by key: what is accepted, and each refusal by its own sentence."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from assay.config import Trust
from assay.errors import InputError, IntegrityError
from assay.packaging.keys import (
    PublicKey,
    Trusted,
    load_trust,
    new_key,
    public_key_of,
    read_private_key,
    sign,
    verify,
)

PRIVATE, PUBLIC = new_key()
OWN = Trusted(keys=(PublicKey.parse(PUBLIC, name="keys/own.pub"),))


@given(st.binary(max_size=200))
def test_what_was_signed_is_accepted_and_says_by_whom(data: bytes) -> None:
    signer = verify(data, sign(data, PRIVATE), OWN)
    assert (signer.kind, signer.name) == ("key", "keys/own.pub")
    assert signer.identity == public_key_of(PRIVATE).fingerprint


def test_the_same_bytes_have_the_same_signature() -> None:
    assert sign(b"intent", PRIVATE) == sign(b"intent", PRIVATE)


@given(st.binary(min_size=1, max_size=60), st.integers(0, 1000), st.integers(1, 255))
def test_one_changed_byte_is_found(data: bytes, at: int, by: int) -> None:
    changed = bytearray(data)
    changed[at % len(data)] ^= by
    with pytest.raises(IntegrityError, match="altered"):
        verify(bytes(changed), sign(data, PRIVATE), OWN)


def test_a_strangers_signature_is_told_apart_from_an_altered_file() -> None:
    stranger, _ = new_key()
    with pytest.raises(IntegrityError, match="unknown key") as refused:
        verify(b"intent", sign(b"intent", stranger), OWN)
    assert "keys/own.pub" in str(refused.value)
    assert "delivery.trust.keys" in str(refused.value)


def test_a_stranger_who_names_a_trusted_key_is_refused() -> None:
    stranger, _ = new_key()
    words = sign(b"intent", stranger).split()
    words[1] = OWN.keys[0].fingerprint.encode()
    with pytest.raises(IntegrityError, match="altered"):
        verify(b"intent", b" ".join(words), OWN)


@pytest.mark.parametrize("signature", [b"", b"\n", b"  "])
def test_no_signature_is_said_as_such(signature: bytes) -> None:
    with pytest.raises(IntegrityError, match="not signed"):
        verify(b"intent", signature, OWN)


@pytest.mark.parametrize(
    "signature",
    [b"hello", b"a b c", b"\xff \xff \xff", b"rsa 00 AAAA", sign(b"x", PRIVATE)[:-20] + b"!!"],
)
def test_another_text_is_no_signature(signature: bytes) -> None:
    with pytest.raises(IntegrityError, match="signature"):
        verify(b"intent", signature, OWN)


def test_a_signature_that_goes_on_is_refused() -> None:
    with pytest.raises(IntegrityError):
        verify(b"intent", sign(b"intent", PRIVATE) + b" " * 2000, OWN)


def test_without_trust_nothing_counts() -> None:
    with pytest.raises(IntegrityError, match="trusted: none"):
        verify(b"intent", sign(b"intent", PRIVATE), Trusted())


def test_openssl_makes_keys_and_accepts_the_signature(tmp_path: Path) -> None:
    private, public = tmp_path / "signing.pem", tmp_path / "signing.pub"
    make = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out"]
    subprocess.run([*make, private], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    trust = load_trust(Trust(keys=("signing.pub",)), tmp_path)
    signature = sign(b"intent", read_private_key(private))
    assert verify(b"intent", signature, trust).name == "signing.pub"
    (tmp_path / "data").write_bytes(b"intent")
    (tmp_path / "der").write_bytes(base64.b64decode(signature.split()[2]))
    check = ["openssl", "dgst", "-sha256", "-verify", public, "-signature", tmp_path / "der"]
    done = subprocess.run([*check, tmp_path / "data"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "Verified OK"


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes | None) -> bytes:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


@pytest.mark.parametrize(
    ("pem", "words"),
    [
        (b"", "no private key"),
        (PUBLIC, "no private key"),
        (_pem(ec.generate_private_key(ec.SECP384R1()), None), "P-256"),
        (_pem(rsa.generate_private_key(65537, 2048), None), "P-256"),
        (_pem(ec.generate_private_key(ec.SECP256R1()), b"secret"), "encrypted"),
    ],
)
def test_other_keys_are_refused_with_the_command_that_makes_one(pem: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as refused:
        sign(b"intent", pem)
    assert "openssl" in str(refused.value)


def test_a_private_key_is_never_taken_for_a_public_one(tmp_path: Path) -> None:
    (tmp_path / "own.pub").write_bytes(PRIVATE)
    with pytest.raises(InputError, match="no public key") as refused:
        load_trust(Trust(keys=("own.pub",)), tmp_path)
    assert refused.value.where is not None
    assert PRIVATE.decode().splitlines()[1] not in str(refused.value)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"keys/gone\.pub"):
        load_trust(Trust(keys=("keys/gone.pub",)), tmp_path)
