"""What a run of a workflow under act left: jobs, steps, annotations, summaries, artifacts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """One ``::error``, ``::warning`` or ``::notice`` of a step."""

    level: str
    message: str
    job: str
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """One top-level step of a job; ``result`` is success, failure or skipped.

    ``continued`` marks a failure that ``continue-on-error`` forgave.
    ``seconds`` is act's own measurement, the steps inside a composite action included.
    """

    id: str
    name: str
    stage: str
    result: str
    seconds: float
    continued: bool = False
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """One job, or one leg of a matrix.

    ``name`` is the displayed name, ``path`` puts the names of the calling workflows and jobs
    before it. ``seconds`` runs from the first to the last line that act logged for the job.
    """

    id: str
    name: str
    path: str
    matrix: Mapping[str, Any]
    result: str
    seconds: float
    steps: tuple[StepResult, ...]
    summary: str
    log: str

    def step(self, id_or_name: str) -> StepResult:
        """The first main step with this id or name; KeyError if the job has none."""
        for step in self.steps:
            if step.stage == "Main" and id_or_name in (step.id, step.name):
                return step
        raise KeyError(id_or_name)


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """An artifact that a run uploaded; ``archive`` is the zip on this machine."""

    id: int
    name: str
    digest: str
    run_attempt: int
    archive: Path


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """One run of one workflow. ``log`` holds act's JSON lines, ``events`` what act was given.

    ``result`` is success, failure or timeout. act knows no ``permissions``, ``concurrency`` and
    ``environment``: a run that passes here can still be refused by GitHub for those.
    """

    workflow: str
    event: str
    run_id: int
    run_attempt: int
    result: str
    exit_code: int | None
    seconds: float
    jobs: tuple[JobResult, ...]
    annotations: tuple[Annotation, ...]
    artifacts: tuple[Artifact, ...]
    head_sha: str
    log: Path
    payload: Path

    def job(self, name_or_id: str) -> JobResult:
        """The first job whose name, path or id this is; KeyError names those there are."""
        for job in self.jobs:
            if name_or_id in (job.name, job.path, job.id):
                return job
        raise KeyError(f"{name_or_id!r}; the run has {', '.join(repr(j.name) for j in self.jobs)}")

    def summaries(self) -> Iterator[str]:
        """The job summaries, in the order in which the jobs began."""
        return (job.summary for job in self.jobs if job.summary)
