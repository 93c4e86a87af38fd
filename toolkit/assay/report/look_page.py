"""A look at production for people: what is wrong, what was measured, what could not be.

In the family of the pull-request comment: the same escaping, numbers and HTML page.
"""

from __future__ import annotations

from collections.abc import Iterable

from assay.config import Severity
from assay.evidence.monitoring import Drift, Heartbeat, LabelFeed, Look, Problem, Window
from assay.report.escape import cell_code, code, text
from assay.report.look_metrics import labelled_windows
from assay.report.numbers import (
    count,
    duration,
    interval,
    number,
    percent,
    places_for,
    places_without_interval,
    plural,
)
from assay.report.page import Theme, comment_page
from assay.report.table import and_more, bullets, details, paragraphs, table

_MOST_ROWS = 40
_NONE = "–"


def look_markdown(look: Look, *, owner: str | None = None, runbook: str | None = None) -> str:
    """Return the page's Markdown; every name in it is escaped."""
    return (
        paragraphs(
            f"### {headline(look)}",
            text(look.sentence, most=600),
            _compared(look),
            _problems(look.problems),
            _rules(look),
            _labels(look),
            _quality(look),
            _drift(look.drift),
            _windows(look.windows),
            _heartbeats(look.heartbeats),
            _unread(look.unreadable),
            _who(owner, runbook),
        )
        + "\n"
    )


def look_html(look: Look, *, theme: Theme = "auto", **who: str | None) -> str:
    """Return the page as HTML that loads nothing and runs no script."""
    title = f"{look.model} in production"
    return comment_page(look_markdown(look, **who), title=title, author="assay", theme=theme)


def headline(look: Look) -> str:
    """Return what the look found in one line."""
    if not look.problems:
        return f"{code(look.model)} in production: nothing to act on"
    blocking = sum(problem.severity is Severity.BLOCK for problem in look.problems)
    what = plural(len(look.problems), "problem")
    pages = f", {blocking} of them urgent" if blocking else ""
    return f"{code(look.model)} in production: {what}{pages}"


def coverage_sentence(window: Window) -> str:
    """Say on how many labels a window's quality stands: none is told without it."""
    coverage = window.coverage
    if coverage is None:
        return "No labels are read: nothing says how good the predictions were."
    share = coverage.labelled / window.predictions if window.predictions else 0.0
    of = f"{count(coverage.labelled)} of {plural(window.predictions, 'prediction')}"
    parts = [f"{of} ({percent(share)}) have their label"]
    if coverage.delay_median is not None:
        later = f", 90 % within {duration(coverage.delay_90)}" if coverage.delay_90 else ""
        parts.append(f"half of them came within {duration(coverage.delay_median)}{later}")
    more = " More are expected." if coverage.provisional else ""
    selected = f" {text(coverage.selection, most=400)}" if coverage.selection else ""
    return "; ".join(parts) + "." + more + selected


def _compared(look: Look) -> str:
    version = f"version {code(look.version[:12])}" if look.version else "no known version"
    if not look.windows:
        return f"No predictions were read. Looked at {text(look.at)}."
    rows = sum(window.predictions for window in look.windows)
    return (
        f"{plural(rows, 'prediction')} from {text(look.windows[0].start)} to "
        f"{text(look.windows[-1].end)}, most of the newest by {version}. Looked at {text(look.at)}."
    )


def _labels(look: Look) -> str:
    settled = labelled_windows(look).get(False)
    words = [
        f"Of the window that ended {text(settled.end)}, {coverage_sentence(settled)}"
        if settled
        else "",
        _feed(look.labels),
    ]
    return " ".join(word for word in words if word)


def _feed(feed: LabelFeed | None) -> str:
    if feed is None:
        return ""
    parts = [f"{plural(feed.known, 'prediction')} with a label so far, {count(feed.new)} new"]
    for value, word in (
        (feed.corrected, "corrected"),
        (feed.contradictory, "contradictory and not counted"),
        (feed.duplicates, "repeated"),
        (feed.orphans, "without a prediction"),
        (feed.ahead, "dated in the future"),
    ):
        if value:
            parts.append(f"{count(value)} {word}")
    return ", ".join(parts) + "."


def _problems(problems: Iterable[Problem]) -> str:
    rows = [
        (
            "urgent" if problem.severity is Severity.BLOCK else "warning",
            f"{text(problem.kind.value)} of {cell_code(problem.subject)}",
            text(problem.sentence, most=600),
            text(problem.since),
        )
        for problem in problems
    ]
    shown = table(("", "what", "why", "since"), rows[:_MOST_ROWS])
    return paragraphs(shown, and_more(_MOST_ROWS, len(rows), "monitor.json"))


