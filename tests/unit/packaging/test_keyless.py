"""Whose keyless certificate counts, against certificates made here with each claim.

Not run here: signing itself, and a whole verification against the public Sigstore, because both
need a job's identity token. What is tested is the policy that stands between them, that a real
verification refuses what the log never saw, and that no network is asked.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from assay.config.delivery import Keyless
from assay.errors import InputError, IntegrityError
from assay.packaging.keyless import Claims, check_certificate, trusted_root
from assay.packaging.keys import Trusted
from assay.packaging.signing import sign_keyless
from assay.packaging.verify import verify_bundle
from support.bundles import KEYLESS, REPOSITORY, TRUST, bundle

FULCIO = "1.3.6.1.4.1.57264.1"
CLAIMS = Claims.of(KEYLESS)
KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(claims: Claims = CLAIMS, *, without: str = "") -> x509.Certificate:
    """Make a certificate as Fulcio would, with each claim where Fulcio puts it."""
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "sigstore.dev")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(minutes=10))
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(claims.workflow)]),
            critical=True,
        )
    )
    values = {"8": claims.issuer, "9": claims.workflow, "12": claims.repository, "14": claims.ref}
    for number, value in values.items():
        if number != without:
            encoded = value.encode()
            utf8 = bytes([0x0C, 0x81, len(encoded)] if len(encoded) > 127 else [0x0C, len(encoded)])
            extension = x509.UnrecognizedExtension(
                x509.ObjectIdentifier(f"{FULCIO}.{number}"), utf8 + encoded
            )
            builder = builder.add_extension(extension, critical=False)
    return builder.sign(KEY, hashes.SHA256())


def test_names_are_completed_to_addresses() -> None:
    assert CLAIMS.workflow == f"https://github.com/{KEYLESS.workflow}"
    assert CLAIMS.repository == f"https://github.com/{REPOSITORY}"
    assert CLAIMS.issuer == "https://token.actions.githubusercontent.com"
    elsewhere = Keyless(workflow="https://git.example/a/b/.github/x.yml@v1", repository="o/c")
    assert Claims.of(elsewhere).repository == "https://git.example/o/c"


def test_all_claims_together_are_accepted() -> None:
    check_certificate(certificate(), CLAIMS)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("issuer", "https://token.actions.example"),
        ("workflow", "https://github.com/mallory/assay/.github/workflows/deliver.yml@refs/tags/v1"),
        ("workflow", CLAIMS.workflow.replace("v0.1.0", "v0.0.9")),
        ("repository", "https://github.com/mallory/churn"),
        ("repository", CLAIMS.repository + "-2"),
        ("ref", "refs/heads/feature"),
        ("ref", "refs/pull/7/merge"),
    ],
)
def test_each_other_claim_is_refused_by_its_name(claim: str, value: str) -> None:
    with pytest.raises(IntegrityError, match=f"the {claim} of"):
        check_certificate(certificate(replace(CLAIMS, **{claim: value})), CLAIMS)


@pytest.mark.parametrize("number", ["8", "9", "12", "14"])
def test_a_certificate_that_is_silent_is_refused(number: str) -> None:
    with pytest.raises(IntegrityError, match="does not contain"):
        check_certificate(certificate(without=number), CLAIMS)


def test_our_workflow_alone_does_not_make_it_ours() -> None:
    anyone = replace(CLAIMS, repository="https://github.com/anyone/model")
    with pytest.raises(IntegrityError, match="signed for another repository"):
        check_certificate(certificate(anyone), CLAIMS)


@pytest.fixture
def keyless(tmp_path: Path) -> Callable[[x509.Certificate], Path]:
    """Give a bundle whose signature has a certificate instead of a key, and no log entry."""

    def make(signed_by: x509.Certificate) -> Path:
        folder, _ = bundle(tmp_path)
        document: dict[str, Any] = json.loads((folder / "model.sig").read_text())
        der = signed_by.public_bytes(serialization.Encoding.DER)
        document["verificationMaterial"] = {
            "certificate": {"rawBytes": base64.b64encode(der).decode()},
            "tlogEntries": [],
        }
        (folder / "model.sig").write_text(json.dumps(document))
        return folder

    return make


def test_a_certificate_counts_only_where_keyless_is_trusted(
    keyless: Callable[[x509.Certificate], Path],
) -> None:
    with pytest.raises(IntegrityError, match="no keyless signature is trusted"):
        verify_bundle(keyless(certificate()), TRUST, REPOSITORY)


def test_a_certificate_that_no_log_recorded_is_refused(
    keyless: Callable[[x509.Certificate], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with pytest.raises(IntegrityError, match="does not hold"):
        verify_bundle(keyless(certificate()), Trusted(keyless=KEYLESS), REPOSITORY)


def test_the_root_of_trust_that_comes_along_has_an_age(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    _, newest = trusted_root(None)
    assert datetime(2021, 1, 1, tzinfo=UTC) < newest < datetime.now(UTC)


def test_a_file_that_is_no_root_of_trust_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root.json").write_text("{}")
    with pytest.raises(InputError, match="trusted root"):
        trusted_root(tmp_path / "root.json")


def test_keyless_signing_without_an_identity_says_what_it_takes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_URL", raising=False)
    with pytest.raises(InputError, match="id-token: write"):
        sign_keyless(tmp_path, tmp_path / "model.sig")
