"""The tables of judged claims: gates, slices that moved, and what could not be judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.evidence import Rule, State
from assay.report import numbers, words
from assay.report.bundle import Report
from assay.report.escape import cell_code, code, text
from assay.report.table import and_more, bullets, paragraphs, table

MOST_GATES = 40
MOST_SLICES = 10
MOST_REASONS = 12
_WHOLE = "all"
_ORDER = {
    State.WORSE: 0,
    State.NOT_MEASURED: 1,
    State.INCONCLUSIVE: 2,
    State.BETTER: 3,
    State.NO_WORSE: 4,
}


@dataclass(frozen=True, kw_only=True)
class Cells:
    """A rule's numbers as they are printed, all with the same decimals."""

    base: str
    head: str
    difference: str
    margin: str


def cells(rule: Rule) -> Cells:
    """Return a rule's printed numbers; what is missing is a dash."""
    places = numbers.places_of(rule)
    return Cells(
        base="–" if rule.base is None else numbers.number(rule.base, places),
        head="–" if rule.head is None else numbers.number(rule.head, places),
        difference=_difference(rule, places),
        margin=_margin(rule),
    )


def _difference(rule: Rule, places: int) -> str:
    if rule.difference is None:
        return "–"
    shown = numbers.signed(rule.difference, places)
    return shown + (
        f" {numbers.interval(rule.interval, places)}" if rule.interval else ", no interval"
    )


def _margin(rule: Rule) -> str:
    if rule.relative_margin is not None:
        return f"{numbers.exact_percent(rule.relative_margin)} of base"
    if rule.margin is None:
        return "–"
    must_improve = rule.margin == 0 and "no_interval" not in rule.flags
    return "must improve" if must_improve else f"{rule.margin:.10g}"


def difference_header(rules: Sequence[Rule]) -> str:
    """Name the column of differences with the confidence of its intervals."""
    levels = sorted({rule.confidence for rule in rules})
    named = " or ".join(numbers.exact_percent(level) for level in levels)
    return f"Difference [{named} interval], + is better"


def sort_key(rule: Rule) -> tuple[bool, int, float, str, str, str]:
    """Order claims: what decides, then the worst states, then the smallest p-value."""
    p = next((p for p in (rule.p_adjusted, rule.p_worse) if p is not None), 1.0)
    return (not rule.decides, _ORDER[rule.state], p, rule.model, rule.metric, rule.slice)


def gate_table(report: Report) -> str:
    """Return the table of the metrics that gate, over all rows."""
    rules = [rule for rule in report.verdict.rules if rule.gate and rule.slice == _WHOLE]
    if not rules:
        return "No metric was judged."
    shown = sorted(rules, key=sort_key)[:MOST_GATES]
    return paragraphs(
        rule_table(shown, models=report.several),
        and_more(len(shown), len(rules), "verdict.json"),
    )


def rule_table(
    rules: Sequence[Rule], *, models: bool, slices: bool = False, margins: bool = True
) -> str:
    """Return a table of claims; columns that would be empty are left out."""
    header = ["Model"] if models else []
    header += ["Metric", *(["Slice", "Rows"] if slices else []), "Base", "Head"]
    header += [difference_header(rules), *(["Margin"] if margins else []), "State"]
    rows = []
    for rule in rules:
        printed = cells(rule)
        row = [cell_code(rule.model, most=63)] if models else []
        row.append(cell_code(rule.metric, most=60) + words.direction(rule))
        row += [cell_code(rule.slice, most=80), numbers.count(rule.n)] if slices else []
        row += [printed.base, printed.head, printed.difference]
        row += [printed.margin] if margins else []
        rows.append((*row, words.state(rule)))
    texts = {"Model", "Metric", "Slice", "State"}
    right = [index for index, name in enumerate(header) if name not in texts]
    return table(header, rows, right=right)


def moved_slices(report: Report) -> str:
    """Return the slices that got better or worse, the deciding and the worst first."""
    slices = [
        rule for rule in report.verdict.rules if rule.slice != _WHOLE and rule.searched is None
    ]
    if not slices:
        return ""
    moved = [rule for rule in slices if rule.state in (State.WORSE, State.BETTER)]
    names = {(rule.model, rule.slice) for rule in slices}
    searched = f"{numbers.plural(len(slices), 'claim')} on {numbers.plural(len(names), 'slice')}"
    if not moved:
        return f"**Slices**: none moved ({searched} looked at)."
    shown = sorted(moved, key=sort_key)[:MOST_SLICES]
    return paragraphs(
        f"**Slices that moved** ({searched} looked at)",
        rule_table(shown, models=report.several, slices=True, margins=False),
        and_more(len(shown), len(moved), "the details below"),
    )


def unjudged(report: Report) -> str:
    """List what could not be measured or told, with the reason and the rows that would do.

    That a whole model was not compared, and why, stands above the table already.
    """
    said_above = {
        (model.plan.name, model.comparison.not_measured)
        for model in report.touched
        if model.comparison is not None
    }
    rules = [
        rule
        for rule in report.verdict.rules
        if rule.state in (State.NOT_MEASURED, State.INCONCLUSIVE)
        and (rule.gate or rule.state is State.NOT_MEASURED)
        and (rule.model, rule.reason) not in said_above
        and (rule.slice == _WHOLE or rule.decides)
        and rule.searched is None
    ]
    small = _small_slices(report)
    if not rules and not small:
        return ""
    said: dict[str, list[str]] = {}
    for rule in sorted(rules, key=sort_key):
        said.setdefault(_reason(rule), []).append(_claim(rule, named=report.several))
    items = [f"{_listed(claims)}: {reason}" for reason, claims in said.items()]
    more = and_more(min(len(items), MOST_REASONS), len(items), "verdict.json")
    title = "**Not measured, or not settled**" if rules else ""
    return paragraphs(title, bullets(items[:MOST_REASONS]), more, *small)


def _listed(claims: Sequence[str]) -> str:
    left = len(claims) - MOST_REASONS
    return ", ".join(claims[:MOST_REASONS]) + (f" and {left:,} more" if left > 0 else "")


def _claim(rule: Rule, *, named: bool) -> str:
    what = code(rule.metric, most=60)
    if rule.slice != _WHOLE:
        what += f" in {code(rule.slice, most=80)}"
    return f"{code(rule.model)} {what}" if named else what


def _reason(rule: Rule) -> str:
    said = words.STATES[rule.state]
    if rule.reason:
        said += f", {text(rule.reason)}"
    if rule.rows_needed is not None and rule.state is State.INCONCLUSIVE:
        said += f"; about {numbers.about(rule.rows_needed)} test rows would settle it"
        said += f" (now {numbers.count(rule.n)})"
        if rule.detectable:
            said += f"; these show a difference of {rule.detectable:.2g} or more 80 % of the time"
    return said.rstrip(".") + "."


def _small_slices(report: Report) -> list[str]:
    found = []
    for model in report.touched:
        small = model.comparison.small_slices if model.comparison else {}
        if not small:
            continue
        shown = ", ".join(
            f"{code(name, most=60)} ({numbers.plural(rows, 'row')})"
            for name, rows in sorted(small.items())[:5]
        )
        more = f" and {len(small) - 5} more" if len(small) > 5 else ""
        prefix = f"{code(model.plan.name)}: " if report.several else ""
        fewest = model.plan.rules.min_slice_rows
        found.append(f"{prefix}**Slices under {fewest} rows**, not judged: {shown}{more}.")
    return found
