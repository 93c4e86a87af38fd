"""Reads the JSON lines of ``act --json`` into jobs, steps and annotations.

act logs one object a line: ``job`` is the displayed path of the job, ``matrix`` its leg, ``stepID``
the ids from the outermost step inwards, ``stepResult`` and ``executionTime`` (nanoseconds) close
a step, ``jobResult`` closes a job, ``command`` marks workflow commands. Two things are put right
here: act reports one result for all legs of a matrix, and it skips a job whose label it has no
platform for without failing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.act.result import Annotation, JobResult, StepResult

ANNOTATION_COMMANDS = ("error", "warning", "notice")
UNSUPPORTED = "Skipping unsupported platform"
CONTINUED = "Failed but continue next step"


@dataclass(kw_only=True)
class _Step:
    name: str
    result: str = "unknown"
    seconds: float = 0.0
    continued: bool = False
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class _Job:
    id: str
    path: str
    matrix: Mapping[str, Any]
    began: float
    ended: float
    result: str = "unknown"
    steps: dict[tuple[str, str], _Step] = field(default_factory=dict)
    summary: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)


class Stream:
    """Collects act's log lines as they arrive; ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._jobs: dict[str, _Job] = {}
        self.annotations: list[Annotation] = []
        self.loose: list[str] = []
        self.unsupported: list[str] = []

    def feed(self, line: str) -> Mapping[str, Any] | None:
        """Take one line; the parsed object, or None for a line that is not act's JSON."""
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            if line.strip():
                self.loose.append(line.rstrip("\n"))
            return None
        if "job" not in entry:
            if entry.get("level") in ("error", "fatal", "warning"):
                self.loose.append(str(entry.get("msg", "")).rstrip("\n"))
            return entry
        self._take(entry, self._job(entry))
        return entry

    def _job(self, entry: Mapping[str, Any]) -> _Job:
        path = str(entry["job"]).rstrip()
        now = self._clock()
        job = self._jobs.get(path)
        if job is None:
            job = _Job(id=str(entry.get("jobID", "")), path=path, matrix={}, began=now, ended=now)
            self._jobs[path] = job
        job.ended = now
        if entry.get("matrix"):
            job.matrix = entry["matrix"]
        return job

    def _take(self, entry: Mapping[str, Any], job: _Job) -> None:
        message = str(entry.get("msg", ""))
        command = entry.get("command")
        if entry.get("raw_output"):
            job.log.append(message.rstrip("\n"))
        elif command in ANNOTATION_COMMANDS:
            job.log.append(str(entry.get("raw", message)).rstrip("\n"))
            annotation = Annotation(
                level=str(command),
                message=str(entry.get("arg", "")),
                job=job.path,
                properties=dict(entry.get("kvPairs") or {}),
            )
            self.annotations.append(annotation)
        elif command == "summary" and len(entry.get("stepID") or []) == 1:
            job.summary.append(str(entry.get("content", "")))
        elif UNSUPPORTED in message:
            self.unsupported.append(message.strip())
        elif entry.get("level") == "error" and "stepResult" not in entry:
            job.log.append(message.rstrip("\n"))
        if "jobResult" in entry:
            job.result = str(entry["jobResult"])
        self._step(entry, job)

    def _step(self, entry: Mapping[str, Any], job: _Job) -> None:
        ids = list(entry.get("stepID") or [])
        if len(ids) != 1 or "stage" not in entry:
            return
        key = (str(entry["stage"]), str(ids[0]))
        step = job.steps.setdefault(key, _Step(name=str(entry.get("step", ""))))
        if "stepResult" in entry:
            step.result = str(entry["stepResult"])
            step.seconds = float(entry.get("executionTime", 0)) / 1e9
        if entry.get("msg") == CONTINUED:
            step.continued = True
        if entry.get("command") == "set-output":
            step.outputs[str(entry.get("name"))] = str(entry.get("arg", ""))

    def jobs(self) -> tuple[JobResult, ...]:
        """Every job that ran, in the order of its first line; jobs that only call are left out."""
        ran = [job for job in self._jobs.values() if job.steps or job.log]
        legs = Counter((job.path.rpartition("/")[0], job.id) for job in ran)
        return tuple(
            _finish(job, several=legs[job.path.rpartition("/")[0], job.id] > 1) for job in ran
        )


def _finish(job: _Job, *, several: bool) -> JobResult:
    steps = tuple(
        StepResult(
            id=step_id,
            name=step.name,
            stage=stage,
            result=step.result,
            continued=step.continued,
            seconds=step.seconds,
            outputs=step.outputs,
        )
        for (stage, step_id), step in job.steps.items()
    )
    return JobResult(
        id=job.id,
        name=_displayed(job, several=several),
        path=job.path,
        matrix=job.matrix,
        result=_leg_result(job.result, job.matrix, steps),
        seconds=job.ended - job.began,
        steps=steps,
        summary="".join(job.summary),
        log="\n".join(job.log),
    )


def _displayed(job: _Job, *, several: bool) -> str:
    """The job's own name: without the callers before it.

    act numbers the legs of a matrix that has several; the number is left out.
    """
    name = job.path.rpartition("/")[2]
    head, dash, number = name.rpartition("-")
    return head if several and dash and number.isdigit() else name


def _leg_result(result: str, matrix: Mapping[str, Any], steps: Iterable[StepResult]) -> str:
    """A matrix leg failed only if one of its own steps did: act blames every leg for one."""
    broken = any(step.result == "failure" and not step.continued for step in steps)
    if matrix and result == "failure" and not broken:
        return "success"
    return result
