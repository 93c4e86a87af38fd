"""From a merge to a signed intent on the git remote: packaged, registered in a real MLflow."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.act.result import RunResult
from assay.packaging.bundle import Bundle
from assay.packaging.keys import new_key
from assay.rollout.controller.intake import Rejected, checked
from assay.state import Signed

from .conftest import StartGated
from .delivering import ROLLOUT, SECRETS, deliver, delivering, intents, logs, rules, versions
from .gating import BETTER, document, gate_job, models
from .watching import MONITOR, answers, caller, log_of, look_of

pytestmark = [pytest.mark.act, pytest.mark.timeout(1500)]

HERE = {"deliver": "wait-minutes: 0, trial: true", "rollout": "wait-minutes: 0"}
"""Without waiting for a controller: there is none."""
WATCHED = """\
    monitoring:
      logs: {{source: {0}/log}}
      window: 3600
      silence: 172800
      quality: {{accuracy: {{margin: 0.02}}}}
      alerts: {{owner: the toy's keepers}}
"""


def watched(folder: Path) -> dict[str, str | bytes]:
    """A delivery of a model that is watched from ``folder``, where the monitor also keeps."""
    files = delivering({"production": 8080}, **HERE)
    section = WATCHED.format(folder) + "    artifact: model\n"
    files["assay.yaml"] = str(files["assay.yaml"]).replace("    artifact: model\n", section)
    files[f".github/workflows/{MONITOR}"] = caller(f'state: "{folder}/kept"')
    return files


def released(run: RunResult, folder: Path) -> Bundle:
    (found,) = [item for item in run.artifacts if item.name == "assay-release-toy"]
    with zipfile.ZipFile(found.archive) as archive:
        archive.extractall(folder)
    return Bundle.read(folder)


def test_a_merge_is_registered_from_its_own_evidence_and_asked_for(
    start_gated: StartGated, mlflow: str, tmp_path: Path
) -> None:
    production = tmp_path / "production"
    production.mkdir()
    gated = start_gated(
        watched(production),
        secrets=SECRETS,
        variables={"MLFLOW_TRACKING_URI": mlflow},
        timeout=900.0,
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

    # What answers is held against its own promise: the log names the bundle, which this run keeps.
    answers(production, bundle.digest(), range(1, 3), right=0.9)
    looked = gated.harness.run(MONITOR, gated.harness.dispatch_event("main"))
    assert looked.result == "success", logs(looked)
    tree = document(judged, "plan.json")["head"]["tree"]
    assert f"Earlier evidence of tree {tree[:12]}" in log_of(looked, "Look")
    look = look_of(looked)
    assert look["version"] == bundle.digest()
    assert [rule["base"] for rule in look["rules"]] == [0.85]
    kept = production / "kept/look/reference" / bundle.digest() / "reference.json"
    assert json.loads(kept.read_text()) == document(judged, "toy/reference.json")


def test_a_forks_merge_is_gated_again_and_a_key_nobody_trusts_registers_nothing(
    start_gated: StartGated, mlflow: str
) -> None:
    known = len(versions(mlflow))
    wrong = {"ASSAY_SIGNING_KEY": new_key()[0].decode()}
    gated = start_gated(
        delivering({"production": 8080}, **HERE),
        secrets=wrong,
        variables={"MLFLOW_TRACKING_URI": mlflow},
        timeout=900.0,
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
