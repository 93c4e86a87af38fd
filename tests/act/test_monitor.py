"""The loop through the shipped workflows: judged, watched, told, and trained anew.

The log and the late labels are real files, and nobody says what the model should be worth: the
gate's evidence does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest

from assay.act.result import RunResult
from assay.evidence import Reference
from support.buckets import BUCKET, Storage, serving_storage

from .conftest import StartGated
from .gating import TOY, Gated, document, gate_job
from .pipelines import start_piped
from .watching import MONITOR, answers, caller, log_of, look_of

pytestmark = [pytest.mark.act, pytest.mark.timeout(1800)]

WATCHED = """\
    monitoring:
      logs: {{source: {0}/log}}
      labels: {{source: {0}/labels.csv, time: known, delay: 3600}}
      window: 3600
      silence: 172800
      quality: {{accuracy: {{margin: 0.02}}}}
      alerts: {{owner: the toy's keepers}}
    retrain:
      cooldown: 0
      new_data: {{source: "dvc:predictions.csv", share: 0.5}}
"""


def watch(gated: Gated) -> RunResult:
    """Run what the schedule starts."""
    run = gated.harness.run(MONITOR, gated.harness.dispatch_event("main"))
    assert run.result == "success", "\n".join(job.log for job in run.jobs)
    return run


def issues(gated: Gated) -> list[dict[str, Any]]:
    api = gated.harness.github
    found: list[dict[str, Any]] = api.demand("GET", "/repos/octo/toy/issues?state=all")
    return found


def kept(scratch: Path) -> set[str]:
    """What the newest cache holds of the look's state."""
    (newest,) = sorted(scratch.rglob("cache/*/*/0/look"), key=lambda one: one.stat().st_mtime)[-1:]
    return {path.relative_to(newest).as_posix() for path in newest.rglob("*") if path.is_file()}


def test_a_model_that_got_worse_is_told_of_once_and_trained_anew(
    start_gated: StartGated, tmp_path: Path
) -> None:
    production = tmp_path / "production"
    production.mkdir()
    gated, feed = start_piped(start_gated, tmp_path, WATCHED.format(production))
    harness = gated.harness
    train = (gated.consumer.root / "train.py").read_text()
    pull = gated.propose("change", {"train.py": train + "\n"})
    judged = gated.gate(pull)
    assert gate_job(judged).result == "success", gate_job(judged).log
    assert document(judged, "toy/reference.json")["quality"] == {"accuracy": 0.8}
    harness.merge_pull_request(pull, squash=True)

    answers(production, "v1", range(4, 30), right=0.8)
    first = watch(gated)
    tree = document(judged, "plan.json")["head"]["tree"]
    assert f"Earlier evidence of tree {tree[:12]}" in log_of(first, "Look")
    (rule,) = look_of(first)["rules"]
    assert (rule["base"], rule["state"]) == (0.8, "inconclusive")
    assert issues(gated) == []
    assert "toy: nothing asks for a retraining" in log_of(first, "Decide")
    assert "new data: 1,000 rows are the first count" in log_of(first, "Decide")
    state = {"labels.parquet", "columns.parquet", "state.json", f"reference/{tree}/reference.json"}
    assert kept(tmp_path) >= state

    answers(production, "v1", range(2, 4), right=0.5, an_hour=600)
    feed.write_text("900\n")
    second = watch(gated)
    assert f"restored from assay-monitor-@{first.run_id}-1" in log_of(second, "Look")
    assert "Earlier evidence" not in log_of(second, "Look"), "what was fetched is kept"
    (issue,) = issues(gated)
    assert (issue["state"], issue["title"]) == ("open", "toy: quality of accuracy")
    assert "was promised: worse by" in issue["body"]
    assert "toy is to be trained anew" in log_of(second, "Decide")
    (proposed,) = [one for one in harness.github.records.pulls.values() if one.state == "open"]
    assert proposed.head_ref == "assay/retrain/toy"
    assert harness.remote.git("diff", "--name-only", "main", proposed.head_ref) == "dvc.lock"

    third = watch(gated)
    assert [one["number"] for one in issues(gated)] == [issue["number"]]
    assert "is to be trained anew" not in log_of(third, "Decide")

    answers(production, "v2-mended", range(2), right=0.8)
    watch(gated)
    (closed,) = issues(gated)
    assert (closed["number"], closed["state"]) == (issue["number"], "closed")


IN_A_BUCKET = f"""\
    monitoring:
      logs: {{source: "s3://{BUCKET}/log"}}
      labels: {{source: "s3://{BUCKET}/labels.csv", time: known, delay: 3600}}
      window: 3600
      silence: 172800
      quality: {{accuracy: {{margin: 0.05}}}}
      alerts: {{owner: the toy's keepers}}
"""


def upload(storage: Storage, folder: Path) -> None:
    """Put what production left into the bucket."""
    client = boto3.client(
        "s3", endpoint_url=storage.address, region_name="us-east-1",
        aws_access_key_id=storage.key, aws_secret_access_key=storage.secret,
    )  # fmt: skip
    for path in folder.rglob("*"):
        if path.is_file():
            client.upload_file(str(path), BUCKET, path.relative_to(folder).as_posix())


def test_logs_in_a_bucket_are_read_with_the_jobs_own_state_and_reference(
    start_gated: StartGated, tmp_path: Path
) -> None:
    production, state, promised = (tmp_path / name for name in ("production", "kept", "promised"))
    production.mkdir()
    answers(production, "v1", range(4, 12), right=0.8)
    Reference(model="toy", columns=(), quality={"accuracy": 0.77}).write(promised / "toy")
    settings = f'buckets: true, state: "{state}", reference: "{promised}"'
    secrets = 'data-credentials: "${{ secrets.BUCKET }}"'
    config = (TOY / "assay.yaml").read_text() + IN_A_BUCKET
    files: dict[str, str | bytes] = {
        "assay.yaml": config,
        f".github/workflows/{MONITOR}": caller(settings, secrets),
    }
    with serving_storage() as storage:
        upload(storage, production)
        known = storage.dotenv() + f"AWS_ENDPOINT_URL={storage.address}\nAWS_REGION=us-east-1\n"
        gated = start_gated(files, secrets={"BUCKET": known})
        run = watch(gated)
    look, log = look_of(run), log_of(run, "Look")
    assert sum(window["predictions"] for window in look["windows"]) == 480
    assert look["labels"]["known"] == 480
    (rule,) = look["rules"]
    assert (rule["base"], rule["n"]) == (0.77, 480)
    assert "Earlier evidence" not in log, "the folder that is named says what was promised"
    assert storage.secret not in "\n".join(job.log for job in run.jobs)
    assert (state / "look/state.json").is_file()
    assert (state / "look/last/toy/monitor.json").is_file()
    assert list(tmp_path.rglob("cache/*/*/0/look")) == [], "its folder is no cache of GitHub's"
