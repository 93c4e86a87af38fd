"""Training by Airflow's REST API, against a stand-in that fails where it is told to."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
from typing import Any

import pytest

from assay.errors import AssayError, InputError, IntegrityError, OutsideError
from assay.evidence import StageState
from support.airflow_consumers import ROWS, SECRETS, Site
from support.airflow_stand_in import LOSE, PASSWORD, TOKEN


def test_a_run_is_submitted_watched_and_fetched(site: Site) -> None:
    made = site.train()
    assert made.state is StageState.PASSED, made.reason
    assert (site.sandbox.home / "evidence" / "predictions.csv").read_text() == ROWS
    run = made.orchestrated
    assert run is not None
    assert (run.attached, run.commit, run.data) == (False, site.commit, {"train.csv": "abc"})
    assert site.airflow.runs[run.run]["conf"] == {
        "queue": "gpu",
        "assay": {
            "model": "churn", "commit": site.commit, "path": ".", "command": None, "seed": 7,
            "run": run.run, "outputs": str(site.outputs),
        },
    }  # fmt: skip
    assert site.transcript.lines == [
        "[fit] epoch 1", "[fit] epoch 2", "[fit] epoch 3", "[fit] success",
    ]  # fmt: skip
    assert made.lineage.commit == site.commit
    assert made.lineage.dvc == {"data:train.csv": "abc"}
    assert made.lineage.environment_kind == "airflow"


def test_a_second_submit_attaches_to_the_same_run(site: Site) -> None:
    first, second = site.train(), site.train()
    assert first.orchestrated
    assert second.orchestrated
    assert second.orchestrated.run == first.orchestrated.run
    assert second.orchestrated.attached
    assert len(site.airflow.triggered()) == 1


def test_another_commit_seed_or_conf_is_another_run(site: Site) -> None:
    site.train()
    site.train(conf={"queue": "cpu"})
    commit = site.sandbox.commit({"train.py": "new\n"})
    site.airflow.report = {"commit": commit}
    site.train()
    assert len(site.airflow.runs) == 3


def test_a_lost_answer_to_the_trigger_starts_no_second_run(site: Site) -> None:
    lost: list[str] = []

    def fault(method: str, path: str) -> int | None:
        if method == "POST" and path.endswith("/dagRuns") and not lost:
            lost.append(path)
            return LOSE
        return None

    site.airflow.fault = fault
    made = site.train()
    assert made.state is StageState.PASSED
    assert len(site.airflow.triggered()) == 2
    assert len(site.airflow.runs) == 1


def test_a_failed_run_is_followed_by_another_attempt(site: Site) -> None:
    site.airflow.end = "failed"
    made = site.train()
    assert made.state is StageState.FAILED
    assert made.orchestrated is not None
    first = made.orchestrated.run
    assert made.reason == f"the DAG run {first} failed: task fit: epoch 3"
    site.airflow.end = "success"
    again = site.train()
    assert again.state is StageState.PASSED
    assert again.orchestrated is not None
    assert (again.orchestrated.run, again.orchestrated.attached) == (f"{first}.2", False)


def test_a_run_of_the_same_id_that_somebody_else_made_is_refused(site: Site) -> None:
    made = site.train()
    assert made.orchestrated is not None
    site.airflow.runs[made.orchestrated.run]["conf"] = {}
    with pytest.raises(OutsideError, match="for another order"):
        site.train()


def test_a_timeout_cancels_the_run(site: Site) -> None:
    site.airflow.looks = 10**6
    made = site.train(timeout=0.5)
    assert made.state is StageState.FAILED
    assert "was stopped after" in (made.reason or "")
    (run,) = site.airflow.runs.values()
    assert run["state"] == "failed"
    assert "Cancelled by Assay" in run["note"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_job_cancels_the_run(site: Site, number: int) -> None:
    site.airflow.looks = 10**6
    looked = threading.Event()

    def fault(method: str, path: str) -> None:
        if path.endswith("/taskInstances"):
            looked.set()

    site.airflow.fault = fault

    def stop() -> None:
        looked.wait(60)
        os.kill(os.getpid(), number)

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(KeyboardInterrupt):
        site.train()
    stopper.join()
    (run,) = site.airflow.runs.values()
    assert run["state"] == "failed"
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


STAGES = {
    "submit": ("POST", "/dagRuns"),
    "wait": ("GET", "/taskInstances"),
    "fetch": ("GET", "/return_value"),
}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("status", [LOSE, 503])
def test_a_server_that_dies_is_said_and_its_run_is_found_again(
    site: Site, stage: str, status: int
) -> None:
    method, end = STAGES[stage]
    site.airflow.fault = lambda asked, path: (
        status if asked == method and path.endswith(end) else None
    )
    with pytest.raises(OutsideError, match="cannot be reached") as caught:
        site.train()
    assert caught.value.exit_code == 3
    assert "attaches to it" in str(caught.value)
    site.airflow.fault = lambda _method, _path: None
    made = site.train()
    assert made.state is StageState.PASSED
    assert len(site.airflow.runs) == 1
    assert all(run["state"] == "success" for run in site.airflow.runs.values())


def test_a_server_that_comes_back_in_time_is_waited_for(site: Site) -> None:
    failures = iter([503, LOSE, 500])
    site.airflow.fault = lambda _method, path: (
        next(failures, None) if path.endswith("/taskInstances") else None
    )
    assert site.train(patience=60).state is StageState.PASSED


def test_nothing_listens(site: Site) -> None:
    with pytest.raises(OutsideError, match="cannot be reached: no connection"):
        site.train(url="http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("report", "kind", "message"),
    [
        (None, OutsideError, "returned nothing"),
        ({"sha": "x"}, OutsideError, "names no commit"),
        ({"commit": "f" * 40}, IntegrityError, "and not "),
        ({"commit": "HEAD", "files": ["p.csv"]}, OutsideError, "malformed"),
        ({"commit": "HEAD", "files": {"p.csv": "0" * 64}}, IntegrityError, "not the file"),
    ],
)
def test_a_report_that_says_something_else_is_refused(
    site: Site, report: Any, kind: type[AssayError], message: str
) -> None:
    if report and report.get("commit") == "HEAD":
        report = {**report, "commit": site.commit}
    site.airflow.report = report
    with pytest.raises(kind, match=message):
        site.train()


def test_files_are_held_to_the_digests_of_the_report(site: Site) -> None:
    digest = hashlib.sha256(ROWS.encode()).hexdigest()
    site.airflow.report["files"] = {"p.csv": digest}
    assert site.train().state is StageState.PASSED


def test_a_missing_output_is_no_stale_one(site: Site) -> None:
    (site.outputs / "p.csv").unlink()
    (site.sandbox.root / "p.csv").write_text("stale\n")
    with pytest.raises(OutsideError, match=r"left no p\.csv at .*outputs"):
        site.train()


def test_outputs_by_dvc_need_a_lock_and_a_remote(site: Site) -> None:
    with pytest.raises(OutsideError, match="holds no `dvc_lock`"):
        site.train(outputs="dvc")
    site.airflow.report["dvc_lock"] = "stages: {}"
    with pytest.raises(OutsideError, match="no DVC remote"):
        site.train(outputs="dvc")


def test_credentials_are_declared_and_never_shown(site: Site) -> None:
    site.airflow.lines = [f"connecting with {PASSWORD}"]
    site.airflow.end = "failed"
    made = site.train()
    shown = "\n".join((*site.transcript.lines, *site.transcript.said, made.to_json()))
    assert "connecting with ***" in (made.reason or "")
    assert PASSWORD not in shown
    assert TOKEN not in shown
    site.secrets = {**SECRETS, "AIRFLOW_PASSWORD": "wrong-password"}
    with pytest.raises(OutsideError, match=r"refuses the login \(401\)") as caught:
        site.train()
    assert "wrong-password" not in str(caught.value)
    site.secrets = {}
    with pytest.raises(InputError, match="no credentials for Airflow"):
        site.train()
    site.secrets = {"AIRFLOW_TOKEN": "a-wrong-token"}
    with pytest.raises(OutsideError, match="does not let these credentials"):
        site.train()


def test_what_cannot_be_trained_there_is_said_before_anything_is_asked(site: Site) -> None:
    with pytest.raises(InputError, match="trains what is committed"):
        site.train(dirty=True)
    assert not site.airflow.asked
    with pytest.raises(InputError, match="has no DAG other"):
        site.train(dag="other")
    site.airflow.paused = True
    with pytest.raises(InputError, match="is paused"):
        site.train()
    assert not site.airflow.runs
