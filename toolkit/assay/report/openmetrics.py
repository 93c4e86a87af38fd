"""``metrics.prom``: a verdict's numbers as OpenMetrics text, for Prometheus and what reads it.

The format is OpenMetrics 1.0; every family is a gauge, without timestamps, so that the same
verdict is the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from assay.evidence import Outcome, Rule, State, Verdict
from assay.report.escape import clean
from assay.report.exposition import family_lines

_LONGEST = 300
_NUMBERS: tuple[tuple[str, str, Callable[[Rule], float | None]], ...] = (
    ("base", "The base's value.", lambda rule: rule.base),
    ("head", "The head's value.", lambda rule: rule.head),
    ("difference", "Head minus base, positive is better.", lambda rule: rule.difference),
    (
        "difference_low",
        "Lower end of the difference's interval.",
        lambda rule: rule.interval[0] if rule.interval else None,
    ),
    (
        "difference_high",
        "Upper end of the difference's interval.",
        lambda rule: rule.interval[1] if rule.interval else None,
    ),
    ("confidence", "Confidence of the interval.", lambda rule: rule.confidence),
    ("margin", "The largest loss that is no worse.", lambda rule: rule.margin),
    ("rows", "Test rows that were compared.", lambda rule: rule.n),
    ("detectable", "The smallest difference that 80 % of runs see.", lambda rule: rule.detectable),
)
_KINDS = {
    "assay_gate": "of a metric that gates",
    "assay_metric": "of a metric for information",
    "assay_worst_slice": "of the worst slice, corrected for the search",
}


def openmetrics(verdict: Verdict) -> str:
    """Return the verdict's numbers; names are cleaned of control characters and escaped."""
    lines = family_lines(
        "assay_verdict",
        "1 for the verdict's state, 0 for the others.",
        [({"state": state.value}, int(state is verdict.state)) for state in Outcome],
    )
    for kind, meaning in _KINDS.items():
        rules = _labelled([rule for rule in verdict.rules if _kind(rule) == kind])
        for name, text, value in _NUMBERS:
            found = [(labels, value(rule)) for labels, rule in rules]
            lines += family_lines(f"{kind}_{name}", f"{text[:-1]}, {meaning}.", found)
        states = [
            ({**labels, "state": state.value}, int(state is rule.state))
            for labels, rule in rules
            for state in State
        ]
        lines += family_lines(
            f"{kind}_state", f"1 for the state {meaning}, 0 for the others.", states
        )
    lines += family_lines("assay_stage_rules", "Rules on stages and data checks.", _stages(verdict))
    return "\n".join([*lines, "# EOF"]) + "\n"


def _kind(rule: Rule) -> str:
    if rule.searched is not None:
        return "assay_worst_slice"
    return "assay_gate" if rule.gate else "assay_metric"


def _labelled(rules: Iterable[Rule]) -> list[tuple[dict[str, str], Rule]]:
    """Rules with their labels; two whose cleaned names are equal are told apart by a number."""
    seen: dict[tuple[str, ...], int] = {}
    found = []
    for rule in rules:
        labels = {
            name: clean(value, most=_LONGEST)
            for name, value in (
                ("model", rule.model),
                ("metric", rule.metric),
                ("slice", rule.slice),
            )
        }
        key = tuple(labels.values())
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            labels["duplicate"] = str(seen[key])
        found.append((labels, rule))
    return found


def _stages(verdict: Verdict) -> list[tuple[dict[str, str], int]]:
    counts: dict[tuple[str, str, str, str], int] = {}
    for rule in verdict.stages:
        model, check = (clean(text, most=_LONGEST) for text in (rule.model, rule.check or ""))
        key = (model, rule.stage, check, rule.severity.value)
        counts[key] = counts.get(key, 0) + 1
    names = ("model", "stage", "check", "severity")
    return [(dict(zip(names, key, strict=True)), count) for key, count in counts.items()]
