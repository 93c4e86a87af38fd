"""Training in the job itself: a job that is stopped leaves nothing running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.consumers import variables
from support.repositories import Sandbox
from support.waiting import until

CONFIG = """\
version: 1
models:
  churn:
    environment: none
    tests: null
    predictions: p.csv
    tracking: {enabled: false}
    gates: {accuracy: {margin: 0.01}}
    train: {orchestrator: local, command: "sleep 600 & echo $! > pid; mv pid child; wait"}
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_job_ends_its_command_with_all_children(tmp_path: Path, number: int) -> None:
    sandbox = Sandbox.make(tmp_path / "repository")
    sandbox.commit({"assay.yaml": CONFIG})
    toolkit = str(Path(__file__).resolve().parents[3] / "toolkit")
    process = subprocess.Popen(
        [sys.executable, "-m", "assay", "train"],
        cwd=sandbox.root,
        env=variables(sandbox.home, PYTHONPATH=toolkit),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    child = sandbox.root / "child"
    try:
        until(child.exists)
        process.send_signal(number)
        _, told = process.communicate(timeout=120)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, told
    assert "Interrupted" in told
    until(lambda: not _lives(int(child.read_text())))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
