"""``assay package`` and ``assay verify --bundle``, from the command line to the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.cli.edge import run
from assay.evidence import file_digest
from support.bundles import PRIVATE, PUBLIC, REPOSITORY, Made, ingredients


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    for name in ("GITHUB_ACTIONS", "GITHUB_REPOSITORY", "GITHUB_OUTPUT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "signing.pem").write_bytes(PRIVATE)
    (tmp_path / "signing.pub").write_bytes(PUBLIC)
    return ingredients(tmp_path)


def package(*more: str) -> int:
    artifact = () if "--artifact" in more else ("--artifact", "model")
    return run(["package", "--evidence", "evidence", *artifact, "--output", "bundle", *more])


def test_what_was_packaged_verifies(
    made: Made, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    assert package("--signing-key", "signing.pem") == 0
    digest = file_digest(tmp_path / "bundle/bundle.json")
    assert digest in (tmp_path / "outputs").read_text()
    arguments = ["verify", "--bundle", "bundle", "--key", "signing.pub"]
    assert run([*arguments, "--repository", REPOSITORY]) == 0
    printed = capsys.readouterr().out
    assert f"artifact digest: {digest}" in printed
    assert "signed by key signing.pub" in printed
    assert run([*arguments, "--repository", "octo/other"]) == 4
    assert "another repository" in capsys.readouterr().err


def test_the_key_can_come_as_text(
    made: Made, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSAY_SIGNING_KEY", PRIVATE.decode())
    assert package() == 0
    monkeypatch.setenv("ASSAY_SIGNING_KEY", PRIVATE.decode()[:-80])
    assert package("--output", "other") == 2
    assert PRIVATE.decode().splitlines()[1] not in capsys.readouterr().err


def test_the_configuration_says_who_is_trusted(
    made: Made, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert package("--signing-key", "signing.pem") == 0
    models = "models: {churn: {predictions: p.csv, gates: {accuracy: {margin: 0.01}}}}\n"
    config = tmp_path / "assay.yaml"
    config.write_text(f"version: 1\n{models}")
    assert run(["verify", "--bundle", "bundle"]) == 2
    assert "nobody's signature is trusted" in capsys.readouterr().err
    config.write_text(
        f"version: 1\n{models}delivery:\n  targets: {{production: {{kind: local}}}}\n"
        "  trust: {keys: [signing.pub]}\n"
    )
    assert run(["verify", "--bundle", "bundle"]) == 0


@pytest.mark.parametrize("arguments", [(), ("--keyless", "--signing-key", "signing.pem")])
def test_exactly_one_way_to_sign(
    made: Made, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert package(*arguments) == 2
    assert "--signing-key" in capsys.readouterr().err


def test_altered_evidence_is_not_packaged(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    verdict = made.evidence / "verdict.json"
    verdict.write_text(verdict.read_text().replace("no worse", "better"))
    assert package("--signing-key", "signing.pem") == 4
    assert not made.folder.exists()


def test_a_failing_verdict_exits_1_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "signing.pem").write_bytes(PRIVATE)
    ingredients(tmp_path, wrong=120)
    assert package("--signing-key", "signing.pem") == 1
    assert "the verdict is fail" in capsys.readouterr().err


def test_half_a_bundle_exits_4(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    assert package("--signing-key", "signing.pem") == 0
    (made.folder / "bundle.json").unlink()
    assert run(["verify", "--bundle", "bundle", "--key", "signing.pub"]) == 4
    assert "half" in capsys.readouterr().err


def test_an_image_context_is_written_beside_the_bundle(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needs = ("mlflow-skinny", "pandas", "pyarrow", "uvicorn")
    lines = [f"{name}==1.0 --hash=sha256:{'a' * 64}" for name in needs]
    (tmp_path / "lock.txt").write_text("\n".join(lines))
    image = ("--image-context", "context", "--lock", "lock.txt")
    assert package("--signing-key", "signing.pem", *image) == 2
    assert "--base" in capsys.readouterr().err
    assert not made.folder.exists()
    assert package("--signing-key", "signing.pem", *image, "--base", f"p@sha256:{'a' * 64}") == 0
    assert (tmp_path / "context/serving/server.py").is_file()
    digest = file_digest(tmp_path / "bundle/bundle.json")
    assert digest in (tmp_path / "context/Dockerfile").read_text()
