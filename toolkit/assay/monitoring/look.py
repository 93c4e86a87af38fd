"""One look at a model in production: read, measure, judge, and say what somebody must know."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from assay.config import Labels, Logs
from assay.errors import InputError, Location
from assay.evidence import Look
from assay.monitoring import memory as memories
from assay.monitoring.assembling import Task, latest_answer, look_of
from assay.monitoring.found import Span
from assay.monitoring.memory import Memory, Remembered
from assay.monitoring.reading import Reading, read, rows_since
from assay.monitoring.sources import find_files, find_source
from assay.monitoring.times import microseconds_of, moment_of, time_of

__all__ = ["Task", "take_look"]

TOLERANCE = 300
"""Seconds that clocks may differ by."""
_AGAIN = 86_400 * 1_000_000
"""At least so far back, in µs, the log is read again: its files may come a day late."""


def take_look(task: Task, evidence: Path) -> Look:
    """Look once, write monitor.json into `evidence`, and remember.

    Raises InputError where the configuration, or the time, cannot be; OutsideError where a source
    or a disk fails. Then nothing is remembered, and the next look reads all of it again.
    """
    held = memories.lock(task.state, moment_of(task.at))
    try:
        before = memories.recall(task.state, task.name, task.monitoring.window)
        _check_time(before, task)
        span = _span(task, before)
        known = task.delivered.versions | set(before.known)
        logs, labels = _files(task, span)
        found = read(
            Reading(
                model=task.model,
                monitoring=task.monitoring,
                logs=logs,
                labels=labels,
                state=task.state,
                span=span,
                reference=task.reference,
                before=tuple(cell.cell() for cell in before.cells),
                known=known,
                baseline=_baseline(task),
                classifier=task.classifier,
            )
        )
        kept = {at: pair for at, pair in before.delays.items() if at not in found.windows}
        apart = {at: one for at, one in before.unknown.items() if at not in found.windows}
        found = replace(found, delays=kept | found.delays, unknown=apart | found.unknown)
        answered = latest_answer(before, found)
        look = look_of(task, before, span, found, answered)
        look.write(evidence)
        memories.keep(look, task.state)
        Memory(
            model=task.name,
            length=task.monitoring.window,
            last=look.at,
            answered=None if answered is None else moment_of(answered),
            cells=tuple(map(Remembered.of, found.cells)),
            delays=found.delays,
            known=tuple(sorted(known)),
            unknown=found.unknown,
            since={one.key: one.since for one in look.problems},
        ).write(task.state)
    finally:
        held.release()
    return look


def _check_time(before: Memory, task: Task) -> None:
    if before.last is not None and time_of(before.last) > task.at:
        raise InputError(
            f"the last look was taken at {before.last}, after {moment_of(task.at)}.",
            where=Location(file=(task.state / Memory.FILE).as_posix()),
            remedy="Either clock is wrong, or this is a replay: give it a state folder of its own.",
        )


def _span(task: Task, before: Memory) -> Span:
    """Windows whose labels may have changed since the last look are read again, whole.

    So are those since the newest that anything was counted of: what a log held back comes later.
    """
    length = round(task.monitoring.window * 1e6)
    delay = round((task.monitoring.labels.delay if task.monitoring.labels else 0) * 1e6)
    at = microseconds_of(task.at)
    since = 0
    if before.last is not None:
        last = microseconds_of(time_of(before.last))
        counted = max((*(cell.window for cell in before.cells), *before.unknown), default=0)
        since = max(0, min(counted, (last - max(2 * delay, _AGAIN)) // length - 1)) * length
    until = at if task.replayed else at + TOLERANCE * 1_000_000
    mature = (at - delay) // length - 1
    return Span(since=since, at=at, length=length, mature=mature, until=until)


def _files(task: Task, span: Span) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The files of logs and labels; of a database, the rows that may still count, as one file."""

    def files(wanted: Logs | Labels, kind: str, since: int) -> tuple[Path, ...]:
        cache = task.state / "fetched" / kind
        setting = f"models.{task.name}.monitoring.{kind}.source"
        return find_source(wanted, root=task.root, cache=cache, setting=setting, since=since)

    labels = task.monitoring.labels
    begun = rows_since(task.state, task.reference, task.monitoring, span)
    return (
        files(task.monitoring.logs, "logs", begun),
        files(labels, "labels", span.since) if labels is not None else (),
    )


def _baseline(task: Task) -> tuple[Path, ...]:
    rule = task.monitoring.drift.multivariate
    if rule is None or rule.baseline is None or task.reference is None:
        return ()
    return find_files(
        rule.baseline,
        root=task.root,
        cache=task.state / "fetched" / "baseline",
        setting=f"models.{task.name}.monitoring.drift.multivariate.baseline",
    )
