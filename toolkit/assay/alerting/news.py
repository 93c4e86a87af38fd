"""What is new between two looks, in words: for an issue, for a webhook."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assay.config import Alerts, Severity
from assay.evidence import Look, Problem
from assay.github.issues import Wanted
from assay.report.escape import clean, code, text
from assay.report.look_metrics import Silenced, labelled_windows
from assay.report.look_page import coverage_sentence
from assay.report.look_tables import step
from assay.report.table import bullets, paragraphs
from assay.state import Entry, in_force


@dataclass(frozen=True, kw_only=True)
class Told:
    """A look, who acts, and what was silenced; ``target`` is where a rollback would act."""

    look: Look
    alerts: Alerts
    target: str | None = None
    silences: tuple[Entry, ...] = ()

    @property
    def now(self) -> datetime:
        """The look's own time: the same look says the same."""
        return datetime.fromisoformat(self.look.at)

    def held(self, problem: Problem) -> Entry | None:
        """Return what holds messages about a problem back."""
        return in_force(self.silences, problem.key, since=problem.since, now=self.now)

    @property
    def rollback(self) -> str | None:
        """The command that takes the traffic back."""
        if self.target is None:
            return None
        return f"assay rollback --model {self.look.model} --target {self.target}"


def silenced(told: Told) -> tuple[Silenced, ...]:
    """Return the problems of a look that are held back, for its metrics."""
    found = []
    for problem in told.look.problems:
        entry = told.held(problem)
        if entry is not None:
            until = datetime.fromisoformat(entry.until).timestamp() if entry.until else float("inf")
            found.append(Silenced(kind=problem.kind.value, subject=problem.subject, until=until))
    return tuple(found)


def issues_of(told: Told) -> tuple[tuple[Wanted, ...], tuple[str, ...]]:
    """Return the issues that a look wants, and the keys of the problems that are silenced."""
    wanted, held = [], []
    for problem in told.look.problems:
        entry = told.held(problem)
        if entry is not None and entry.kind == "silence":
            held.append(problem.key)
        else:
            wanted.append(_issue(told, problem, entry))
    return tuple(wanted), tuple(held)


def _issue(told: Told, problem: Problem, acknowledged: Entry | None) -> Wanted:
    look, alerts = told.look, told.alerts
    facts = [
        f"Severity: {'urgent' if problem.severity is Severity.BLOCK else 'warning'}",
        f"Since: {text(problem.since)}",
        f"Version that serves: {code(look.version) if look.version else 'unknown'}",
        f"Labels: {_coverage(look)}",
        f"Owner: {text(alerts.owner)}",
    ]
    if alerts.runbook is not None:
        facts.append(f"Runbook: {code(alerts.runbook)}")
    if told.rollback is not None and told.rollback != problem.command:
        facts.append(f"To take the traffic back: {code(told.rollback)}")
    if acknowledged is not None:
        facts.append(f"Acknowledged by {text(acknowledged.by)}: {text(acknowledged.reason)}")
    # Somebody will paste it: a column's name comes from outside.
    key = shlex.quote(clean(problem.key))
    quiet = code(f"assay silence {look.model} {key} --until TIME --reason TEXT --by NAME", most=500)
    body = paragraphs(
        text(problem.sentence, most=1000),
        f"What to do first: {step(problem)}" if problem.step else "",
        bullets(facts),
        f"This issue is kept up to date and closes when a look no longer finds it. To hear nothing "
        f"of it for a while: {quiet}.",
    )
    title = clean(f"{look.model}: {problem.kind.value} of {problem.subject}", most=200)
    return Wanted(model=look.model, key=problem.key, title=title, body=body)


def _coverage(look: Look) -> str:
    settled = labelled_windows(look).get(False)
    return coverage_sentence(settled) if settled else "none are there yet."


def messages(told: Told, previous: Look | None) -> Iterable[tuple[str, dict[str, Any]]]:
    """Yield what a webhook is told, each with the key that makes it one message.

    A problem is told when it begins and when its severity changes, and again when it passes.
    Silenced and acknowledged ones are not. The key holds since when, so that the same news of two
    looks is one message.
    """
    before = {one.key: one for one in previous.problems} if previous else {}
    there = {one.key for one in told.look.problems}
    for problem in told.look.problems:
        known = before.get(problem.key)
        same = known is not None and known.severity is problem.severity
        if (same and known is not None and known.since == problem.since) or told.held(problem):
            continue
        key = f"{told.look.model}\0{problem.key}\0{problem.since}\0{problem.severity.value}"
        yield key, _message(told, problem)
    for key, problem in before.items():
        if key not in there and not told.held(problem):
            name = f"{told.look.model}\0{key}\0{problem.since}\0passed"
            yield name, _passed(told, problem)


def _message(told: Told, problem: Problem) -> dict[str, Any]:
    look, alerts = told.look, told.alerts
    urgent = "urgent" if problem.severity is Severity.BLOCK else "warning"
    lines = [
        f"*{slack(look.model)}*, {urgent}: {slack(problem.kind.value)} of {slack(problem.subject)}",
        slack(problem.sentence, most=1000),
        f"Labels: {slack(_coverage(look))}",
        f"Version: {slack(look.version or 'unknown')}. Owner: {slack(alerts.owner)}.",
    ]
    if problem.step:
        first = f"{problem.step} {problem.command}".strip()
        lines.insert(2, f"What to do first: {slack(first, most=600)}")
    if alerts.runbook is not None:
        lines.append(f"Runbook: {slack(alerts.runbook, most=500)}")
    if told.rollback is not None and told.rollback != problem.command:
        lines.append(f"To take the traffic back: {slack(told.rollback)}")
    return {"text": "\n".join(lines)}


def _passed(told: Told, problem: Problem) -> dict[str, Any]:
    what = f"{slack(problem.kind.value)} of {slack(problem.subject)}"
    return {"text": f"*{slack(told.look.model)}*: {what} passed; it began {slack(problem.since)}."}


def slack(value: str, *, most: int = 200) -> str:
    """Escape for Slack's text: no mention, link or formatting comes from outside."""
    kept = clean(value, most=most)
    for character, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        kept = kept.replace(character, written)
    return "".join(f"{one}\u200b" if one in "*_~`@" else one for one in kept)
