"""Sigstore in small: an authority, a certificate log and a transparency log, each with its own key.

What it signs is what the real ones sign (RFC 6962 timestamps, Rekor's dsse entries of a log with
one leaf), so the real verifier checks all of it; only the root of trust is ours. Without a network.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from assay.packaging.keyless import Claims

FULCIO = "1.3.6.1.4.1.57264.1"
SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
TYPE = "application/vnd.in-toto+json"
NOW = datetime.now(UTC).replace(microsecond=0)
ORIGIN = "small.example - 1"


def new_key() -> ec.EllipticCurvePrivateKey:
    """Make a key; all of this is ECDSA on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def signed(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """Return the DER signature of ``data``."""
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public half as DER."""
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def b64(data: bytes) -> str:
    """Return Base64 as text."""
    return base64.b64encode(data).decode()


def der(tag: int, content: bytes) -> bytes:
    """Encode one DER value."""
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


@dataclass(frozen=True)
class SmallSigstore:
    """The three keys, and what they sign."""

    authority: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    certificates: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    log: ec.EllipticCurvePrivateKey = field(default_factory=new_key)

    @property
    def root(self) -> x509.Certificate:
        """The authority's own certificate."""
        return _root(self.authority)

    def write_trusted_root(self, path: Path) -> Path:
        """Write the root of trust that knows these three."""
        valid = {"start": (NOW - timedelta(days=1)).isoformat().replace("+00:00", "Z")}

        def instance(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
            return {
                "baseUrl": "https://small.example",
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": b64(spki(key)),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": valid,
                },
                "logId": {"keyId": b64(hashlib.sha256(spki(key)).digest())},
            }

        authority = {
            "subject": {"organization": "small.example", "commonName": "small"},
            "uri": "https://small.example",
            "certChain": {"certificates": [{"rawBytes": b64(_der(self.root))}]},
            "validFor": valid,
        }
        document = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [instance(self.log)],
            "certificateAuthorities": [authority],
            "ctlogs": [instance(self.certificates)],
            "timestampAuthorities": [],
        }
        path.write_text(json.dumps(document))
        return path

    def sign(self, payload: bytes, claims: Claims, *, at: datetime = NOW) -> str:
        """Return a Sigstore bundle: ``payload`` signed by a certificate with ``claims``."""
        key = new_key()
        certificate = self._certificate(key, claims)
        pae = b"DSSEv1 %d %s %d %s" % (len(TYPE), TYPE.encode(), len(payload), payload)
        signature = signed(key, pae)
        document = {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": b64(_der(certificate))},
                "tlogEntries": [self._entry(payload, signature, certificate, at)],
            },
            "dsseEnvelope": {
                "payload": b64(payload),
                "payloadType": TYPE,
                "signatures": [{"sig": b64(signature), "keyid": ""}],
            },
        }
        return json.dumps(document)

    def _certificate(self, key: ec.EllipticCurvePrivateKey, claims: Claims) -> x509.Certificate:
        builder = claiming(claims, key).issuer_name(self.root.subject)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority.public_key()),
            critical=False,
        )
        plain = builder.sign(self.authority, hashes.SHA256()).tbs_certificate_bytes
        log_id = hashlib.sha256(spki(self.certificates)).digest()
        issuer = hashlib.sha256(spki(self.authority)).digest()
        moment = struct.pack("!Q", int(NOW.timestamp()) * 1000)
        entry = issuer + len(plain).to_bytes(3, "big") + plain
        what = b"\x00\x00" + moment + b"\x00\x01" + entry + b"\x00\x00"
        signature = signed(self.certificates, what)
        stamp = b"\x00" + log_id + moment + b"\x00\x00" + b"\x04\x03"
        stamp += struct.pack("!H", len(signature)) + signature
        stamps = struct.pack("!HH", len(stamp) + 2, len(stamp)) + stamp
        extension = x509.UnrecognizedExtension(SCT_LIST, der(0x04, stamps))
        return builder.add_extension(extension, critical=False).sign(
            self.authority, hashes.SHA256()
        )

    def _entry(
        self, payload: bytes, signature: bytes, certificate: x509.Certificate, at: datetime
    ) -> dict[str, Any]:
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        digest = {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()}
        spec = {
            "envelopeHash": digest,
            "payloadHash": digest,
            "signatures": [{"signature": b64(signature), "verifier": b64(pem)}],
        }
        body = _canonical({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})
        log_id = hashlib.sha256(spki(self.log)).digest()
        seconds = int(at.timestamp())
        promise = {"body": b64(body), "integratedTime": seconds, "logID": log_id.hex()}
        leaf = hashlib.sha256(b"\x00" + body).digest()
        note = f"{ORIGIN}\n1\n{b64(leaf)}\n"
        stamp = b64(log_id[:4] + signed(self.log, note.encode()))
        return {
            "logIndex": "0",
            "logId": {"keyId": b64(log_id)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(seconds),
            "inclusionPromise": {
                "signedEntryTimestamp": b64(
                    signed(self.log, _canonical({**promise, "logIndex": 0}))
                )
            },
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": b64(leaf),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n— small.example {stamp}\n"},
            },
            "canonicalizedBody": b64(body),
        }


def claiming(
    claims: Claims, key: ec.EllipticCurvePrivateKey, *, without: str = ""
) -> x509.CertificateBuilder:
    """Begin a certificate as Fulcio would, with each claim where Fulcio puts it."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(minutes=1))
        .not_valid_after(NOW + timedelta(minutes=9))
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(claims.workflow)]),
            critical=True,
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, content_commitment=False, key_encipherment=False,
                data_encipherment=False, key_agreement=False, key_cert_sign=False,
                crl_sign=False, encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(
            x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CODE_SIGNING]), critical=False
        )
    )  # fmt: skip
    values = {"8": claims.issuer, "9": claims.workflow, "12": claims.repository, "14": claims.ref}
    for number, value in values.items():
        if number != without:
            name = x509.ObjectIdentifier(f"{FULCIO}.{number}")
            extension = x509.UnrecognizedExtension(name, der(0x0C, value.encode()))
            builder = builder.add_extension(extension, critical=False)
    return builder


def _root(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "small.example")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=False, content_commitment=False, key_encipherment=False,
                data_encipherment=False, key_agreement=False, key_cert_sign=True,
                crl_sign=True, encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _canonical(value: dict[str, Any]) -> bytes:
    """RFC 8785, which for ASCII text and whole numbers is this."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
