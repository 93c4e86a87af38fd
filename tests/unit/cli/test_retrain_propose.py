"""`assay retrain propose` in a job: what the training handed over, and how it ended in the book."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from assay.cli.desired import Place
from assay.cli.retrain_propose import propose
from assay.errors import AssayError, InputError, IntegrityError, OutsideError
from assay.evidence import Event, Retraining
from assay.github.settings import Settings
from assay.state.retraining import read_book
from support.github_stand_in import Answer, Asked, stand_in
from support.repositories import git_variables
from support.retrainings import Pipeline, decision, lock

SLUG = "octo/churn"
BRANCH = "assay/retrain/churn"
NEW = lock("b" * 32).encode()


@dataclass
class Job:
    """A job with a decision and a folder for the patch; GitHub keeps pull requests."""

    pipeline: Pipeline
    outputs: Path
    pulls: list[dict[str, Any]] = field(default_factory=list)
    api: str = ""
    refuses: bool = False

    def __call__(self, asked: Asked) -> Answer:
        if asked.method == "GET":
            return Answer(document=self.pulls)
        if self.refuses:
            return Answer(status=403, document={"message": "not permitted"})
        head = {"sha": "c" * 40, "ref": asked.body["head"], "repo": {"full_name": SLUG}}
        base = {"sha": self.pipeline.commit, "ref": "main", "repo": {"full_name": SLUG}}
        self.pulls.append({"number": 7, "state": "open", "head": head, "base": base})
        return Answer(status=201, document=self.pulls[-1])

    @property
    def patch(self) -> Path:
        return self.pipeline.scratch / "patch"

    def put(self, content: bytes, name: str = "dvc.lock") -> None:
        self.patch.mkdir(exist_ok=True)
        (self.patch / name).write_bytes(content)

    def propose(self, made: Retraining | None = None, model: str | None = "churn") -> None:
        folder = self.pipeline.scratch / "decided"
        (made or decision(base=self.pipeline.commit)).write(folder / "churn")
        settings = Settings(
            in_actions=True,
            event=Event(name="schedule", repository=SLUG, run_id=1),
            token="t",
            api_url=self.api,
            server_url=self.pipeline.scratch.as_uri(),
        )
        place = Place(settings=settings, environment=git_variables(self.pipeline.scratch))
        propose(place, folder, self.patch, model=model, app=None)

    def ended(self) -> list[str | None]:
        """How trainings ended, as the book has it."""
        return [entry.outcome for entry in read_book(self.pipeline.book(), "churn")]

    def pushed(self) -> bool:
        return self.pipeline.git("branch", "--list", BRANCH) != ""


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    with ExitStack() as stack:
        pipeline = Pipeline.make(tmp_path, stack)
        (tmp_path / "octo").mkdir()
        (tmp_path / "octo/churn.git").symlink_to(pipeline.bare)
        monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
        made = Job(pipeline=pipeline, outputs=tmp_path / "outputs")
        made.api = stack.enter_context(stand_in(made)).url
        yield made


def test_what_was_trained_is_proposed_and_written_down(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    job.put(NEW)
    job.propose()
    assert (job.ended(), job.pushed()) == (["proposed"], True)
    said = capsys.readouterr().out
    assert "Pull request #7 opened" in said
    assert "it waits for a person" in said
    assert "\n7\n" in job.outputs.read_text()


def test_what_is_there_already_is_proposed_to_nobody(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    job.put(lock("a" * 32).encode())
    job.propose()
    assert (job.ended(), job.pushed(), job.pulls) == (["unchanged"], False, [])
    assert "made what is there already" in capsys.readouterr().out


def test_a_training_that_left_nothing_is_said_and_lets_the_next_one_start(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    job.propose()
    assert (job.ended(), job.pushed()) == (["failed"], False)
    assert "::warning" in (said := capsys.readouterr().out)
    assert "left no dvc.lock: nothing is proposed" in said
    assert "\nfailed\n" in job.outputs.read_text()


def test_a_patch_with_more_than_the_lock_pushes_nothing_and_ends_as_failed(job: Job) -> None:
    job.put(NEW)
    job.put(b"on: push", "workflow.yml")
    with pytest.raises(IntegrityError, match=r"only dvc\.lock may be proposed"):
        job.propose()
    assert (job.ended(), job.pushed()) == (["failed"], False)


@pytest.mark.parametrize(
    ("changes", "model", "words"),
    [
        ({"due": False}, "churn", "lets nothing be proposed for churn"),
        ({"model": "other"}, "churn", "lets nothing be proposed for churn"),
        ({}, "absent", "there is no such evidence"),
    ],
    ids=["not due", "of another model", "no decision"],
)
def test_a_decision_that_does_not_say_so_proposes_nothing(
    job: Job, changes: dict[str, Any], model: str, words: str
) -> None:
    job.put(NEW)
    with pytest.raises(InputError, match=words):
        job.propose(decision(base=job.pipeline.commit, **changes), model)
    assert (job.ended(), job.pushed()) == ([], False)


def test_a_pull_request_that_github_refuses_ends_as_failed(job: Job) -> None:
    job.put(NEW)
    job.refuses = True
    with pytest.raises(OutsideError, match="Let Actions open pull requests"):
        job.propose()
    assert job.ended() == ["failed"]


@pytest.mark.parametrize("content", [NEW, b"no lock"], ids=["proposed", "refused"])
def test_a_book_that_takes_no_line_is_said_and_hides_no_other_end(
    job: Job, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    hook = job.pipeline.bare / "hooks/update"
    hook.write_text('#!/bin/sh\n[ "$1" != refs/heads/assay/desired ]\n')
    hook.chmod(0o755)
    job.put(content)
    failed: AssayError | None = None
    try:
        job.propose()
    except AssayError as error:
        failed = error
    assert (failed is None) is (content is NEW)
    assert failed is None or "it is no dvc.lock" in failed.message
    said = capsys.readouterr().out
    assert "could not be written down" in said
    assert "nobody starts another before 2026-03-01T20:00:00Z" in said
