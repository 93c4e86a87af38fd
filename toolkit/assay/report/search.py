"""What the comment says of the search for the worst slice."""

from __future__ import annotations

from assay.evidence import Rule, SliceSearch, State
from assay.report import numbers, words
from assay.report.bundle import ModelEvidence, Report
from assay.report.escape import code, text
from assay.report.table import bullets, paragraphs
from assay.verdict.figures import confidence_of_all

_MOST_OTHERS = 5


def worst_slices(report: Report) -> str:
    """Return the worst slice of each model with its corrected interval, and how many were searched.

    A search that found nothing is one line.
    """
    found = (_worst(model, report) for model in report.touched)
    lines = [line for line in found if line]
    return paragraphs("**Worst slice**, of all that were searched", bullets(lines)) if lines else ""


def _worst(model: ModelEvidence, report: Report) -> str:
    search = model.comparison.worst_slice if model.comparison else None
    rule = next(
        (
            rule
            for rule in report.verdict.rules
            if rule.model == model.plan.name and rule.searched is not None
        ),
        None,
    )
    if search is None:
        return ""
    named = f"{code(model.plan.name)}: " if report.several else ""
    if search.reason is not None:
        return f"{named}not searched, or not judged: {text(search.reason)}."
    if rule is None or rule.interval is None:
        return ""
    beyond = f"; {search.beyond:,} smaller ones were not" if search.beyond else ""
    crossed = ", crossings of two columns included" if search.depth > 1 else ""
    of = (
        f"{numbers.plural(search.searched, 'slice')} with at least {search.min_rows:,} "
        f"rows{crossed}{beyond}"
    )
    if rule.state is not State.WORSE:
        return (
            f"{named}{code(rule.metric, most=60)} is worse beyond chance in none of {of}. "
            f"The likeliest: {_shown(rule)}."
        )
    return (
        f"{named}{code(rule.metric, most=60)} in {_shown(rule)}: {words.state(rule)}. "
        f"Searched: {of}.{_others(search)}"
    )


def _shown(rule: Rule) -> str:
    places = numbers.places_of(rule)
    base, head = (numbers.number(value or 0.0, places) for value in (rule.base, rule.head))
    ends = numbers.interval(rule.interval or (0.0, 0.0), places)
    level = numbers.exact_percent(confidence_of_all(rule))
    return (
        f"{code(rule.slice, most=160)} ({numbers.plural(rule.n, 'row')}), {base} → {head}, "
        f"{numbers.signed(rule.difference or 0.0, places)} {ends} ({level} for all of them at once)"
    )


def _others(search: SliceSearch) -> str:
    if not search.others_worse:
        return ""
    listed = ", ".join(code(each.slice, most=80) for each in search.others[:_MOST_OTHERS])
    left = search.others_worse - min(_MOST_OTHERS, len(search.others))
    more = f" and {left:,} more" if left > 0 else ""
    return f" Worse beyond chance too: {listed}{more}."
