"""What the comment says of a test set's use: how often it decided, and what that makes of gates."""

from __future__ import annotations

from collections.abc import Sequence

from assay.evidence import Comparison, Reuse, Rule
from assay.report import numbers, words
from assay.report.bundle import Report
from assay.report.escape import cell_code, code, text
from assay.report.table import paragraphs, table
from assay.verdict.reuse import MOST_CREDIT, WORN

_MOST = 3
_DAY = 10
"""Characters of a date in a UTC time."""
_CAVEAT = (
    "A heuristic, not a guarantee: the union bound over heads as if none had been chosen by the "
    "earlier answers. It warns and never blocks (docs/statistics.md)."
)


def use_of_test_set(report: Report) -> str:
    """Return one line for each model whose rules ask for the ledger."""
    lines = []
    for model in report.touched:
        found = model.comparison
        if found is None or found.reuse is None:
            continue
        who = f"{code(model.plan.name)}: " if report.several else ""
        rules = _judged(report.verdict.rules, model.plan.name)
        lines.append(f"{who}{_line(found.reuse, found.confidence, rules, escape=True)}")
    return paragraphs(*lines)


def use_in_words(comparison: Comparison, rules: Sequence[Rule]) -> list[str]:
    """Return the same line without Markdown, for the terminal."""
    if comparison.reuse is None:
        return []
    rules = _judged(rules, comparison.model)
    return [_line(comparison.reuse, comparison.confidence, rules, escape=False)]


def corrected_intervals(report: Report, model: str) -> str:
    """Return each gate's interval with every decision on the test set counted."""
    rows = []
    for rule in _judged(report.verdict.rules, model):
        reuse, plain = rule.reuse, rule.interval
        if reuse is None or reuse.decisions < 2 or plain is None:
            continue
        places = numbers.places_of(rule)
        rows.append(
            (
                cell_code(rule.metric, most=60),
                numbers.interval(plain, places),
                words.STATES[rule.state],
                numbers.interval(reuse.interval, places),
                words.STATES[reuse.state],
                "–" if reuse.credit is None else _credit(reuse.credit),
            )
        )
    header = ("Metric", "Interval", "State", "All decisions counted", "State", "Credit K")
    return paragraphs(table(header, rows, right=(1, 3, 5)), _CAVEAT if rows else "")


def _judged(rules: Sequence[Rule], model: str) -> list[Rule]:
    return [rule for rule in rules if rule.model == model and rule.reuse is not None]


def _line(reuse: Reuse, confidence: float, rules: Sequence[Rule], *, escape: bool) -> str:
    title = "**Test set**" if escape else "Test set"
    if reuse.decisions is None or reuse.confidence is None:
        why = reuse.missing or "no reason was given"
        return f"{title}: how often it has decided is not known: {text(why) if escape else why}."
    if reuse.decisions == 1:
        return f"{title}: this is the first decision on it{_credits(rules)}."
    since = f", since {reuse.since[:_DAY]}" if reuse.since else ""
    level = f"{100 * reuse.confidence:.4g}\N{NO-BREAK SPACE}%"
    return (
        f"{title}: it has decided about {reuse.decisions:,} models, this one included{since}"
        f"{_credits(rules)}. Intervals that count them all stand at {level} instead of "
        f"{numbers.exact_percent(confidence)}: {_shown(rules, escape=escape)}."
    )


def _shown(rules: Sequence[Rule], *, escape: bool) -> str:
    shown = []
    for rule in rules[:_MOST]:
        if rule.reuse is not None:
            ends = numbers.interval(rule.reuse.interval, numbers.places_of(rule))
            worn = ", worn" if WORN in rule.flags else ""
            name = code(rule.metric, most=60) if escape else rule.metric
            shown.append(f"{name} {ends}, {words.STATES[rule.reuse.state]}{worn}")
    left = len(rules) - _MOST
    return "; ".join(shown) + (f"; and {left:,} more" if left > 0 else "") or "no gate has one"


def _credits(rules: Sequence[Rule]) -> str:
    """The smallest credit: the gate that is worn first."""
    known = [rule.reuse.credit for rule in rules if rule.reuse and rule.reuse.credit is not None]
    return f"; the margins afford K = {_credit(min(known))}" if known else ""


def _credit(credit: int) -> str:
    if credit >= MOST_CREDIT:
        return f"over {MOST_CREDIT - 1:,}"
    return f"{credit:,}"
