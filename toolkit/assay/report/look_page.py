"""A look at production for people: what is wrong, what was measured, what could not be.

In the family of the pull-request comment: the same escaping, numbers and HTML page.
"""

from __future__ import annotations

from assay.config import Severity
from assay.evidence.monitoring import LabelFeed, Look, Window
from assay.report.escape import code, text
from assay.report.look_metrics import labelled_windows
from assay.report.look_tables import (
    MOST_ROWS,
    drift_table,
    heartbeat_table,
    moment,
    problem_table,
    quality_tables,
    rule_table,
    window_table,
)
from assay.report.numbers import count, duration, percent, plural
from assay.report.page import Theme, comment_page
from assay.report.table import and_more, bullets, paragraphs


def look_markdown(look: Look, *, owner: str | None = None, runbook: str | None = None) -> str:
    """Return the page's Markdown; every name in it is escaped."""
    return (
        paragraphs(
            f"### {headline(look)}",
            text(look.sentence, most=600),
            _compared(look),
            problem_table(look.problems),
            rule_table(look),
            _labels(look),
            _notes(look.notes),
            quality_tables(look, look.retrospects),
            drift_table(look.drift),
            window_table(look.windows),
            heartbeat_table(look.heartbeats),
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
    looked = f"Looked at {moment(look.at)} UTC."
    if not look.windows:
        return f"No predictions were read. {looked}"
    rows = sum(window.predictions for window in look.windows)
    by = f"most of the newest by version {code(look.version[:12])}" if look.version else ""
    return (
        f"{plural(rows, 'prediction')} from {moment(look.windows[0].start)} to "
        f"{moment(look.windows[-1].end)}, {by or 'by versions that the log does not name'}. "
        f"{looked}"
    )


def _labels(look: Look) -> str:
    parts = []
    for provisional, window in sorted(labelled_windows(look).items()):
        which = "Newest whole window" if provisional else "Newest window whose labels are due"
        parts.append(f"{which}, until {moment(window.end)}: {coverage_sentence(window)}")
    if look.labels is not None:
        parts.append(f"All labels: {_feed(look.labels)}")
    return bullets(parts)


def _notes(notes: tuple[str, ...]) -> str:
    if not notes:
        return ""
    shown = bullets(text(note, most=600) for note in notes[:MOST_ROWS])
    return paragraphs("Not measured, or not yet:", shown)


def _feed(feed: LabelFeed) -> str:
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


def _unread(files: tuple[str, ...]) -> str:
    if not files:
        return ""
    shown = bullets(text(name, most=400) for name in files[:MOST_ROWS])
    more = and_more(MOST_ROWS, len(files), "monitor.json")
    return paragraphs(f"Not read: {plural(len(files), 'file')}.", shown, more)


def _who(owner: str | None, runbook: str | None) -> str:
    words = [
        f"Owner: {text(owner)}." if owner else "",
        f"Runbook: {code(runbook)}." if runbook else "",
    ]
    return " ".join(word for word in words if word)
