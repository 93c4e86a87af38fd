"""The ledger's faults through the command line: each a stated result, and a kill loses nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.cli.edge import run
from faults.conftest import Case, Place
from faults.test_events import PULL_REQUEST, RUNNER, SHA
from support.ledgers import BRANCH, Kept
from support.repositories import git_variables

ROOT = Path(__file__).resolve().parents[2]

CASES = {
    "an operation that there is not": Case(argv=("ledger", "prune"), says=("show", "append")),
    "evidence that is not there": Case(
        argv=("ledger", "append", "--evidence", "nothing"), says=("nothing/plan.json",)
    ),
    "a remote that is not there": Case(
        argv=("ledger", "show", "--remote", "upstream"), says=("'upstream'", "--remote")
    ),
    "an append without a run": Case(argv=("ledger", "append"), says=("--evidence",)),
    "an append under another event": Case(
        argv=("ledger", "append"),
        environ={**RUNNER, "GITHUB_SHA": SHA, "GITHUB_EVENT_PATH": "event.json"},
        files={"event.json": json.dumps(PULL_REQUEST)},
        says=("workflow_run", "ledger.yml"),
    ),
}


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    made = Kept.make(tmp_path)
    for name, value in git_variables(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(made.clone.root)
    return made


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_said_once(
    kept: Kept,
    name: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Place(kept.clone.root, capsys, monkeypatch).demand(CASES[name])


def test_the_verdict_does_not_change_where_the_remote_is_away(kept: Kept) -> None:
    """The plan says that the ledger is missing, and the gate judges as it would without one."""
    kept.bare.rename(kept.bare.with_name("away.git"))
    kept.clone.commit({".gitignore": ".assay/"})
    assert run(["plan"]) == 0
    folder = Path(".assay/evidence")
    assert "asking assay/desired" in json.loads((folder / "ledger.json").read_text())["missing"]


@pytest.mark.parametrize("delay", [0.2, 0.5, 0.8, 1.1, 1.4])
def test_a_killed_append_is_added_once_by_the_next(kept: Kept, delay: float) -> None:
    folder = kept.evidence("first", wrong=41)
    command = [sys.executable, "-m", "assay", "ledger", "append", "--evidence", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "toolkit")}
    killed = subprocess.Popen(
        command,
        cwd=kept.clone.root,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(delay)
    # The group is this command and the git that it started.
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    for _ in range(2):
        assert run(["ledger", "append", "--evidence", str(folder)]) == 0
    (path,) = kept.git("ls-tree", "-r", "--name-only", BRANCH, "ledger/").splitlines()
    assert len(kept.git("show", f"{BRANCH}:{path}").splitlines()) == 1
    assert kept.git("fsck", "--strict", "--no-dangling") == ""
