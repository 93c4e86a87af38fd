"""From a merge to a signed intent on the git remote: packaged, registered in a real MLflow."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from assay.act.result import RunResult
from assay.packaging.bundle import Bundle
from assay.packaging.keys import Trusted, new_key, public_key_of
from assay.rollout.controller.chain import Place
from assay.rollout.controller.intake import Rejected, Rules, checked
from assay.state import Remote, Signed, open_desired, read_intents
from support.mlflow_server import mlflow_server

from .conftest import StartGated
from .gating import BETTER, ROOT, TOY, Gated, gate_job, models

pytestmark = [pytest.mark.act, pytest.mark.timeout(1500)]

DELIVER, ROLLOUT = "deliver.yml", "rollout.yml"
PRIVATE, PUBLIC = new_key()
SECRETS = {"ASSAY_SIGNING_KEY": PRIVATE.decode()}
SHIPPED = Path(__file__).with_name("shipped")
DELIVERY = """
delivery:
  targets: {production: {kind: local, python: PYTHON}}
  trust: {keys: [signing.pub]}
"""


def caller(name: str) -> str:
    """The template's caller, without waiting for a controller: there is none here."""
    text = (ROOT / "template-repo/.github/workflows" / name).read_text(encoding="utf-8")
    assert "    with: {" in text
    more = ", trial: true" if name == DELIVER else ""
    return text.replace("    with: {", f"    with: {{wait-minutes: 0{more}, ")


def delivering() -> dict[str, str | bytes]:
    config = (TOY / "assay.yaml").read_text(encoding="utf-8")
    section = "    artifact: model\n    delivery: {targets: [production]}\n"
    return {
        "assay.yaml": config.replace("    tests: null\n", f"    tests: null\n{section}")
        + DELIVERY.replace("PYTHON", sys.executable),
        "train.py": (SHIPPED / "train.py").read_bytes(),
        "limit.txt": "1000\n",
        "signing.pub": PUBLIC,
        ".gitignore": "model/\npredictions.csv\n",
        f".github/workflows/{DELIVER}": caller(DELIVER),
        f".github/workflows/{ROLLOUT}": caller(ROLLOUT),
    }


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(tmp_path_factory.mktemp("served") / "mlflow") as uri:
        yield uri


def deliver(gated: Gated, before: str) -> RunResult:
    return gated.harness.run(DELIVER, gated.harness.push_event("main", before=before))


def logs(run: RunResult) -> str:
    return "\n".join(f"== {job.name}: {job.result}\n{job.log}" for job in run.jobs)


def intents(gated: Gated) -> tuple[Signed, ...]:
    remote = gated.harness.remote
    with open_desired(Remote(address=str(remote.path), environment=remote.env)) as branch:
        return read_intents(branch, "production", "toy")


def rules() -> Rules:
    return Rules(
        place=Place(target="production", model="toy"),
        trusted=Trusted(keys=(public_key_of(PRIVATE),)),
        repository="octo/toy",
    )


def released(run: RunResult, folder: Path) -> Bundle:
    (found,) = [item for item in run.artifacts if item.name == "assay-release-toy"]
    with zipfile.ZipFile(found.archive) as archive:
        archive.extractall(folder)
    return Bundle.read(folder)


def versions(uri: str) -> list[Any]:
    return list(MlflowClient(uri, registry_uri=uri).search_model_versions("name='toy'"))


def test_a_merge_is_registered_from_its_own_evidence_and_asked_for(
    start_gated: StartGated, mlflow: str, tmp_path: Path
) -> None:
    gated = start_gated(
        delivering(), secrets=SECRETS, variables={"MLFLOW_TRACKING_URI": mlflow}, timeout=900.0
    )
    pull = gated.propose("change", {"skill.txt": BETTER})
    judged = gated.gate(pull)
    assert gate_job(judged).result == "success", gate_job(judged).log
    assert "assay-model-toy-1" in {item.name for item in judged.artifacts}
    merged = gated.harness.merge_pull_request(pull, squash=True)

    run = deliver(gated, pull.base_sha)
    assert run.result == "success", logs(run)
    assert models(run) == {}, "the evidence and the bytes of the pull request's run are taken"
    assert "smoke: passed: All 4 questions" in run.job("Try toy").log
    bundle = released(run, tmp_path / "release")
    (version,) = versions(mlflow)
    assert version.tags["assay.signer"].startswith("key ")
    assert bundle.digest() in version.tags.values()
    (signed,) = intents(gated)
    intent = checked(signed, rules(), datetime.now(UTC))
    assert (intent.kind, intent.artifact_digest) == ("deploy", bundle.digest())
    assert (intent.author, intent.pull_request) == (pull.author, pull.number)
    assert intent.strategy is not None
    assert gated.harness.remote.commit_of("main") == merged

    forged = intent.model_copy(update={"artifact_digest": "0" * 64}).to_json().encode()
    altered = Signed(generation=1, content=forged, signature=signed.signature)
    with pytest.raises(Rejected, match="forged or unsigned"):
        checked(altered, rules(), datetime.now(UTC))

    inputs = {"operation": "rollback", "model": "toy", "target": "production", "reason": "bad"}
    moved = gated.harness.run(ROLLOUT, gated.harness.dispatch_event("main", inputs))
    assert moved.result == "success", logs(moved)
    back = checked(intents(gated)[1], rules(), datetime.now(UTC))
    assert (back.kind, back.reason, back.author) == ("rollback", "bad", gated.harness.github.owner)


def test_a_forks_merge_is_gated_again_and_a_key_nobody_trusts_registers_nothing(
    start_gated: StartGated, mlflow: str
) -> None:
    known = len(versions(mlflow))
    wrong = {"ASSAY_SIGNING_KEY": new_key()[0].decode()}
    gated = start_gated(
        delivering(), secrets=wrong, variables={"MLFLOW_TRACKING_URI": mlflow}, timeout=900.0
    )
    pull = gated.propose("change", {"skill.txt": BETTER}, fork="stranger/toy")
    assert gate_job(gated.gate(pull)).result == "success"
    gated.harness.merge_pull_request(pull)

    run = deliver(gated, pull.base_sha)
    assert set(models(run)) == {"toy"}, "a fork's evidence is not taken: the gate runs again"
    assert gate_job(run).result == "success", logs(run)
    register = run.job("Register toy")
    assert register.result == "failure", logs(run)
    assert "signing.pub" in register.log or "trust" in register.log
    assert not [
        job for job in run.jobs if job.name.startswith("Deploy") and job.result != "skipped"
    ]
    assert len(versions(mlflow)) == known
    assert intents(gated) == ()
    assert json.loads(run.payload.read_text())["ref"] == "refs/heads/main"
