"""A look at production as gauges: for a scraper, a textfile or a Pushgateway.

Names and labels are part of what dashboards and alerts stand on: docs/alerts.md lists them, and
a test holds the dashboard and the generated rules to :data:`NAMES`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from assay.evidence import Outcome, Rule, State
from assay.evidence.monitoring import Drift, LabelFeed, Look, Window
from assay.report.escape import clean
from assay.report.exposition import Family, Sample

_LONGEST = 200
PREFIX = "assay_monitor_"
HELP: dict[str, str] = {
    "look_timestamp_seconds": "When production was looked at.",
    "state": "1 for what the look says, 0 for the others.",
    "serving_info": "1 for the version that answered most.",
    "unreadable_files": "Files that could not be read.",
    "window_end_timestamp_seconds": "End of the newest whole window.",
    "predictions": "Predictions in the newest whole window.",
    "version_predictions": "Predictions in the newest whole window, by version.",
    "unknown_version_predictions": "Those of versions that delivery does not know: not among them.",
    "label_coverage": "Share of a window's predictions that have their label.",
    "label_delay_seconds": "How late a share of a window's labels came at most.",
    "label_selection": "1 where a window's labelled predictions differ from those without one.",
    "labels_known": "Predictions with a label.",
    "labels_new": "Labels that this look saw first.",
    "labels_duplicate": "Rows of the labels that repeat another one.",
    "labels_ahead": "Labels dated later than the look: they wait.",
    "labels_corrected": "Labels that a later one replaced.",
    "labels_contradictory": "Predictions with two labels of one time.",
    "labels_orphaned": "Labels without a prediction.",
    "quality": "A metric of a window; provisional: labels are expected; estimated: without them.",
    "quality_low": "Lower end of the metric's interval.",
    "quality_high": "Upper end of the metric's interval.",
    "quality_rows": "Labelled predictions that the value stands on.",
    "rule_difference": "Live minus reference, positive is better.",
    "rule_difference_low": "Lower end of the difference's interval.",
    "rule_difference_high": "Upper end of the difference's interval.",
    "rule_reference": "What was promised.",
    "rule_value": "What was measured live, over all predictions that the rule stands on.",
    "rule_rows": "Labelled predictions that the rule stands on.",
    "rule_margin": "The largest loss that is no worse.",
    "rule_state": "1 for the state of a live metric's rule, 0 for the others.",
    "drift_effect": "How far a column moved, by measure.",
    "drift_effect_low": "Lower end of the only effect's interval, where it is estimated.",
    "drift_effect_high": "Upper end of the only effect's interval, where it is estimated.",
    "drift_moved": "1 where a column counts as moved.",
    "drift_cost": "Estimated loss of the first metric.",
    "drift_p_value": "P-value of the move, corrected over all columns.",
    "estimate_windows": "Windows that were estimated without labels and have them now.",
    "estimate_windows_held": "Those whose interval held what the labels showed.",
    "estimate_error": "Mean absolute error of these estimates.",
    "estimate_reference_error": "The same of always saying the reference's value.",
    "not_measured": "What was not measured, or not yet: the notes of the look.",
    "heartbeat_timestamp_seconds": "When something last showed that it lives.",
    "heartbeat_silent": "1 where something was silent for too long.",
    "heartbeat_silent_after_seconds": "How long it may be silent.",
    "problem_since_timestamp_seconds": "When a problem was found first.",
    "problem": "1 for each thing that somebody should know.",
    "silenced_until_timestamp_seconds": "Until when nobody is told of a problem.",
}
NAMES = frozenset(PREFIX + name for name in HELP)


@dataclass(frozen=True, kw_only=True)
class Silenced:
    """A problem that nobody is told of until a time (seconds since 1970)."""

    kind: str
    subject: str
    until: float


def look_families(look: Look, silences: Iterable[Silenced] = ()) -> tuple[Family, ...]:
    """Return the gauges of one look; names from outside are cleaned of control characters."""
    found: dict[str, list[Sample]] = {name: [] for name in HELP}
    parts = (
        _of_window(look),
        _of_labels(look.labels),
        _of_quality(look),
        _of_rules(look.rules),
        _of_drift(look.drift),
        _of_estimates(look),
        _of_health(look, silences),
    )
    for part in parts:
        for name, labels, value in part:
            found[name].append(({"model": look.model, **labels}, value))
    return tuple(
        Family(name=PREFIX + name, help=HELP[name], samples=_distinct(samples))
        for name, samples in found.items()
    )


def merged(looks: Iterable[tuple[Family, ...]]) -> tuple[Family, ...]:
    """Return the gauges of several models, each name once."""
    found: dict[str, Family] = {}
    for families in looks:
        for one in families:
            known = found.get(one.name)
            samples = (*known.samples, *one.samples) if known else one.samples
            found[one.name] = Family(name=one.name, help=one.help, samples=samples)
    return tuple(found.values())


def seconds(moment: str) -> float:
    """Return a moment as seconds since 1970."""
    return datetime.fromisoformat(moment).astimezone(UTC).timestamp()


_Gauges = Iterator[tuple[str, dict[str, str], float | None]]


def _of_window(look: Look) -> _Gauges:
    yield "look_timestamp_seconds", {}, seconds(look.at)
    for state in Outcome:
        yield "state", {"state": state.value}, int(state is look.state)
    if look.version is not None:
        yield "serving_info", {"artifact_digest": look.version}, 1
    yield "unreadable_files", {}, len(look.unreadable)
    newest = newest_complete(look)
    if newest is not None:
        yield "window_end_timestamp_seconds", {}, seconds(newest.end)
        yield "predictions", {}, newest.predictions
        yield "unknown_version_predictions", {}, newest.unknown
        for digest, count in newest.versions.items():
            yield "version_predictions", {"artifact_digest": digest}, count


def newest_complete(look: Look) -> Window | None:
    """Return the newest window that is over."""
    return next((window for window in reversed(look.windows) if window.complete), None)


def labelled_windows(look: Look) -> dict[bool, Window]:
    """Return the newest window whose labels are there (False) and whose are expected (True)."""
    found: dict[bool, Window] = {}
    for window in look.windows:
        if window.complete and (window.coverage or window.quality):
            found[window.coverage.provisional if window.coverage else True] = window
    return found


def _of_labels(feed: LabelFeed | None) -> _Gauges:
    if feed is None:
        return
    yield "labels_known", {}, feed.known
    yield "labels_new", {}, feed.new
    yield "labels_duplicate", {}, feed.duplicates
    yield "labels_ahead", {}, feed.ahead
    yield "labels_corrected", {}, feed.corrected
    yield "labels_contradictory", {}, feed.contradictory
    yield "labels_orphaned", {}, feed.orphans


def _of_quality(look: Look) -> _Gauges:
    for provisional, window in labelled_windows(look).items():
        when, coverage = {"provisional": _word(provisional)}, window.coverage
        if coverage is not None:
            share = coverage.labelled / window.predictions if window.predictions else None
            yield "label_coverage", when, share
            yield "label_selection", when, int(coverage.selection is not None)
            yield "label_delay_seconds", {**when, "share": "0.5"}, coverage.delay_median
            yield "label_delay_seconds", {**when, "share": "0.9"}, coverage.delay_90
        for one in window.quality:
            labels = {"metric": one.metric, "slice": one.slice, **when}
            labels["estimated"] = _word(one.estimated)
            low, high = one.interval or (None, None)
            yield "quality", labels, one.value
            yield "quality_low", labels, low
            yield "quality_high", labels, high
            yield "quality_rows", labels, one.n


def _of_rules(rules: Iterable[Rule]) -> _Gauges:
    for rule in rules:
        labels = {"metric": rule.metric, "slice": rule.slice}
        yield "rule_difference", labels, rule.difference
        low, high = rule.interval or (None, None)
        yield "rule_difference_low", labels, low
        yield "rule_difference_high", labels, high
        yield "rule_reference", labels, rule.base
        yield "rule_value", labels, rule.head
        yield "rule_rows", labels, rule.n
        yield "rule_margin", labels, rule.margin
        for state in State:
            yield "rule_state", {**labels, "state": state.value}, int(state is rule.state)


def _of_drift(drift: Iterable[Drift]) -> _Gauges:
    for one in drift:
        labels = {"column": one.column, "role": one.role, "against": one.against}
        for effect in one.effects:
            yield "drift_effect", {**labels, "measure": effect.name}, effect.value
        low, high = one.interval or (None, None)
        yield "drift_effect_low", labels, low
        yield "drift_effect_high", labels, high
        yield "drift_moved", labels, int(one.moved)
        yield "drift_cost", labels, one.cost
        yield "drift_p_value", labels, one.p_adjusted


def _of_estimates(look: Look) -> _Gauges:
    yield "not_measured", {}, len(look.notes)
    for one in look.retrospects:
        labels = {"metric": one.metric}
        yield "estimate_windows", labels, one.windows
        yield "estimate_windows_held", labels, one.held
        yield "estimate_error", labels, one.error
        yield "estimate_reference_error", labels, one.constant


def _of_health(look: Look, silences: Iterable[Silenced]) -> _Gauges:
    for beat in look.heartbeats:
        last = seconds(beat.last) if beat.last else None
        yield "heartbeat_timestamp_seconds", {"name": beat.name}, last
        yield "heartbeat_silent", {"name": beat.name}, int(beat.silent)
        yield "heartbeat_silent_after_seconds", {"name": beat.name}, beat.silent_after
    for problem in look.problems:
        labels = {"kind": problem.kind.value, "subject": problem.subject}
        yield "problem", {**labels, "severity": problem.severity.value}, 1
        yield "problem_since_timestamp_seconds", labels, seconds(problem.since)
    for silence in silences:
        labels = {"kind": silence.kind, "subject": silence.subject}
        yield "silenced_until_timestamp_seconds", labels, silence.until


def _word(value: bool) -> str:
    return "true" if value else "false"


def _distinct(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """Clean the labels; samples whose cleaned labels are equal are told apart by a number."""
    seen: dict[tuple[str, ...], int] = {}
    found = []
    for labels, value in samples:
        kept = {name: clean(text, most=_LONGEST) for name, text in labels.items()}
        key = tuple(kept.values())
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            kept["duplicate"] = str(seen[key])
        found.append((kept, value))
    return tuple(found)
