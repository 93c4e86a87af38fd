"""What somebody should know: each problem with a key that stays, a sentence and a severity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from assay.config import Severity
from assay.evidence import Drift, Heartbeat, Outcome, Problem, ProblemKind, Rule, State
from assay.monitoring import drift
from assay.monitoring.times import from_microseconds, moment_of, spoken, time_of
from assay.report.numbers import exact_percent, number, percent, places_of, plural
from assay.tables.live_counts import Cell

WEEK = 7 * 86_400
FEWEST_WEEKS = 2
LITTLE, _MUCH = 1 / 3, 3.0
_SHOWN = 3
_EXPECTED = {
    "log": "prediction in the log",
    "labels": "new label",
    "monitor": "look of the monitor before this one",
    "controller": "sign of life of the controller",
    "journal": "push of the controller's records to assay/journal",
}
_URGENT = frozenset({"log", "controller"})
_DIGITS = 12
_LONGEST = 40
_OF_POSITIVE = frozenset({"precision", "recall", "f1", "calibration_error"})


def quality_problem(rule: Rule, since: datetime, share: float | None) -> Problem | None:
    """A metric that is shown to be worse than promised; None for any other state."""
    if rule.state is not State.WORSE or rule.interval is None or rule.head is None:
        return None
    low, high = rule.interval
    places = places_of(rule)
    head, base = number(rule.head, places), number(rule.base or 0.0, places)
    least, most = number(-high, places), number(-low, places)
    labelled = "" if share is None else f" Of those, {percent(share)} have their label."
    return problem(
        ProblemKind.QUALITY,
        rule.metric,
        rule.severity,
        f"{rule.metric} is {head} over {plural(rule.n, 'prediction')} since {moment_of(since)}, "
        f"and {base} was promised: worse by {least} to {most} ({exact_percent(rule.confidence)}, "
        f"all looks together).{labelled}",
    )


def drift_problems(found: Sequence[Drift]) -> list[Problem]:
    """Columns that moved by an effect that counts: drift warns, quality acts."""
    moved = {one.column: one for one in reversed(found) if one.moved}
    return [
        problem(ProblemKind.DRIFT, name, Severity.WARN, drift.sentence(one))
        for name, one in moved.items()
    ]


def silence_problems(heartbeats: Sequence[Heartbeat], at: datetime) -> list[Problem]:
    """Everything that has been silent for too long."""
    found = []
    for one in heartbeats:
        if not one.silent:
            continue
        kind, _, target = one.name.partition(" ")
        what = f"{_EXPECTED[kind]} of {target}" if target else _EXPECTED[kind]
        limit = f"one is expected each {spoken(one.silent_after)}"
        gone = (
            f"There has been no {what} yet; {limit}."
            if one.last is None
            else f"The last {what} is of {one.last}, "
            f"{spoken((at - time_of(one.last)).total_seconds())} ago; {limit}."
        )
        severity = Severity.BLOCK if kind in _URGENT else Severity.WARN
        found.append(problem(ProblemKind.HEARTBEAT, one.name, severity, gone))
    return found


def file_problems(
    subject: str, unreadable: Sequence[str], unusable: int, strange: str | None
) -> list[Problem]:
    """Files that were skipped, and rows without what they need; `strange` is no time."""
    found = []
    if unreadable:
        more = f" and {len(unreadable) - 1:,} more" if len(unreadable) > 1 else ""
        found.append(
            problem(
                ProblemKind.SCHEMA,
                f"{subject} files",
                Severity.WARN,
                f"Left out, since it could not be read: {plural(len(unreadable), 'file')} of the "
                f"{subject}: {unreadable[0]}{more}.",
            )
        )
    if unusable:
        why = (
            f" {strange[:_LONGEST]!r} is no time of the last ten years: write "
            "2026-11-01T12:00:00Z, or seconds or milliseconds since 1970."
            if strange is not None
            else ""
        )
        found.append(
            problem(
                ProblemKind.SCHEMA,
                f"{subject} rows",
                Severity.WARN,
                f"Left out: {plural(unusable, 'row')} of the {subject} without an id, a time or a "
                f"value.{why}",
            )
        )
    return found


def answer_problem(unanswered: int) -> list[Problem]:
    """Predictions that say nothing: a metric of classes counts them as wrong."""
    if not unanswered:
        return []
    return [
        problem(
            ProblemKind.SCHEMA,
            "logs predictions",
            Severity.WARN,
            f"Answered, and without a value: {plural(unanswered, 'prediction')}. The model, or "
            "what logs it, gives null or NaN. With a label they are wrong; errors of numbers leave "
            "them out.",
        )
    ]


def score_problem(improbable: int) -> list[Problem]:
    """Scores that are no probabilities: a calibration error leaves them out."""
    if not improbable:
        return []
    return [
        problem(
            ProblemKind.SCHEMA,
            "logs scores",
            Severity.WARN,
            f"A score is the probability of the positive class, from 0 to 1, and that of "
            f"{plural(improbable, 'prediction')} lies outside: the calibration error leaves them "
            "out.",
        )
    ]


def class_problem(
    cells: Sequence[Cell], positive: str | None, classes: Sequence[str], judged: Collection[str]
) -> list[Problem]:
    """A positive class that nothing is, or that nobody named: its metrics cannot be measured.

    `classes` are those that were seen where none is `positive`. One class alone may be chance.
    """
    sums = [cell.sums for cell in cells]
    if len(classes) < 2 or any(one.hits + one.false_alarms + one.misses for one in sums):
        return []
    named = ", ".join(repr(name[:_LONGEST]) for name in classes[:_SHOWN])
    listed = f"{named}{' and more' if len(classes) > _SHOWN else ''}"
    if positive is not None:
        text = f"No label and no prediction is {positive[:_LONGEST]!r}, the positive class"
    elif _OF_POSITIVE.isdisjoint(judged):
        return []
    else:
        text = "Nothing says which class is the positive one"
    return [
        problem(
            ProblemKind.SCHEMA,
            "positive class",
            Severity.WARN,
            f"{text}: they are {listed}. Until one of them is named, precision, recall, F1 and "
            "calibration error are not measured.",
        )
    ]


def clock_problem(subject: str, ahead: int) -> list[Problem]:
    """Rows that are dated later than now."""
    if not ahead:
        return []
    return [
        problem(
            ProblemKind.CLOCK,
            subject,
            Severity.WARN,
            f"Dated later than now: {plural(ahead, 'row')} of the {subject}. A clock is wrong; "
            "what is dated so waits until its time has come.",
        )
    ]


def version_problem(unknown: Mapping[int, Mapping[str, int]], newest: int) -> list[Problem]:
    """Versions that answer now and that delivery does not know; `unknown` is by window."""
    counts: Counter[str] = Counter()
    for window, versions in unknown.items():
        if window >= newest:
            counts.update(versions)
    if not counts:
        return []
    listed = ", ".join(name[:_DIGITS] for name, _ in counts.most_common(_SHOWN))
    more = f" and {len(counts) - _SHOWN:,} more" if len(counts) > _SHOWN else ""
    return [
        problem(
            ProblemKind.VERSION,
            "unknown",
            Severity.BLOCK,
            "Versions answer that neither a controller's journal nor the registry knows, with "
            f"{plural(counts.total(), 'prediction')} since the newest whole window began: "
            f"{listed}{more}. They are counted apart and judged nowhere.",
        )
    ]


def volume_problem(counts: Mapping[int, int], newest: int, length: float) -> list[Problem]:
    """The newest complete window against the same hours of the weeks before it.

    `counts` are the predictions of each window by its number. Nothing is said before there are two
    such weeks, or where windows do not divide a week.
    """
    if not counts or WEEK % length:
        return []
    step = int(WEEK // length)
    first = min(counts)
    earlier = sorted(counts.get(at, 0) for at in range(newest - step, first - 1, -step))
    if len(earlier) < FEWEST_WEEKS:
        return []
    usual, found = earlier[len(earlier) // 2], counts.get(newest, 0)
    if usual * LITTLE <= found <= usual * _MUCH:
        return []
    start = from_microseconds(int(newest * length * 1e6))
    return [
        problem(
            ProblemKind.VOLUME,
            "predictions",
            Severity.WARN,
            f"{plural(found, 'prediction')} in the {spoken(length)} from {moment_of(start)}; the "
            f"same hours of {len(earlier)} earlier weeks had {usual:,} in the middle.",
        )
    ]


def dated(
    problems: Sequence[Problem], since: Mapping[str, str], at: datetime
) -> tuple[Problem, ...]:
    """The problems with the moment at which each was found first, the worst ones first."""
    ordered = sorted(problems, key=lambda one: (one.severity is not Severity.BLOCK, one.key))
    now = moment_of(at)
    return tuple(one.model_copy(update={"since": since.get(one.key, now)}) for one in ordered)


def outcome_of(problems: Sequence[Problem]) -> Outcome:
    """fail: a problem blocks; warn: there is any."""
    if any(one.severity is Severity.BLOCK for one in problems):
        return Outcome.FAIL
    shown = any(one.severity is Severity.WARN for one in problems)
    return Outcome.WARN if shown else Outcome.PASS


def problem(kind: ProblemKind, subject: str, severity: Severity, sentence: str) -> Problem:
    """A problem whose first sight :func:`dated` says."""
    return Problem(kind=kind, subject=subject, severity=severity, sentence=sentence, since=_UNDATED)


_UNDATED = "1970-01-01T00:00:00Z"
