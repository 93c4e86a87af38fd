"""What one reading shows: the look with its windows, rules, problems and sentence. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from assay.config import Model, Monitoring
from assay.environments import Tool
from assay.evidence import Heartbeat, LabelFeed, Look, Problem, Reference, Rule
from assay.monitoring import label_problems
from assay.monitoring import problems as found_problems
from assay.monitoring.delivered import NOTHING, Delivered
from assay.monitoring.found import Read, Span, serving
from assay.monitoring.heartbeats import heartbeats_of
from assay.monitoring.memory import Memory
from assay.monitoring.quality import rule_of
from assay.monitoring.steps import About, with_step
from assay.monitoring.times import from_microseconds, moment_of, time_of
from assay.monitoring.windows import windows_of
from assay.report.numbers import number, places_of
from assay.tables.live_counts import Cell


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
    delivered: Delivered = NOTHING
    classifier: Tool | None = None
    """What tells rows apart, where all features together are compared."""
    replayed: bool = False
    """Whether `at` is no clock's: what is dated later has not come yet, and is no finding."""


def look_of(task: Task, before: Memory, span: Span, found: Read, answered: datetime | None) -> Look:
    """Judge what was found; `answered` is when the newest prediction was answered."""
    cells, feed = found.cells, _feed(found)
    version = serving(cells)
    rules, quality = _judged(task, span, cells, version)
    beats = _beats(task, before, span, found, answered)
    about = About(
        model=task.name,
        monitoring=task.monitoring,
        drift=found.columns.drift,
        target=task.model.delivery.targets[-1] if task.model.delivery else None,
        retrains=task.model.retrain is not None,
    )
    raised = [
        with_step(one, about)
        for one in (
            *quality,
            *found_problems.drift_problems(found.columns.drift),
            *found_problems.silence_problems(beats, task.at),
            *_of_log(task, span, found),
            *_of_labels(task, span, found, feed, silent=_silent(beats)),
        )
    ]
    dated = found_problems.dated(raised, before.since, task.at)
    return Look(
        model=task.name,
        at=moment_of(task.at),
        version=version,
        windows=windows_of(task.monitoring, span, found, cells),
        labels=feed,
        unreadable=(*found.unreadable_logs, *found.unreadable_labels),
        rules=rules,
        drift=found.columns.drift,
        retrospects=found.columns.retrospects,
        notes=(*_unsliced(found), *found.columns.notes, *task.delivered.notes),
        heartbeats=beats,
        problems=dated,
        state=found_problems.outcome_of(dated),
        sentence=_sentence(task, dated, rules),
    )


def _beats(
    task: Task, before: Memory, span: Span, found: Read, answered: datetime | None
) -> tuple[Heartbeat, ...]:
    labelled = found.labels.last if found.labels is not None else None
    return heartbeats_of(
        task.monitoring,
        task.at,
        answered=answered,
        first=_start(found.cells, span),
        labelled=None if labelled is None else from_microseconds(labelled),
        looked=None if before.last is None else time_of(before.last),
        signs=() if task.replayed else task.delivered.signs,
    )


def _of_log(task: Task, span: Span, found: Read) -> Iterator[Problem]:
    """What is wrong with the log, and with what it says."""
    counts: Counter[int] = Counter()
    for cell in found.cells:
        counts[cell.window] += cell.predictions
    for window, versions in found.unknown.items():
        counts[window] += sum(versions.values())
    yield from found_problems.file_problems(
        "logs", found.unreadable_logs, found.log.unusable, found.log.strange
    )
    yield from found_problems.clock_problem("logs", 0 if task.replayed else found.log.ahead)
    yield from found_problems.volume_problem(counts, span.newest, task.monitoring.window)
    yield from found_problems.version_problem(found.unknown, span.newest)
    yield from found_problems.answer_problem(found.unanswered)
    yield from found_problems.score_problem(found.improbable)
    yield from found_problems.class_problem(
        found.cells, found.positive, found.classes, task.promised
    )


def _silent(beats: Sequence[Heartbeat]) -> bool:
    return any(one.name == "labels" and one.silent for one in beats)


def _of_labels(
    task: Task, span: Span, found: Read, feed: LabelFeed | None, *, silent: bool
) -> Iterator[Problem]:
    """What is wrong with the labels, where any are read; that they are `silent` is said already."""
    if found.labels is None or feed is None:
        return
    yield from found_problems.file_problems(
        "labels", found.unreadable_labels, found.labels.unusable, found.labels.strange
    )
    yield from found_problems.clock_problem("labels", 0 if task.replayed else found.labels.ahead)
    labelled = sum(cell.sums.n for cell in found.cells)
    yield from label_problems.label_problems(feed, labelled)
    if not silent:
        yield from label_problems.coverage_problem(found.cells, span)


def _unsliced(found: Read) -> tuple[str, ...]:
    return tuple(
        f"Quality by {name!r} is not shown: no file of the log has that column."
        for name in found.unsliced
    )


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


def latest_answer(before: Memory, found: Read) -> datetime | None:
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
    listed = ", ".join(
        f"{rule.metric} {number(rule.head or 0.0, places_of(rule))} {rule.state}" for rule in judged
    )
    return f"{task.name}: no problem was found; {listed}."
