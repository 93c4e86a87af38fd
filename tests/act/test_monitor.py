"""The loop through the shipped workflows: judged, watched, told, and trained anew.

The log and the late labels are real files, and nobody says what the model should be worth: the
gate's evidence does.
"""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.act.result import RunResult
from support.production import LOG

from .conftest import StartGated
from .gating import Gated, document, gate_job
from .pipelines import start_piped

pytestmark = [pytest.mark.act, pytest.mark.timeout(1800)]

MONITOR = "monitor.yml"
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


def answers(
    folder: Path, version: str, hours: Sequence[int], *, right: float, an_hour: int = 60
) -> None:
    """Log so many hours ago what `version` said, and let the labels come half an hour later.

    A second look reads the windows of the last three hours again: twice the delay, and one.
    """
    random, now = np.random.default_rng(len(version)), datetime.now(UTC)
    rows, labels = [], []
    for ago in hours:
        for number in range(an_hour):
            time = now - timedelta(hours=ago, minutes=number % 59, seconds=5)
            truth, hit = number % 2, random.random() < right
            key = f"{version[:8]}-{ago}-{number}"
            said = {"prediction": truth if hit else 1 - truth}
            rows.append(
                {
                    "request_id": key, "row": 0, "version": version, "assigned": version,
                    "mirrored": False, "time": time, "input": "{}", "output": json.dumps(said),
                }
            )  # fmt: skip
            known = time + timedelta(minutes=30)
            if known < now:
                labels.append((key, truth, known.isoformat()))
    (folder / "log").mkdir(exist_ok=True)
    table = pa.Table.from_pylist(rows, schema=LOG)
    pq.write_table(table, folder / "log" / f"{version[:8]}-{min(hours)}.parquet")
    new = not (folder / "labels.csv").exists()
    with (folder / "labels.csv").open("a", newline="") as stream:
        out = csv.writer(stream)
        out.writerows([*([("request_id", "label", "known")] if new else ()), *labels])


def watch(gated: Gated) -> RunResult:
    """Run what the schedule starts."""
    run = gated.harness.run(MONITOR, gated.harness.dispatch_event("main"))
    assert run.result == "success", "\n".join(job.log for job in run.jobs)
    return run


def log_of(run: RunResult, job: str) -> str:
    (found,) = [one for one in run.jobs if one.name.endswith(job)]
    return found.log


def look_of(run: RunResult) -> dict[str, Any]:
    """The look that a run kept."""
    (found,) = [item for item in run.artifacts if item.name.startswith("assay-look-")]
    with zipfile.ZipFile(found.archive) as archive:
        loaded: dict[str, Any] = json.loads(archive.read("toy/monitor.json"))
        return loaded


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
