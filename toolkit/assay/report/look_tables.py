"""The tables of a look's page: windows, quality, drift, what lives; newest and worst first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from assay.config import Severity
from assay.evidence import Effect
from assay.evidence.monitoring import Drift, Heartbeat, Look, Problem, Quality, Retrospect, Window
from assay.report.escape import cell_code, text
from assay.report.look_metrics import labelled_windows
from assay.report.numbers import (
    count,
    duration,
    exact_percent,
    interval,
    number,
    percent,
    places_for,
    places_without_interval,
    plural,
    written,
)
from assay.report.table import and_more, details, paragraphs, table
from assay.report.words import STATES

MOST_ROWS = 40
NONE = "–"
EFFECTS = {
    "psi": "population stability index",
    "jensen_shannon": "Jensen–Shannon distance",
    "wasserstein_sd": "Wasserstein distance",
    "missing": "missing values",
    "unseen": "values never seen",
    "classifier_auc": "area under the ROC curve",
}
_HYPHEN, _SPACE = "\N{NON-BREAKING HYPHEN}", "\N{NO-BREAK SPACE}"


def moment(value: str | None) -> str:
    """Return a time in UTC that no table breaks: its day, and its hour where it is not midnight."""
    if value is None:
        return "none yet"
    at = datetime.fromisoformat(value)
    hour = f"{_SPACE}{at:%H:%M}" if at.hour or at.minute else ""
    return f"{at:%Y-%m-%d}".replace("-", _HYPHEN) + hour


def problem_table(problems: Iterable[Problem]) -> str:
    """Return what somebody should know."""
    rows = [
        (
            "urgent" if problem.severity is Severity.BLOCK else "warning",
            f"{text(problem.kind.value)} of {cell_code(problem.subject)}",
            text(problem.sentence, most=600) + _step_below(problem),
            moment(problem.since),
        )
        for problem in problems
    ]
    return _cut(("", "what", "why, and what to do first", "since (UTC)"), rows)


def step(problem: Problem) -> str:
    """Return what to do first, with its command, for a cell or running text; empty: no step."""
    command = f" {cell_code(problem.command)}" if problem.command else ""
    return text(problem.step, most=400) + command if problem.step else ""


def _step_below(problem: Problem) -> str:
    return f"<br>**First:** {step(problem)}" if problem.step else ""


def rule_table(look: Look) -> str:
    """Return what was judged against what was promised, at all looks together."""
    sliced = any(rule.slice != "all" for rule in look.rules)
    rows = []
    for rule in look.rules:
        places = places_for(rule.interval) if rule.interval else 4
        named = f" of {cell_code(rule.slice)}" if sliced else ""
        state = STATES[rule.state]
        rows.append(
            (
                f"{cell_code(rule.metric)}{named}",
                f"**{state}**" if rule.decides else state,
                _number(rule.head, places),
                _number(rule.base, places),
                _together(interval(rule.interval, places), rule.confidence)
                if rule.interval
                else text(rule.reason or NONE),
                written(rule.margin) if rule.margin is not None else NONE,
                count(rule.n),
            )
        )
    header = ("metric", "state", "live", "promised", "difference", "margin", "predictions")
    return table(header, rows, right=(2, 3, 4, 5, 6))


def _together(bounds: str, confidence: float) -> str:
    return f"{bounds} at {exact_percent(confidence)}".replace(" ", _SPACE)


def quality_tables(look: Look, retrospects: Sequence[Retrospect]) -> str:
    """Return each metric of the newest windows as the labels and as the scores say, by slice."""
    parts = []
    for provisional, window in sorted(labelled_windows(look).items()):
        shown = _quality(window.quality)
        if shown:
            young = ", provisional: more labels are expected" if provisional else ""
            parts.append(paragraphs(f"Window until {moment(window.end)}{young}", shown))
    body = paragraphs(*parts, _retrospects(retrospects))
    return details("Quality by window and slice", body) if body else ""


def _quality(found: Sequence[Quality]) -> str:
    pairs: dict[tuple[str, str], dict[bool, Quality]] = {}
    for one in found:
        pairs.setdefault((one.slice, one.metric), {})[one.estimated] = one
    rows: list[Sequence[str]] = [
        (cell_code(metric), cell_code(of), *_value(pair.get(False)), *_value(pair.get(True))[:2])
        for (of, metric), pair in pairs.items()
    ]
    header = ("metric", "slice", "by labels", "interval", "labels", "by scores", "interval")
    shown = 7 if any(True in pair for pair in pairs.values()) else 5
    return _cut(header[:shown], [row[:shown] for row in rows], right=range(2, shown))


def _value(one: Quality | None) -> tuple[str, str, str]:
    if one is None:
        return NONE, NONE, NONE
    bounds = one.interval
    places = places_for(bounds) if bounds else places_without_interval(one.value, None)
    shown = f"[{number(bounds[0], places)},{_SPACE}{number(bounds[1], places)}]" if bounds else ""
    return _number(one.value, places), shown or text(one.reason or NONE), count(one.n)


def _retrospects(found: Iterable[Retrospect]) -> str:
    rows = [
        (
            cell_code(one.metric),
            f"{count(one.held)} of {count(one.windows)}",
            f"{one.error:.3g}",
            NONE if one.constant is None else f"{one.constant:.3g}",
        )
        for one in found
    ]
    header = ("metric", "intervals that held", "mean error", "of always saying the reference's")
    shown = table(header, rows, right=(1, 2, 3))
    lead = "What scores said earlier, and what the labels of those windows showed since:"
    return paragraphs(lead, shown) if rows else ""


def drift_table(drift: Iterable[Drift]) -> str:
    """Return what moved first, by estimated cost."""
    ranked = sorted(drift, key=lambda one: (not one.moved, -(one.cost or 0.0), one.column))
    rows = [
        (
            cell_code(one.column),
            text(one.role),
            "moved" if one.moved else "same",
            ", ".join(_effect(effect) for effect in one.effects if effect.value) + _more(one)
            or NONE,
            text(one.against).replace(" ", _SPACE),
            NONE if one.p_adjusted is None else f"{one.p_adjusted:.1g}".replace("-", "−"),
            NONE if one.cost is None else number(one.cost, 4),
        )
        for one in ranked
    ]
    header = ("column", "role", "", "effects", "against", "p", "estimated cost")
    return details(drift_heading(ranked), _cut(header, rows, right=(5, 6))) if rows else ""


def drift_heading(drift: Iterable[Drift]) -> str:
    """Return how many columns moved; all features together are no column."""
    listed = list(drift)
    columns = {one.column for one in listed if one.role != "features"}
    moved = {one.column for one in listed if one.moved and one.role != "features"}
    heading = f"Drift: {len(moved)} of {plural(len(columns), 'column')} moved"
    together = any(one.moved and one.role == "features" for one in listed)
    return f"{heading}, and all features together" if together else heading


def _more(one: Drift) -> str:
    spread = f" [{one.interval[0]:.3g}, {one.interval[1]:.3g}]" if one.interval else ""
    named = ", ".join(
        f"{cell_code(new.value, most=new.LONGEST)} {count(new.rows)}" for new in one.new
    )
    return (
        spread
        + (f", mostly by {', '.join(map(cell_code, one.leading))}" if one.leading else "")
        + (f", new: {named}" if named else "")
    )


def _effect(effect: Effect) -> str:
    shown = f"{EFFECTS.get(effect.name, text(effect.name))} {effect.value:.3g}"
    if effect.threshold is not None and effect.value > effect.threshold:
        return f"**{shown}** (above {effect.threshold:.3g})"
    return shown


def window_table(windows: Sequence[Window]) -> str:
    """Return the windows, the newest first."""
    rows = []
    for window in reversed(windows):
        known, of = window.coverage, window.predictions
        later = [known.delay_median, known.delay_90] if known else [None, None]
        rows.append(
            (
                moment(window.start),
                moment(window.end) + ("" if window.complete else " (not over)"),
                count(of),
                _versions(window),
                f"{count(known.labelled)} ({percent(known.labelled / of)})"
                if known and of
                else NONE,
                *(NONE if one is None else duration(one) for one in later),
                "provisional" if known and known.provisional else "",
            )
        )
    header = ("from (UTC)", "to", "predictions", "versions", "with label")
    shown = _cut((*header, "half came within", "90 % within", ""), rows, right=(2, 3, 4, 5, 6))
    return details("Windows", shown) if rows else ""


def _versions(window: Window) -> str:
    apart = f" (unknown ones answered {count(window.unknown)})" if window.unknown else ""
    return count(len(window.versions)) + apart


def heartbeat_table(beats: Iterable[Heartbeat]) -> str:
    """Return when each last showed that it lives."""
    rows = [
        (
            cell_code(beat.name),
            moment(beat.last),
            duration(beat.silent_after),
            "**silent**" if beat.silent else "lives" if beat.last else "expected",
        )
        for beat in beats
    ]
    shown = table(("heartbeat", "last (UTC)", "silent after", ""), rows)
    return details("Heartbeats", shown) if rows else ""


def _number(value: float | None, places: int) -> str:
    return NONE if value is None else number(value, places)


def _cut(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    more = and_more(MOST_ROWS, len(rows), "monitor.json")
    return paragraphs(table(header, rows[:MOST_ROWS], right=right), more)
