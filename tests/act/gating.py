"""Drive the shipped workflows on a toy consumer whose training takes milliseconds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.act.events import PullRequest
from assay.act.github import Comment
from assay.act.harness import Harness
from assay.act.result import JobResult, RunResult
from support.repositories import Sandbox

ROOT = Path(__file__).resolve().parents[2]
TOY = Path(__file__).with_name("gated")
WORKFLOW = "pull-request.yml"
PUBLISH = "publish-report.yml"
BETTER, WORSE = "850\n", "700\n"
"""Skills; the toy's main has 800."""


def make_toy(root: Path, files: dict[str, str | bytes] | None = None) -> Sandbox:
    """Make the toy consumer with the template's own workflow files, and ``files`` on top."""
    sandbox = Sandbox.make(root)
    shutil.copytree(TOY, sandbox.root, dirs_exist_ok=True)
    shutil.copytree(ROOT / "template-repo" / ".github", sandbox.root / ".github")
    sandbox.commit(files, message="start")
    return sandbox


@dataclass(frozen=True, kw_only=True)
class Gated:
    """A consumer, and the harness that runs its workflows."""

    consumer: Sandbox
    harness: Harness

    def change(self, branch: str, files: dict[str, str | bytes]) -> None:
        """Commit ``files`` to ``branch``, which is cut from main where it is new."""
        git = self.consumer.git
        known = git("branch", "--list", "--format", "%(refname:short)", branch)
        git("switch", "--quiet", *([] if known else ["--create"]), branch)
        self.consumer.commit(files)
        git("switch", "--quiet", "main")
        self.harness.fetch()

    def propose(self, branch: str, files: dict[str, str | bytes], **settings: Any) -> PullRequest:
        """Open a pull request of a new branch with ``files`` changed."""
        self.change(branch, files)
        return self.harness.open_pull_request(branch, **settings)

    def push(self, pull: PullRequest, files: dict[str, str | bytes]) -> PullRequest:
        """Push another commit to the head of ``pull``."""
        self.change(pull.head_ref, files)
        return self.harness.update_pull_request(pull, pull.head_ref)

    def gate(
        self, pull: PullRequest, action: str = "opened", *, rerun_of: RunResult | None = None
    ) -> RunResult:
        """Run the gate on a pull request, or the next attempt of a run of it."""
        event = self.harness.pull_request_event(pull, action)
        return self.harness.run(WORKFLOW, event, rerun_of=rerun_of)

    def publish(self, run: RunResult) -> RunResult:
        """Run publish-report for a run that ended."""
        return self.harness.run(PUBLISH, self.harness.workflow_run_event(run))

    def comment(self, pull: PullRequest) -> Comment:
        """Return the only comment of a pull request."""
        (comment,) = self.harness.github.comments(pull.number)
        return comment


def gate_job(run: RunResult) -> JobResult:
    """Return the final job, or fail with the whole log."""
    try:
        return run.job("Assay gate")
    except KeyError as error:
        raise AssertionError("\n".join(job.log for job in run.jobs)) from error


def models(run: RunResult) -> dict[str, JobResult]:
    """Return the model jobs that ran, by name."""
    return {job.matrix["model"]["name"]: job for job in run.jobs if job.id == "model"}


def evidence(run: RunResult, folder: Path) -> Path:
    """Unpack the whole evidence of a run."""
    (found,) = [item for item in run.artifacts if item.name.startswith("assay-gate-")]
    with zipfile.ZipFile(found.archive) as archive:
        archive.extractall(folder)
    return folder


def document(run: RunResult, name: str) -> dict[str, Any]:
    """Read one document out of a run's whole evidence."""
    (found,) = [item for item in run.artifacts if item.name.startswith("assay-gate-")]
    with zipfile.ZipFile(found.archive) as archive:
        loaded: dict[str, Any] = json.loads(archive.read(name))
        return loaded


def assay(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would, outside any job."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")}
    return subprocess.run(
        [sys.executable, "-m", "assay", *arguments],
        cwd=cwd,
        env={**kept, "PYTHONPATH": str(ROOT / "toolkit"), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def path_without(program: str, path: str, scratch: Path) -> str:
    """Return a PATH on which ``program`` is not found, and everything else is."""
    folders = []
    for number, folder in enumerate(map(Path, path.split(os.pathsep))):
        if not (folder / program).exists():
            folders.append(str(folder))
            continue
        shadow = scratch / str(number)
        shadow.mkdir(parents=True)
        for entry in folder.iterdir():
            if entry.name != program:
                (shadow / entry.name).symlink_to(entry)
        folders.append(str(shadow))
    return os.pathsep.join(folders)
