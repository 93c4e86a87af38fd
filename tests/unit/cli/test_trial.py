"""``assay trial``: a signed bundle, served for real and tried; or refused before it is."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from assay.cli.edge import run
from assay.evidence import LoadTest, StagingReport, Training, tree_digest
from assay.gate.run import Request, run_gate
from assay.github.settings import read_settings
from assay.packaging.build import package
from assay.packaging.bundle import Bundle
from assay.packaging.signing import sign_with_key
from support.bundles import PRIVATE, PUBLIC, bundle, ingredients
from support.evidence_folders import MODEL
from support.models import probe_model

CONFIG = """\
version: 1
models:
  churn:
    predictions: p.csv
    artifact: model
    environment: none
    gates: {{accuracy: {{margin: 0.05}}}}
    delivery: {{targets: [production]}}
delivery:
  targets: {{production: {{kind: local, python: {python}}}}}
  trust: {{keys: [signing.pub]}}
"""


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GITHUB_EVENT_NAME", "GITHUB_OUTPUT", "RUNNER_TEMP", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "assay.yaml").write_text(CONFIG.format(python=sys.executable))
    (tmp_path / "signing.pub").write_bytes(PUBLIC)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def servable(folder: Path, expected: str | None, **how: object) -> Path:
    """A signed bundle whose model is served in a moment; ``expected`` is its offline answer."""
    made = ingredients(folder)
    shutil.rmtree(made.artifact)
    shutil.move(probe_model(folder / "probe", 7, **how).folder / "model", made.artifact)
    (made.artifact / "input_example.json").write_text('{"columns": ["a"], "data": [[1.0]]}')
    if expected is not None:
        (made.artifact / "output_example.json").write_text(expected)
    training = Training.read(made.evidence / MODEL)
    digest = tree_digest(made.artifact)
    training.model_copy(update={"model_digest": digest}).write(made.evidence / MODEL)
    run_gate(Request(evidence=made.evidence, publisher="file"), read_settings({}), say=id)
    package(made.wanted(), partial(sign_with_key, private_pem=PRIVATE))
    return made.folder


def test_a_version_is_served_tried_and_handed_to_the_integration_tests(
    there: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(servable(there / "made", "[7]"))
    ask = (
        'python3 -c "import os, urllib.request as u; '
        "u.urlopen(os.environ['ASSAY_URL'] + '/ping')\""
    )
    assert run(["trial", "--bundle", folder, "--integration", ask]) == 0
    said = capsys.readouterr().out
    assert "smoke: passed: All 4 questions are answered as they should be." in said
    assert "1 of 1 rows of the example are served as output_example.json says" in said
    assert "tests: passed" in said
    assert "load: left-out: This is the first version here" in said
    assert StagingReport.read(there / ".assay/trial/churn").target == "trial"
    assert run(["trial", "--bundle", folder, "--integration", "exit 3"]) == 1
    assert "tests: failed" in capsys.readouterr().out


def test_a_version_that_answers_otherwise_than_offline_fails(
    there: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["trial", "--bundle", str(servable(there / "made", "[8]"))]) == 1
    assert "served otherwise than output_example.json says" in capsys.readouterr().out


def test_what_there_is_nothing_to_hold_to_is_said_and_fails_nothing(
    there: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["trial", "--bundle", str(servable(there / "made", None))]) == 0
    said = capsys.readouterr().out
    assert "3 questions are answered as they should be; not measured: offline." in said
    assert "There are no test rows" in said


@pytest.mark.heavy
def test_a_serving_version_is_compared_with_under_load(
    there: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = there / "assay.yaml"
    load = "staging: {load: {rate: 15, seconds: 1, rounds: 5}}"
    config.write_text(
        config.read_text().replace("targets: [production]}", f"targets: [production], {load}}}")
    )
    new, old = servable(there / "new", "[7]", sleep=0.2), servable(there / "old", "[7]")
    assert run(["trial", "--bundle", str(new), "--serving-bundle", str(old)]) == 1
    assert "load: failed: Under load" in capsys.readouterr().out
    found = LoadTest.read(there / ".assay/trial/churn")
    assert (found.serving, found.new) == (Bundle.read(old).digest(), Bundle.read(new).digest())
    assert all(side.memory for each in found.rounds for side in (each.new, each.serving))


def test_what_is_altered_is_never_started(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _ = bundle(there / "made")
    (folder / "model" / "model.skops").write_bytes(b"other")
    assert run(["trial", "--bundle", str(folder)]) == 4
    assert "model.skops" in capsys.readouterr().err
    assert not list(there.glob("**/envoy.pid"))
