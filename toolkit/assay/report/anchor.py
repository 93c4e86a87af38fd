"""The table of gates against the anchor, and what the steps since then add up to."""

from __future__ import annotations

from collections.abc import Sequence

from assay.evidence import Rule, State, Verdict
from assay.report import numbers, words
from assay.report.bundle import ModelEvidence, Report
from assay.report.escape import cell_code, code, text
from assay.report.gates import cells, difference_header
from assay.report.table import paragraphs, table
from assay.verdict.sentence import claim_sentence

_ADDS_UP = "Each step was within the margin; together they are not."
_HELD = (State.BETTER, State.NO_WORSE)


def against_anchor(report: Report) -> str:
    """Return a small table for each model that is compared with an anchor."""
    return paragraphs(*(_of_model(model, report) for model in report.touched))


def _of_model(model: ModelEvidence, report: Report) -> str:
    anchor = model.plan.anchor
    if anchor is None:
        return ""
    who = f"{code(model.plan.name)}: " if report.several else ""
    name = text(anchor.name, most=60)
    at = f" (`{anchor.revision.commit[:7]}`)" if anchor.revision else ""
    title = f"{who}**Against {name}**{at}"
    found = model.anchored
    if found is None or found.not_measured is not None:
        why = found.not_measured if found else "the comparison with it left no evidence"
        return f"{title}: not measured: {text(why or '')}."
    rules = [rule for rule in report.verdict.anchored if rule.model == model.plan.name]
    rows = found.rows
    joined = (
        f", {numbers.plural(rows.joined, 'test row')} joined by {rows.joined_by}" if rows else ""
    )
    return paragraphs(f"{title}{joined}", _table(rules, name), _sum(rules, report, name))


def _table(rules: Sequence[Rule], name: str) -> str:
    header = ("Metric", name, "Head", difference_header(rules), "Margin", "State")
    rows = []
    for rule in rules:
        printed = cells(rule)
        metric = cell_code(rule.metric, most=60) + words.direction(rule)
        row = (metric, printed.base, printed.head, printed.difference, printed.margin)
        rows.append((*row, words.state(rule)))
    return table(header, rows, right=(1, 2, 3, 4))


def steps_that_add_up(
    rules: Sequence[Rule], anchored: Sequence[Rule], *, model: str
) -> tuple[str, ...]:
    """Return the metrics that hold against the base and are worse than at the anchor."""
    held = {
        (rule.metric, rule.slice) for rule in rules if rule.model == model and rule.state in _HELD
    }
    return tuple(
        rule.metric
        for rule in anchored
        if rule.model == model and rule.state is State.WORSE and (rule.metric, rule.slice) in held
    )


def anchor_in_words(verdict: Verdict) -> list[str]:
    """Return one line for each gate against the anchor, and what adds up, without Markdown."""
    lines = [claim_sentence(rule) for rule in verdict.anchored]
    for model in dict.fromkeys(rule.model for rule in verdict.anchored):
        worse = steps_that_add_up(verdict.rules, verdict.anchored, model=model)
        lines += [f"{', '.join(worse)}: {_ADDS_UP}"] if worse else []
    return lines


def _sum(rules: Sequence[Rule], report: Report, name: str) -> str:
    if not rules:
        return ""
    worse = steps_that_add_up(report.verdict.rules, rules, model=rules[0].model)
    if not worse:
        return ""
    named = ", ".join(code(metric, most=60) for metric in worse)
    return f"{named}: no worse than the base, and worse than at {name}. {_ADDS_UP}"
