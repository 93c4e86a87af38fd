"""Keyless signatures: whose certificate counts, and by which root of trust.

A reusable workflow's certificate names *our* workflow as its identity for every consumer. So a
policy demands all of it together: the issuer, that workflow, and the consumer's own repository and
ref; with less, anyone's model would verify as anyone else's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.x509 import Certificate
from pydantic import ValidationError
from sigstore.errors import Error as SigstoreError
from sigstore.errors import VerificationError
from sigstore.models import Bundle, ClientTrustConfig, TrustedRoot
from sigstore.verify import Verifier, policy

from assay.config.delivery import Keyless
from assay.errors import InputError, IntegrityError, Location
from assay.packaging.keys import Signer, Trusted

_GITHUB = "https://github.com"
_IN_TOTO = "application/vnd.in-toto+json"
_TRUST = "Say whose signatures count under delivery.trust.keyless, or sign with a key."


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a certificate must say, each as a full address."""

    issuer: str
    workflow: str
    repository: str
    ref: str

    @classmethod
    def of(cls, rule: Keyless) -> Claims:
        """Complete the short names of a configuration."""
        workflow = rule.workflow
        if not workflow.startswith("https://"):
            workflow = f"{_GITHUB}/{workflow}"
        place = urlsplit(workflow)
        return cls(
            issuer=rule.issuer,
            workflow=workflow,
            repository=f"{place.scheme}://{place.netloc}/{rule.repository}",
            ref=rule.ref,
        )


def check_certificate(certificate: Certificate, claims: Claims) -> None:
    """Raise IntegrityError unless a certificate makes every one of ``claims``.

    That it was issued by the trusted root, and when, is Sigstore's verifier's part.
    """
    for name, value, rule in _rules(claims):
        try:
            rule.verify(certificate)
        except VerificationError as error:
            raise IntegrityError(
                f"the {name} of the signer's certificate is not {value} ({_short(error)}).",
                remedy="It is signed for another repository, ref or workflow. " + _TRUST,
            ) from None


def verify_keyless(signature: Path, trust: Trusted) -> tuple[Signer, Any]:
    """Return who signed, and the statement that was signed; reads no network.

    Raises IntegrityError where the certificate, its place in the log, or one of the claims is not
    what the trust demands.
    """
    where = Location(file=signature.as_posix())
    if trust.keyless is None:
        raise IntegrityError(
            "the bundle is signed without a key, and no keyless signature is trusted here.",
            where=where,
            remedy=_TRUST,
        )
    claims = Claims.of(trust.keyless)
    root, _ = trusted_root(trust.trusted_root)
    try:
        bundle = Bundle.from_json(signature.read_bytes())
        check_certificate(bundle.signing_certificate, claims)
        rules = policy.AllOf([rule for _, _, rule in _rules(claims)])
        kind, payload = Verifier(trusted_root=root).verify_dsse(bundle, rules)
        statement = json.loads(payload)
    except IntegrityError as error:
        raise error.placed(where) from None
    except (SigstoreError, ValueError) as error:
        raise IntegrityError(
            f"the keyless signature does not hold: {_short(error)}.",
            where=where,
            remedy="Fetch the bundle again; where the root of trust is old, bring a newer one: "
            "delivery.trust.keyless.trusted_root.",
        ) from None
    if kind != _IN_TOTO:
        raise IntegrityError("what is signed is no statement.", where=where)
    name = f"{claims.workflow} for {claims.repository} at {claims.ref}"
    return Signer(kind="keyless", identity=claims.repository, name=name), statement


def trusted_root(path: Path | None) -> tuple[TrustedRoot, datetime]:
    """Return the root of trust, and when the newest key in it began to be valid.

    Without a file it is the one that came with sigstore (or that its cache holds), never asked
    for over a network. Raises InputError where the file is none.
    """
    try:
        if path is None:
            root = ClientTrustConfig.production(offline=True).trusted_root
        else:
            root = TrustedRoot.from_file(str(path))
    except (OSError, ValueError, ValidationError, SigstoreError) as error:
        raise InputError(
            f"this is no Sigstore trusted root ({_short(error)}).",
            where=Location(file=path.as_posix() if path else "the trusted root of sigstore"),
            remedy="Write one with `gh attestation trusted-root`, one JSON document in the file.",
        ) from None
    return root, _newest(root)


def signed_at(signature: Path) -> datetime | None:
    """Return when the transparency log recorded a keyless signature; None where it does not say."""
    try:
        material = json.loads(signature.read_text(encoding="utf-8"))["verificationMaterial"]
        seconds = int(material["tlogEntries"][0]["integratedTime"])
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None
    return datetime.fromtimestamp(seconds, tz=UTC) if seconds > 0 else None


def _rules(claims: Claims) -> tuple[tuple[str, str, policy.VerificationPolicy], ...]:
    return (
        ("issuer", claims.issuer, policy.OIDCIssuerV2(claims.issuer)),
        ("workflow", claims.workflow, policy.Identity(identity=claims.workflow)),
        ("workflow", claims.workflow, policy.OIDCBuildSignerURI(claims.workflow)),
        ("repository", claims.repository, policy.OIDCSourceRepositoryURI(claims.repository)),
        ("ref", claims.ref, policy.OIDCSourceRepositoryRef(claims.ref)),
    )


def _newest(root: TrustedRoot) -> datetime:
    return max(certificate.not_valid_before_utc for certificate in root.get_fulcio_certs())


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300].rstrip(".")
