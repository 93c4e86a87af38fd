"""One look at a model in production: read, measure, judge, and say what somebody must know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from assay.config import Model, Monitoring
from assay.errors import InputError, Location
from assay.evidence import LabelFeed, Look, Problem, Reference, Rule
from assay.monitoring import memory as memories
from assay.monitoring import problems as found_problems
from assay.monitoring.heartbeats import heartbeats_of
from assay.monitoring.memory import Memory, Remembered
from assay.monitoring.moved import WEEK
from assay.monitoring.quality import rule_of
from assay.monitoring.reading import Read, Span, read
from assay.monitoring.sources import find_files
from assay.monitoring.times import from_microseconds, microseconds_of, moment_of, time_of
from assay.monitoring.windows import windows_of
from assay.tables.live_counts import Cell

TOLERANCE = 300
"""Seconds that clocks may differ by."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is to be looked at, and when."""

    name: str
    model: Model
    monitoring: Monitoring
    root: Path
    """The folder that holds assay.yaml: sources are relative to it."""
    state: Path
    at: datetime
    promised: Mapping[str, float]
    """The reference's value of each judged metric."""
    reference: Reference | None = None
    """What the version was like when it was made; None: drift is not measured."""
    replayed: bool = False
    """Whether `at` is no clock's: what is dated later has not come yet, and is no finding."""


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
        found = read(
            task.model,
            task.monitoring,
            _files(task),
            state=task.state,
            span=span,
            reference=task.reference,
        )
        first = span.since // span.length
        kept = {number: pair for number, pair in before.delays.items() if number < first}
        found = replace(found, delays=kept | found.delays)
        cells = _merged(before, found.cells, span)
        look = _assembled(task, before, span, found, cells)
        look.write(evidence)
        memories.keep(look, task.state)
        answered = _latest(before, found)
        Memory(
            model=task.name,
            length=task.monitoring.window,
            last=look.at,
            answered=None if answered is None else moment_of(answered),
            cells=tuple(map(Remembered.of, cells)),
            delays=found.delays,
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
    """Windows whose labels may have changed since the last look are read again, whole."""
    length = round(task.monitoring.window * 1e6)
    delay = round((task.monitoring.labels.delay if task.monitoring.labels else 0) * 1e6)
    at = microseconds_of(task.at)
    since = 0
    if before.last is not None:
        back = max(2 * delay, WEEK if task.reference else 0)
        since = max(0, (microseconds_of(time_of(before.last)) - back) // length - 1) * length
    until = at if task.replayed else at + TOLERANCE * 1_000_000
    mature = (at - delay) // length - 1
    return Span(since=since, at=at, length=length, mature=mature, until=until)


def _files(task: Task) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    def files(source: str, kind: str) -> tuple[Path, ...]:
        return find_files(
            source,
            root=task.root,
            cache=task.state / "fetched" / kind,
            setting=f"models.{task.name}.monitoring.{kind}.source",
        )

    labels = task.monitoring.labels
    return (
        files(task.monitoring.logs.source, "logs"),
        files(labels.source, "labels") if labels is not None else (),
    )


def _merged(before: Memory, new: Sequence[Cell], span: Span) -> tuple[Cell, ...]:
    """What was read replaces what was remembered of its windows: nothing is counted twice."""
    first = span.since // span.length
    kept = [cell.cell() for cell in before.cells if cell.window < first]
    return (*kept, *new)


def _assembled(task: Task, before: Memory, span: Span, found: Read, cells: Sequence[Cell]) -> Look:
    version = _serving(cells)
    rules, quality = _judged(task, span, cells, version)
    beats = heartbeats_of(
        task.monitoring,
        task.at,
        answered=_latest(before, found),
        first=_start(cells, span),
        labelled=from_microseconds(found.labels.last)
        if found.labels is not None and found.labels.last is not None
        else None,
        looked=None if before.last is None else time_of(before.last),
    )
    feed = _feed(found)
    labelled = sum(cell.sums.n for cell in cells)
    counts: Counter[int] = Counter()
    for cell in cells:
        counts[cell.window] += cell.predictions
    raised = [
        *quality,
        *found_problems.drift_problems(found.drift),
        *found_problems.silence_problems(beats, task.at),
        *found_problems.file_problems("logs", found.unreadable_logs, found.log.unusable),
        *found_problems.clock_problem("logs", 0 if task.replayed else found.log.ahead),
        *found_problems.volume_problem(counts, span.at // span.length - 1, task.monitoring.window),
    ]
    if found.labels is not None and feed is not None:
        unusable = found.labels.unusable
        raised += found_problems.file_problems("labels", found.unreadable_labels, unusable)
        ahead = 0 if task.replayed else found.labels.ahead
        raised += found_problems.clock_problem("labels", ahead)
        raised += found_problems.label_problems(feed, labelled)
    dated = found_problems.dated(raised, before.since, task.at)
    return Look(
        model=task.name,
        at=moment_of(task.at),
        version=version,
        windows=windows_of(task.monitoring, span, found, cells),
        labels=feed,
        unreadable=(*found.unreadable_logs, *found.unreadable_labels),
        rules=rules,
        drift=found.drift,
        heartbeats=beats,
        problems=dated,
        state=found_problems.outcome_of(dated),
        sentence=_sentence(task, dated, rules),
    )


def _serving(cells: Sequence[Cell]) -> str | None:
    """The version that answered most in the newest window with predictions and its neighbour."""
    if not cells:
        return None
    newest = max(cell.window for cell in cells)
    counts: Counter[str] = Counter()
    for cell in cells:
        if cell.window >= newest - 1:
            counts[cell.version] += cell.predictions
    return counts.most_common(1)[0][0] or None


def _judged(
    task: Task, span: Span, cells: Sequence[Cell], version: str | None
) -> tuple[tuple[Rule, ...], list[Problem]]:
    asked = task.monitoring.quality
    mature = [
        cell for cell in cells if cell.version == (version or "") and cell.window <= span.mature
    ]
    rules, raised = [], []
    for metric, live in asked.items():
        # One error for all metrics of a version: each gets its share.
        confidence = 1 - (1 - task.monitoring.confidence) / len(asked)
        rule, window = rule_of(
            task.name,
            metric,
            live,
            promised=task.promised[metric],
            cells=mature,
            confidence=confidence,
            unusable=None if task.monitoring.labels else "no labels are configured",
        )
        rules.append(rule)
        if window is None:
            continue
        since = from_microseconds(window * span.length)
        those = [cell for cell in mature if cell.window >= window]
        share = sum(cell.sums.n for cell in those) / sum(cell.predictions for cell in those)
        problem = found_problems.quality_problem(rule, since, share)
        raised += [problem] if problem is not None else []
    return tuple(rules), raised


def _latest(before: Memory, found: Read) -> datetime | None:
    """When the newest prediction was answered; old files are not opened at each look."""
    known = [] if before.answered is None else [time_of(before.answered)]
    read_now = [] if found.log.last is None else [from_microseconds(found.log.last)]
    return max(known + read_now, default=None)


def _start(cells: Sequence[Cell], span: Span) -> datetime | None:
    first = min((cell.window for cell in cells), default=None)
    return None if first is None else from_microseconds(first * span.length)


def _feed(found: Read) -> LabelFeed | None:
    facts = found.labels
    if facts is None:
        return None
    return LabelFeed(
        known=facts.known,
        new=facts.new,
        corrected=facts.corrected,
        contradictory=facts.contradictory,
        duplicates=facts.duplicates,
        orphans=facts.orphans,
        ahead=facts.ahead,
    )


def _sentence(task: Task, problems: Sequence[Problem], rules: Sequence[Rule]) -> str:
    if problems:
        more = f" {len(problems) - 1} more." if len(problems) > 1 else ""
        return f"{task.name}: {problems[0].sentence}{more}"
    judged = [rule for rule in rules if rule.head is not None]
    if not judged:
        return f"{task.name}: no problem was found; no metric was judged."
    listed = ", ".join(f"{rule.metric} {rule.head:.4g} {rule.state}" for rule in judged)
    return f"{task.name}: no problem was found; {listed}."
