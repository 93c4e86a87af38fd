"""Whose keyless signature counts: a small Sigstore of our own signs, the real verifier reads.

Not run here: signing by the public Sigstore, which needs a job's identity token. Its certificates
and log entries are made here as it makes them, by keys of our own (``support.small_sigstore``).
"""

from __future__ import annotations

import base64
import json
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from assay.cli.edge import run
from assay.config import Trust
from assay.config.delivery import Keyless
from assay.errors import InputError, IntegrityError
from assay.packaging.keyless import Claims, check_certificate, trusted_root
from assay.packaging.keys import Trusted, load_trust
from assay.packaging.signing import sign_keyless
from assay.packaging.verify import verified, verify_bundle
from support.bundles import KEYLESS, REPOSITORY, TRUST, bundle
from support.small_sigstore import NOW, SmallSigstore, claiming, new_key

CLAIMS = Claims.of(KEYLESS)
SIGSTORE = SmallSigstore()
Damage = Callable[[dict[str, Any]], None]


def certificate(claims: Claims = CLAIMS, *, without: str = "") -> x509.Certificate:
    """Make a certificate with claims, by anybody."""
    key = new_key()
    builder = claiming(claims, key, without=without).issuer_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256())


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


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return SIGSTORE.write_trusted_root(tmp_path_factory.mktemp("root") / "trusted_root.json")


@pytest.fixture
def trust(root: Path) -> Trusted:
    return Trusted(keyless=KEYLESS, trusted_root=root)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle(tmp_path_factory.mktemp("bundle"))[0]


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """Give a bundle that is signed without a key, for the repository that it says."""
    copied = Path(shutil.copytree(whole, tmp_path / "bundle"))
    sign(copied)
    return copied


def sign(folder: Path, claims: Claims = CLAIMS, *, at: datetime = NOW) -> None:
    document = json.loads((folder / "model.sig").read_text())
    payload = base64.b64decode(document["dsseEnvelope"]["payload"])
    (folder / "model.sig").write_text(SIGSTORE.sign(payload, claims, at=at))


def test_a_keyless_bundle_is_verified_without_a_network(
    folder: Path, trust: Trusted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("asked a network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    signer = verified(folder, trust, REPOSITORY).signer
    assert (signer.kind, signer.identity) == ("keyless", f"https://github.com/{REPOSITORY}")
    assert KEYLESS.workflow in signer.name


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"repository": "https://github.com/mallory/churn"}, "signed for another repository"),
        ({"ref": "refs/heads/feature"}, "the ref of"),
        ({"workflow": "https://github.com/mallory/x/.github/workflows/y.yml@main"}, "the workflow"),
        ({"issuer": "https://token.actions.example"}, "the issuer"),
    ],
)
def test_a_whole_signature_with_another_claim_is_refused(
    folder: Path, trust: Trusted, changes: dict[str, str], words: str
) -> None:
    sign(folder, replace(CLAIMS, **changes))
    with pytest.raises(IntegrityError, match=words):
        verify_bundle(folder, trust, REPOSITORY)


def test_a_bundle_of_one_repository_signed_by_another_is_refused(folder: Path, root: Path) -> None:
    theirs = replace(CLAIMS, repository="https://github.com/mallory/churn")
    sign(folder, theirs)
    rule = KEYLESS.model_copy(update={"repository": "mallory/churn"})
    with pytest.raises(IntegrityError, match="signed for another repository"):
        verify_bundle(folder, Trusted(keyless=rule, trusted_root=root), None)


def test_another_root_of_trust_is_refused(folder: Path, tmp_path: Path) -> None:
    other = SmallSigstore().write_trusted_root(tmp_path / "other.json")
    with pytest.raises(IntegrityError, match="does not hold"):
        verify_bundle(folder, Trusted(keyless=KEYLESS, trusted_root=other), REPOSITORY)


@pytest.mark.parametrize("minutes", [-30, 30])
def test_a_signature_out_of_the_certificates_time_is_refused(
    folder: Path, trust: Trusted, minutes: int
) -> None:
    sign(folder, at=NOW + timedelta(minutes=minutes))
    with pytest.raises(IntegrityError, match="does not hold"):
        verify_bundle(folder, trust, REPOSITORY)


def _entry(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["verificationMaterial"]["tlogEntries"][0]
    return found


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d["verificationMaterial"].update(tlogEntries=[]),
        lambda d: _entry(d).update(integratedTime="1"),
        lambda d: _entry(d)["inclusionProof"].update(rootHash="AAAA"),
        lambda d: _entry(d)["inclusionPromise"].update(signedEntryTimestamp="AAAA"),
        lambda d: d["dsseEnvelope"].update(payload="e30="),
        lambda d: d["dsseEnvelope"]["signatures"][0].update(sig="AAAA"),
    ],
)
def test_what_no_log_recorded_is_refused(folder: Path, trust: Trusted, damage: Damage) -> None:
    document = json.loads((folder / "model.sig").read_text())
    damage(document)
    (folder / "model.sig").write_text(json.dumps(document))
    with pytest.raises(IntegrityError):
        verify_bundle(folder, trust, REPOSITORY)


def test_an_altered_file_is_refused_whoever_signed(folder: Path, trust: Trusted) -> None:
    (folder / "model/model.skops").write_bytes(b"another")
    with pytest.raises(IntegrityError, match="tampered"):
        verify_bundle(folder, trust, REPOSITORY)


def test_a_statement_of_other_files_is_refused(folder: Path, trust: Trusted) -> None:
    document = json.loads((folder / "model.sig").read_text())
    statement = json.loads(base64.b64decode(document["dsseEnvelope"]["payload"]))
    statement["predicate"]["resources"].pop()
    payload = json.dumps(statement).encode()
    (folder / "model.sig").write_text(SIGSTORE.sign(payload, CLAIMS))
    with pytest.raises(IntegrityError, match="never signed"):
        verify_bundle(folder, trust, REPOSITORY)


def test_a_keyless_signature_counts_only_where_it_is_trusted(folder: Path) -> None:
    with pytest.raises(IntegrityError, match="no keyless signature is trusted"):
        verify_bundle(folder, TRUST, REPOSITORY)


def test_the_public_root_of_trust_refuses_a_small_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with pytest.raises(IntegrityError, match="does not hold"):
        verify_bundle(folder, Trusted(keyless=KEYLESS), REPOSITORY)


def test_the_command_says_how_old_signature_and_root_are(
    folder: Path, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "assay.yaml").write_text(
        "version: 1\n"
        "models: {churn: {predictions: p.csv, gates: {accuracy: {margin: 0.01}}}}\n"
        "delivery:\n"
        "  targets: {production: {kind: local}}\n"
        f"  trust: {{keyless: {{workflow: '{KEYLESS.workflow}', repository: {REPOSITORY},\n"
        "    trusted_root: root.json}}\n"
    )
    shutil.copy(root, tmp_path / "root.json")
    config = str(tmp_path / "assay.yaml")
    assert run(["verify", "--bundle", str(folder), "--config", config]) == 0
    printed = capsys.readouterr().out
    assert f"recorded {NOW:%Y-%m-%d %H:%M} UTC" in printed
    assert f"root of trust is of {NOW - timedelta(days=1):%Y-%m-%d}" in printed


def test_the_configuration_names_the_root_of_trust(tmp_path: Path) -> None:
    rule = KEYLESS.model_copy(update={"trusted_root": "root.json"})
    trust = Trust(keys=(), keyless=rule)
    assert trust.files == ("root.json",)
    assert load_trust(trust, tmp_path).trusted_root == tmp_path / "root.json"


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
