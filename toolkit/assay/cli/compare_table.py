"""What ``assay compare`` prints: one table, what could not be measured, and the verdict."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from assay.cli.console import printable
from assay.evidence import Comparison, Outcome, Rule, State, Verdict
from assay.report.drawn import drawn_in_words
from assay.report.gates import cells
from assay.report.numbers import exact_percent
from assay.report.reuse import use_in_words
from assay.verdict.sentence import claim_sentence

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {
    State.BETTER: "green",
    State.NO_WORSE: "",
    State.WORSE: "red",
    State.INCONCLUSIVE: "yellow",
    State.NOT_MEASURED: "magenta",
}
_COLOURS = {Outcome.PASS: "bold green", Outcome.WARN: "bold yellow", Outcome.FAIL: "bold red"}
_NO_MARGIN = (
    "No margin was given (--margin METRIC=VALUE): no metric can be called no-worse, "
    "and only one shown to be worse fails."
)
_LONGEST = 28
_WHOLE = "all"
_MOST_REASONS = 12


def print_verdict(
    console: Console, comparison: Comparison, verdict: Verdict, *, several: bool = False
) -> None:
    """Print a comparison's table and what stands beside it, then the verdict's sentence."""
    if several:
        console.print(Text(f"Model {printable(comparison.model)}", style="bold"))
    console.print(Text(_compared(comparison)))
    rules = [rule for rule in verdict.rules if rule.searched is None]
    if rules:
        console.print(_table(rules, comparison.confidence))
    worst = [claim_sentence(rule) for rule in verdict.rules if rule.searched is not None]
    if comparison.worst_slice is not None and comparison.worst_slice.reason is not None:
        worst = [f"Worst slice: not searched, or not judged: {comparison.worst_slice.reason}."]
    for line in [*worst, *_remarks(comparison, rules)]:
        wrapped = textwrap.fill(
            printable(line),
            console.width,
            initial_indent="  ",
            subsequent_indent="    ",
            break_on_hyphens=False,
        )
        console.print(Text(wrapped, style="dim"))
    state = (verdict.state.value, _COLOURS[verdict.state])
    said = Text.assemble(state, f": {printable(verdict.sentence)}")
    console.print(said, soft_wrap=not console.is_terminal)


def _has_margin(rule: Rule) -> bool:
    return rule.margin is not None or rule.relative_margin is not None


def _compared(comparison: Comparison) -> str:
    if comparison.not_measured is not None:
        return f"Not measured: {printable(comparison.not_measured)}"
    rows = comparison.rows
    if rows is None:
        return "No rows."
    only = [
        f"{count:,} on the {side} only"
        for side, count in (("base", rows.base_only), ("head", rows.head_only))
        if count
    ]
    return (
        f"{rows.joined:,} rows joined by {rows.joined_by}"
        + "".join(f", {text}" for text in only)
        + (f"; task {comparison.task.value}" if comparison.task else "")
    )


def _table(rules: Sequence[Rule], confidence: float) -> Table:
    """One table: the metrics over all rows, then those of each slice under its name."""
    margins = any(map(_has_margin, rules))
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("Metric", max_width=_LONGEST, overflow="fold")
    for header in ("Base", "Head"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column(f"Difference [{exact_percent(confidence)}]\n+ is better", no_wrap=True)
    if margins:
        table.add_column("Margin", no_wrap=True)
    table.add_column("State", no_wrap=True)
    for where, group in groupby(rules, key=lambda rule: rule.slice):
        if where != _WHOLE:
            table.add_row(Text(_short(where, 3 * _LONGEST), style="bold"))
        for rule in group:
            shown = cells(rule)
            name = _short(rule.metric) if where == _WHOLE else f"  {_short(rule.metric)}"
            row = [name, shown.base, shown.head, shown.difference.split(" against ")[0]]
            row += [_margin(rule)] if margins else []
            table.add_row(*map(Text, row), Text(rule.state.value, style=_STYLES[rule.state]))
    return table


def _margin(rule: Rule) -> str:
    if rule.relative_margin is not None:
        return exact_percent(rule.relative_margin)
    if rule.margin is None:
        return "–"
    return f"{rule.margin:.6g}" if rule.margin else "improve"


def _short(text: str, most: int = _LONGEST) -> str:
    plain = printable(text).replace("\n", "\\n").replace("\t", "\\t")
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def _remarks(comparison: Comparison, rules: Sequence[Rule]) -> list[str]:
    """Why something was not measured or not judged, each reason once; then the notes."""
    lines = [said] if (said := drawn_in_words(comparison, escape=False)) else []
    margins = any(map(_has_margin, rules))
    # Without any margin every interval around 0 is inconclusive for that reason, said once below.
    explained = sorted(
        (rule for rule in rules if rule.reason and (margins or rule.interval is None)),
        key=lambda rule: (rule.reason or "", rule.metric),
    )
    for reason, group in groupby(explained, key=lambda rule: rule.reason):
        names = [
            rule.metric if rule.slice == _WHOLE else f"{rule.metric} in {rule.slice}"
            for rule in group
        ]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        lines.append(f"{', '.join(names[:3])}{more}: {reason}")
    if len(lines) > _MOST_REASONS:
        left = f"… and {len(lines) - _MOST_REASONS} more reasons (--json)"
        lines = [*lines[:_MOST_REASONS], left]
    if comparison.small_slices:
        lines.append(f"{len(comparison.small_slices):,} slices have too few rows to be judged.")
    if comparison.identical_predictions:
        lines.append("Base and head predict the same on every row.")
    lines += use_in_words(comparison, rules)
    return [*lines, *comparison.notes, *([] if margins else [_NO_MARGIN])]
