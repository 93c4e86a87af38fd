"""The words for states, severities and sources, written once."""

from __future__ import annotations

from assay.config import Severity
from assay.evidence import BaseSource, Outcome, Rule, State

OUTCOMES = {
    Outcome.PASS: "pass",
    Outcome.WARN: "pass with warnings",
    Outcome.FAIL: "fail",
}
STATES = {
    State.BETTER: "better",
    State.NO_WORSE: "no worse",
    State.WORSE: "worse",
    State.INCONCLUSIVE: "inconclusive",
    State.NOT_MEASURED: "not measured",
}
FLAGS = {
    "small_loss": "a small loss",
    "exceeds_margin": "beyond the margin",
    "nominally_worse": "nominally worse",
    "worn": "worn test set",
}
SOURCES = {
    BaseSource.DVC_OUTPUTS: "the DVC outputs that its dvc.lock names",
    BaseSource.EARLIER_EVIDENCE: "the evidence of an earlier run",
    BaseSource.RERUN: "its pipeline, run again",
    BaseSource.FILE: "a file",
    BaseSource.NONE: "nowhere",
}
_EFFECTS = {Severity.BLOCK: "blocks", Severity.WARN: "warns", Severity.OFF: ""}
_SHOWN_EFFECTS = {State.WORSE, State.INCONCLUSIVE, State.NOT_MEASURED}


def effect(severity: Severity) -> str:
    """Say what a finding of this severity does to the verdict."""
    return _EFFECTS[severity]


def state(rule: Rule) -> str:
    """Say a rule's state, its flags, and what it does; bold where it decides."""
    word = STATES[rule.state]
    flags = [FLAGS[flag] for flag in rule.flags if flag in FLAGS]
    does = effect(rule.severity) if rule.state in _SHOWN_EFFECTS else ""
    shown = f"**{word}**" if rule.decides else word
    return ", ".join(part for part in (shown, *flags, does) if part)


def direction(rule: Rule) -> str:
    """Say that lower is better, where it is."""
    return "" if rule.higher_is_better else " (lower is better)"
