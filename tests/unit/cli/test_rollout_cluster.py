"""`assay rollout manifests` and `judge`: what they print for a cluster, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from assay.cli.rollout_judge import judge
from assay.cli.rollout_manifests import manifests
from assay.errors import InputError
from support.clusters import CANARY

CONFIG = """
version: 1
models:
  churn:
    predictions: p.csv
    artifact: model
    tests: null
    gates: {accuracy: {margin: 0.05}}
    delivery: {targets: [here, cluster]}
delivery:
  targets:
    here: {kind: local}
    cluster: {kind: kubernetes, image: "models.example/churn:{digest}"}
"""
TOOLS = ("--toolkit-image", "tools.example/assay:1")


@pytest.fixture
def config(tmp_path: Path) -> str:
    file = tmp_path / "assay.yaml"
    file.write_text(CONFIG)
    return str(file)


def test_a_canary_is_printed_as_one_yaml_stream(config: str) -> None:
    given = ["--config", config, "--target", "cluster", "--candidate", CANARY, *TOOLS]
    done = CliRunner().invoke(manifests, given, catch_exceptions=False)
    kinds = [each["kind"] for each in yaml.safe_load_all(done.output)]
    assert {"Rollout", "AnalysisTemplate", "HTTPRoute"} <= set(kinds)
    assert CANARY in done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", "here", "--candidate", CANARY], "here is a local target, and no cluster"),
        (["--target", "cluster", "--candidate", "3f1c"], "is no artifact digest"),
        (["--target", "nowhere", "--candidate", CANARY], "there is no target 'nowhere'"),
    ],
)
def test_what_cannot_be_rendered_is_refused(config: str, arguments: list[str], words: str) -> None:
    given = ["--config", config, *arguments, *TOOLS]
    with pytest.raises(InputError, match=words):
        CliRunner().invoke(manifests, given, catch_exceptions=False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", "here", "--candidate", CANARY], "Its own controller judges"),
        (["--target", "cluster"], "Name its artifact digest"),
        (["--target", "cluster", "--listen", "8081"], "is no HOST:PORT"),
        (["--target", "cluster", "--listen", "127.0.0.1:99999"], "is no HOST:PORT"),
    ],
)
def test_what_cannot_be_judged_is_refused(
    config: str,
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:9"}}],
        "users": [{"name": "u", "user": {}}],
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(cluster))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    with pytest.raises(InputError, match=words):
        CliRunner().invoke(judge, ["--config", config, *arguments], catch_exceptions=False)


def test_without_a_cluster_there_is_nothing_to_judge(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    given = ["--config", config, "--target", "cluster", "--candidate", CANARY]
    with pytest.raises(InputError, match="no cluster to speak to"):
        CliRunner().invoke(judge, given, catch_exceptions=False)
