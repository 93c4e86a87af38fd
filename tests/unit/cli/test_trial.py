"""``assay trial``: a signed bundle, served for real and tried; or refused before it is."""

from __future__ import annotations

import shutil
import sys
from functools import partial
from pathlib import Path

import pytest

from assay.cli.edge import run
from assay.evidence import Training, tree_digest
from assay.gate.run import Request, run_gate
from assay.github.settings import read_settings
from assay.packaging.build import package
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
    monkeypatch.chdir(tmp_path)
    return tmp_path


def servable(folder: Path, expected: str) -> Path:
    """A signed bundle whose model is served in a moment; ``expected`` is its offline answer."""
    made = ingredients(folder)
    shutil.rmtree(made.artifact)
    shutil.move(probe_model(folder / "probe", 7).folder / "model", made.artifact)
    (made.artifact / "input_example.json").write_text('{"columns": ["a"], "data": [[1.0]]}')
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
        "python3 -c \"import os, urllib.request as u; u.urlopen(os.environ['ASSAY_STAGING_URL'])\""
    )
    tests = f'{ask}; test -n "$ASSAY_STAGING_URL"'
    assert run(["trial", "--bundle", folder, "--integration", tests]) == 0
    assert "answers its example as it should" in capsys.readouterr().out
    assert run(["trial", "--bundle", folder, "--integration", "exit 3"]) == 1
    assert "the integration tests ended with 3" in capsys.readouterr().err


def test_a_version_that_answers_otherwise_than_offline_fails(
    there: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["trial", "--bundle", str(servable(there / "made", "[8]"))]) == 1
    assert "served otherwise than it was evaluated offline" in capsys.readouterr().err


def test_what_is_altered_is_never_started(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _ = bundle(there / "made")
    (folder / "model" / "model.skops").write_bytes(b"other")
    assert run(["trial", "--bundle", str(folder)]) == 4
    assert "model.skops" in capsys.readouterr().err
    assert not list(there.glob("**/envoy.pid"))
