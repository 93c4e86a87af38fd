"""Appending what a run decided: whose run, which models, what a stranger says, and what waits."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assay.config import parse_config
from assay.errors import InputError, IntegrityError, OutsideError
from assay.evidence import Comparison, Event
from assay.gate.ledger import Written
from assay.gate.ledger_run import PENDING_ARTIFACT, PENDING_FILE, Wanted, append_run
from assay.github.events import WorkflowRun
from assay.github.settings import Settings
from assay.state import StateBranch
from support.archives import packed
from support.github_stand_in import Answer, Asked, StandIn, stand_in
from support.ledgers import BRANCH, CONFIG, Kept

HEAD = "a" * 40
RUN = WorkflowRun(
    id=5,
    attempt=1,
    event="pull_request",
    path=".github/workflows/pull-request.yml",
    head_sha=HEAD,
    head_branch="better",
    head_repository="stranger/churn",
    repository="octo/churn",
)
LEDGER_RUN = {
    "path": ".github/workflows/ledger.yml",
    "event": "workflow_run",
    "head_branch": "main",
    "head_repository": {"full_name": "octo/churn"},
}
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Job:
    """The job that appends, its GitHub, and its git remote."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.kept = Kept.make(folder)
        self.stack = stack
        self.config: str | None = CONFIG
        self.evidence: bytes | None = None
        self.waiting: dict[int, tuple[dict[str, Any], bytes]] = {}
        self.said: list[str] = []
        self.pending = folder / "pending"
        self.server: StandIn = stack.enter_context(stand_in(self.respond))

    def respond(self, asked: Asked) -> Answer:
        path = asked.path.removeprefix("/repos/octo/churn/")
        if path == "contents/assay.yaml":
            if self.config is None:
                return Answer(status=404, document={"message": "Not Found"})
            content = base64.b64encode(self.config.encode()).decode()
            return Answer(document={"encoding": "base64", "content": content, "size": 1})
        if path == "actions/runs/5/artifacts":
            facts = {"id": 4, "name": f"assay-gate-{'1' * 40}", "created_at": "x"}
            return Answer(document={"artifacts": [facts] if self.evidence else []})
        if path == "actions/artifacts/4/zip":
            return Answer(raw=self.evidence)
        if path == "actions/runs/9":
            return Answer(document=LEDGER_RUN)
        if path == "actions/artifacts":
            assert asked.query["name"] == PENDING_ARTIFACT
            found = [
                {"id": number, "name": PENDING_ARTIFACT, "workflow_run": {"id": number}}
                for number in self.waiting
            ]
            return Answer(document={"artifacts": found})
        kind, _, rest = path.removeprefix("actions/").partition("/")
        run, content = self.waiting[int(rest.partition("/")[0])]
        return Answer(document=run) if kind == "runs" else Answer(raw=content)

    def judge(self, name: str, wrong: int) -> Path:
        """Put a judged head into the run's artifact."""
        folder = self.kept.evidence(name, wrong=wrong)
        self.pack(folder)
        return folder

    def pack(self, folder: Path) -> None:
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        named = [(path.relative_to(folder).as_posix(), path.read_bytes()) for path in files]
        self.evidence = packed(*named)

    def wait(self, number: int, content: bytes, **run: Any) -> None:
        """Let an artifact of an earlier run lie there."""
        self.waiting[number] = ({**LEDGER_RUN, **run}, packed((PENDING_FILE, content)))

    @contextmanager
    def opened(self) -> Iterator[StateBranch]:
        with ExitStack() as stack:
            yield self.kept.opened(stack)

    def append(self, run: WorkflowRun | None = RUN) -> Written | None:
        settings = Settings(
            in_actions=True,
            event=Event(name="workflow_run", repository="octo/churn", run_id=9),
            triggering=run,
            token="t",
            api_url=self.server.url,
            default_branch="main",
        )
        wanted = Wanted(
            config="assay.yaml",
            workflow=".github/workflows/pull-request.yml",
            pending=self.pending,
            parse=lambda text: parse_config(text, file="assay.yaml"),
        )
        return append_run(settings, wanted, self.opened, at=NOW, say=self.said.append)

    def lines(self) -> list[dict[str, Any]]:
        names = self.kept.git("ls-tree", "-r", "--name-only", BRANCH, "ledger/").splitlines()
        text = "\n".join(self.kept.git("show", f"{BRANCH}:{name}") for name in names)
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    with ExitStack() as stack:
        yield Job(tmp_path, stack)


