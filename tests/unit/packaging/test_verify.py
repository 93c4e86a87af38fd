"""Verification of a bundle, offline: each refusal by its own sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.errors import InputError, IntegrityError
from assay.evidence import Outcome, Verdict, file_digest, tree_digest
from assay.packaging.bundle import Bundle, BundleFile, JudgedBy
from assay.packaging.keys import PublicKey, Trusted, new_key
from assay.packaging.verify import verified, verify_bundle
from support.bundles import PRIVATE, REPOSITORY, TRUST, bundle, resigned


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, _ = bundle(tmp_path_factory.mktemp("bundle"))
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "bundle"))


def refused(folder: Path, words: str, trust: Trusted = TRUST) -> IntegrityError:
    with pytest.raises(IntegrityError, match=words) as error:
        verify_bundle(folder, trust, REPOSITORY)
    assert error.value.exit_code == 4
    assert error.value.remedy
    return error.value


def described(folder: Path, **changes: object) -> None:
    """Write bundle.json again with changes, its list of files true, and sign it."""
    document = Bundle.read(folder)
    files = [
        BundleFile(file=name, sha256=file_digest(folder / name), bytes=1)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and (name := path.relative_to(folder).as_posix()) not in ("bundle.json", "model.sig")
    ]
    document.model_copy(update={"files": tuple(files), **changes}).write(folder)
    resigned(folder)


def test_a_whole_bundle_names_its_signer_and_its_digest(folder: Path) -> None:
    found = verified(folder, TRUST, REPOSITORY)
    assert (found.signer.kind, found.signer.name) == ("key", "keys/own.pub")
    assert found.artifact_digest == file_digest(folder / "bundle.json")


def test_another_folder_name_changes_nothing(folder: Path) -> None:
    verify_bundle(folder.rename(folder.with_name("moved")), TRUST, "OCTO/churn")


def test_unsigned(folder: Path) -> None:
    (folder / "model.sig").unlink()
    refused(folder, "unsigned")


@pytest.mark.parametrize("name", ["model/model.skops", "evidence/verdict.json", "README.md"])
def test_an_altered_file_is_named(folder: Path, name: str) -> None:
    with (folder / name).open("ab") as stream:
        stream.write(b" ")
    assert str(refused(folder, "tampered").where).endswith(name)


def test_an_altered_file_and_list_break_the_signature(folder: Path) -> None:
    (folder / "model/model.skops").write_bytes(b"another")
    signature = (folder / "model.sig").read_bytes()
    described(folder)
    (folder / "model.sig").write_bytes(signature)
    refused(folder, r"not what keys/own\.pub signed")


@pytest.mark.parametrize("name", ["model/code.py", ".gitignore", ".git/hooks/post-checkout"])
def test_an_extra_file_is_named(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("print('hello')")
    assert str(refused(folder, "tampered").where).endswith(name)


def test_an_extra_link_is_refused(folder: Path) -> None:
    (folder / "model/link").symlink_to("/etc/hostname")
    refused(folder, "neither a file nor a folder")


@pytest.mark.parametrize("name", ["bundle.json", "model/MLmodel", "sbom.cdx.json"])
def test_half_a_bundle(folder: Path, name: str) -> None:
    (folder / name).unlink()
    refused(folder, "half")


def test_an_unknown_key(folder: Path) -> None:
    stranger, _ = new_key()
    resigned(folder, stranger)
    assert "keys/own.pub" in refused(folder, "unknown key").message


def test_a_stranger_who_claims_a_trusted_key(folder: Path) -> None:
    ours = json.loads((folder / "model.sig").read_text())["verificationMaterial"]
    stranger, _ = new_key()
    resigned(folder, stranger)
    document = json.loads((folder / "model.sig").read_text())
    document["verificationMaterial"] = ours
    (folder / "model.sig").write_text(json.dumps(document))
    refused(folder, r"not what keys/own\.pub signed")


def test_no_trust_at_all(folder: Path) -> None:
    refused(folder, "trusted: none", Trusted())


def test_the_second_trusted_key_counts_too(folder: Path) -> None:
    _, other = new_key()
    both = Trusted(keys=(PublicKey.parse(other, name="other.pub"), *TRUST.keys))
    assert verified(folder, both, REPOSITORY).signer.name == "keys/own.pub"


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"dsseEnvelope": {"payload": "!"}}'])
def test_what_is_no_signature(folder: Path, text: str) -> None:
    (folder / "model.sig").write_text(text)
    refused(folder, "no signature")


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d["dsseEnvelope"].pop("signatures"),
        lambda d: d["dsseEnvelope"].update(signatures=[]),
        lambda d: d["dsseEnvelope"]["signatures"][0].update(sig="AAAA"),
        lambda d: d.update(mediaType="text/plain"),
        lambda d: d["dsseEnvelope"].update(payloadType="text/plain"),
        lambda d: d["dsseEnvelope"].update(payload="e30="),
    ],
)
def test_a_damaged_signature(folder: Path, damage: Callable[[dict[str, object]], None]) -> None:
    document = json.loads((folder / "model.sig").read_text())
    damage(document)
    (folder / "model.sig").write_text(json.dumps(document))
    refused(folder, "not what|no signature")


def test_signed_for_another_repository(folder: Path) -> None:
    described(folder, repository="mallory/churn")
    assert "mallory/churn" in refused(folder, "another repository").message


def test_not_the_artifact_that_the_verdict_was_about(folder: Path) -> None:
    (folder / "model/model.skops").write_bytes(b"another")
    described(folder, model_digest=tree_digest(folder / "model"))
    refused(folder, "not the artifact that the verdict was about")


def test_a_model_digest_that_is_not_the_models(folder: Path) -> None:
    (folder / "model/model.skops").write_bytes(b"another")
    described(folder)
    refused(folder, r"not the artifact that bundle\.json names")


def test_a_verdict_that_fails(folder: Path) -> None:
    failing = Verdict.read(folder / "evidence").model_copy(update={"state": Outcome.FAIL})
    failing.write(folder / "evidence")
    judged = JudgedBy(state=Outcome.PASS, sentence="fine", sha256=failing.digest())
    described(folder, verdict=judged, evidence_digest=tree_digest(folder / "evidence"))
    refused(folder, "no passing evidence")


def test_a_verdict_that_is_not_the_evidences(folder: Path) -> None:
    judged = JudgedBy(state=Outcome.PASS, sentence="fine", sha256="0" * 64)
    described(folder, verdict=judged)
    refused(folder, "something else of the verdict")


def test_a_tree_that_was_not_judged(folder: Path) -> None:
    described(folder, tree="9" * 40)
    refused(folder, "something else")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        verify_bundle(tmp_path / "gone", TRUST, REPOSITORY)


def test_the_signature_is_one_that_model_signing_accepts_by_itself(folder: Path) -> None:
    from model_signing import verifying  # noqa: PLC0415

    (folder.parent / "own.pub").write_bytes(TRUST.keys[0].pem)
    config = verifying.Config().use_elliptic_key_verifier(public_key=folder.parent / "own.pub")
    config.verify(folder, folder / "model.sig")
    assert PRIVATE not in (folder / "model.sig").read_bytes()