def _rules(look: Look) -> str:
    rows = []
    for rule in look.rules:
        places = places_for(rule.interval) if rule.interval else 4
        rows.append(
            (
                cell_code(rule.metric),
                cell_code(rule.slice),
                text(rule.state.value),
                number(rule.base, places) if rule.base is not None else _NONE,
                number(rule.head, places) if rule.head is not None else _NONE,
                interval(rule.interval, places) if rule.interval else text(rule.reason or _NONE),
                f"{rule.margin:g}" if rule.margin is not None else _NONE,
                count(rule.n),
            )
        )
    header = ("metric", "slice", "state", "reference", "live", "difference", "margin", "rows")
    return table(header, rows, right=(3, 4, 5, 6, 7))


def _quality(look: Look) -> str:
    rows = []
    for provisional, window in sorted(labelled_windows(look).items()):
        for one in window.quality:
            places = (
                places_for(one.interval)
                if one.interval
                else places_without_interval(one.value, None)
            )
            rows.append(
                (
                    text(window.end) + (" (provisional)" if provisional else ""),
                    cell_code(one.metric),
                    cell_code(one.slice),
                    number(one.value, places) if one.value is not None else _NONE,
                    f"[{number(one.interval[0], places)}, {number(one.interval[1], places)}]"
                    if one.interval
                    else text(one.reason or _NONE),
                    "confidence" if one.estimated else "labels",
                    count(one.n),
                )
            )
    header = ("window until", "metric", "slice", "value", "interval", "from", "rows")
    body = table(header, rows[:_MOST_ROWS], right=(3, 4, 6))
    more = and_more(_MOST_ROWS, len(rows), "monitor.json")
    return details("Quality by slice", paragraphs(body, more)) if rows else ""


def _windows(windows: tuple[Window, ...]) -> str:
    rows = [
        (
            text(window.start),
            text(window.end) + ("" if window.complete else " (not over)"),
            count(window.predictions),
            count(len(window.versions)),
            coverage_sentence(window),
        )
        for window in windows[-_MOST_ROWS:]
    ]
    header = ("from", "to", "predictions", "versions", "labels")
    shown = table(header, rows, right=(2, 3))
    more = and_more(_MOST_ROWS, len(windows), "monitor.json")
    return details("Windows", paragraphs(shown, more)) if rows else ""


def _drift(drift: Iterable[Drift]) -> str:
    """Return what moved first, by estimated cost."""
    ranked = sorted(drift, key=lambda one: (not one.moved, -(one.cost or 0.0), one.column))
    rows = [
        (
            cell_code(one.column),
            text(one.role),
            "moved" if one.moved else "same",
            ", ".join(f"{text(effect.name)} {effect.value:.3f}" for effect in one.effects) or _NONE,
            text(one.against),
            f"{one.cost:.4f}" if one.cost is not None else _NONE,
        )
        for one in ranked
    ]
    header = ("column", "role", "", "effects", "against", "estimated cost")
    shown = table(header, rows[:_MOST_ROWS], right=(5,))
    moved = sum(one.moved for one in ranked)
    name = f"Drift: {moved} of {plural(len(ranked), 'column')} moved"
    more = and_more(_MOST_ROWS, len(rows), "monitor.json")
    return details(name, paragraphs(shown, more)) if rows else ""


def _heartbeats(beats: Iterable[Heartbeat]) -> str:
    rows = [
        (
            cell_code(beat.name),
            text(beat.last) if beat.last else "never",
            duration(beat.silent_after),
            "silent" if beat.silent else "lives",
        )
        for beat in beats
    ]
    shown = table(("heartbeat", "last", "silent after", ""), rows)
    return details("Heartbeats", shown) if rows else ""


def _unread(files: tuple[str, ...]) -> str:
    if not files:
        return ""
    shown = bullets(text(name, most=400) for name in files[:_MOST_ROWS])
    more = and_more(_MOST_ROWS, len(files), "monitor.json")
    return paragraphs(f"Not read: {plural(len(files), 'file')}.", shown, more)


def _who(owner: str | None, runbook: str | None) -> str:
    words = [
        f"Owner: {text(owner)}." if owner else "",
        f"Runbook: {code(runbook)}." if runbook else "",
    ]
    return " ".join(word for word in words if word)