def test_a_forks_decision_counts_once_and_a_rerun_is_free(job: Job) -> None:
    job.judge("first", 41)
    written = job.append()
    assert written is not None
    assert len(written.new) == 1
    (line,) = job.lines()
    assert (line["run"], line["commit"], line["at"]) == (5, HEAD, "2026-01-02T03:04:05Z")
    again = job.append(replace(RUN, attempt=2))
    assert again is not None
    assert again.new == ()
    job.judge("second", 42)
    job.append()
    assert len(job.lines()) == 2


@pytest.mark.parametrize("event", ["push", "merge_group", "workflow_dispatch"])
def test_other_runs_of_the_workflow_count_too(job: Job, event: str) -> None:
    job.judge("first", 41)
    job.append(replace(RUN, event=event, head_repository="octo/churn"))
    assert len(job.lines()) == 1


def test_only_runs_of_the_named_workflow_count(job: Job) -> None:
    job.judge("first", 41)
    with pytest.raises(InputError, match=r"evil\.yml"):
        job.append(replace(RUN, path=".github/workflows/evil.yml"))
    with pytest.raises(InputError, match="stranger/churn"):
        job.append(replace(RUN, repository="stranger/churn"))
    with pytest.raises(InputError, match="workflow_run"):
        job.append(None)


def test_a_model_that_the_default_branch_does_not_ask_for_is_not_counted(job: Job) -> None:
    job.judge("first", 41)
    job.config = CONFIG.replace("    ledger: true\n", "")
    assert job.append() is None
    assert "No model of assay.yaml has `ledger: true`" in job.said[0]
    job.config = CONFIG.replace("  churn:", "  other:")
    assert job.append() is None
    job.config = None
    with pytest.raises(InputError, match=r"has no assay\.yaml"):
        job.append()


def test_a_run_without_evidence_counts_nothing(job: Job) -> None:
    assert job.append() is None
    assert "Nothing to count: run 5 left no evidence" in job.said[0]


def test_altered_predictions_are_refused(job: Job) -> None:
    folder = job.judge("first", 41)
    predictions = folder / "churn" / "predictions.csv"
    predictions.write_text(predictions.read_text() + "999,1,1\n")
    job.pack(folder)
    with pytest.raises(IntegrityError, match="SHA-256 differs"):
        job.append()


@pytest.mark.parametrize("test_set", ["../../x", "A" * 64, "", "a" * 65])
def test_a_test_set_that_is_no_digest_enters_nothing(job: Job, test_set: str) -> None:
    folder = job.judge("first", 41)
    (folder / "verdict.json").unlink()
    comparison = Comparison.read(folder / "churn")
    assert comparison.reuse is not None
    reuse = comparison.reuse.model_copy(update={"test_set": test_set})
    comparison.model_copy(update={"reuse": reuse}).write(folder / "churn")
    job.pack(folder)
    with pytest.raises(IntegrityError, match=r"reuse\.test_set"):
        job.append()


def test_what_cannot_be_written_waits_for_the_next_run(job: Job) -> None:
    job.judge("first", 41)
    away = job.kept.bare.rename(job.kept.bare.with_name("away.git"))
    with pytest.raises(OutsideError, match="asking assay/desired"):
        job.append()
    content = (job.pending / PENDING_FILE).read_bytes()
    assert len(content.splitlines()) == 1

    away.rename(job.kept.bare)
    job.judge("second", 42)
    job.wait(20, content)
    written = job.append()
    assert written is not None
    assert len(written.new) == 2
    assert len(job.lines()) == 2
    again = job.append()
    assert again is not None
    assert again.new == ()


def test_what_another_run_left_under_that_name_is_not_taken(job: Job) -> None:
    folder = job.judge("first", 41)
    away = job.kept.bare.rename(job.kept.bare.with_name("away.git"))
    with pytest.raises(OutsideError):
        job.append()
    away.rename(job.kept.bare)
    content = (job.pending / PENDING_FILE).read_bytes()
    (folder / "churn" / "comparison.json").unlink()
    (folder / "verdict.json").unlink()
    job.pack(folder)
    job.wait(21, content, event="pull_request")
    job.wait(22, content, path=".github/workflows/evil.yml")
    job.wait(23, content, head_branch="feature")
    job.wait(24, content, head_repository={"full_name": "stranger/churn"})
    job.wait(25, b"not json\n{}\n[]\n" + content.replace(b'"head": "', b'"head": "x'))
    job.waiting[26] = (LEDGER_RUN, b"no archive")
    assert job.append() is None
    job.wait(27, content)
    written = job.append()
    assert written is not None
    assert len(written.new) == 1
