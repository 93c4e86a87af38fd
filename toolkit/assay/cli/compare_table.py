"""What ``assay compare`` prints: one table, what could not be measured, and the verdict."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.text import Text

from assay.cli.claim_table import WHOLE, print_claims
from assay.cli.console import printable
from assay.evidence import Comparison, Outcome, Rule, Verdict
from assay.report.anchor import anchor_in_words
from assay.report.drawn import drawn_in_words
from assay.report.reuse import use_in_words
from assay.verdict.sentence import claim_sentence

if TYPE_CHECKING:
    from rich.console import Console

_COLOURS = {Outcome.PASS: "bold green", Outcome.WARN: "bold yellow", Outcome.FAIL: "bold red"}
_NO_MARGIN = (
    "No margin was given (--margin METRIC=VALUE): no metric can be called no-worse, "
    "and only one shown to be worse fails."
)
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
        print_claims(console, rules, comparison.confidence)
    worst = [claim_sentence(rule) for rule in verdict.rules if rule.searched is not None]
    if comparison.worst_slice is not None and comparison.worst_slice.reason is not None:
        worst = [f"Worst slice: not searched, or not judged: {comparison.worst_slice.reason}."]
    for line in [*worst, *anchor_in_words(verdict), *_remarks(comparison, rules)]:
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


def _remarks(comparison: Comparison, rules: Sequence[Rule]) -> list[str]:
    """Why something was not measured or not judged, each reason once; then the notes."""
    lines = [said] if (said := drawn_in_words(comparison, escape=False)) else []
    margins = any(rule.has_margin for rule in rules)
    # Without any margin every interval around 0 is inconclusive for that reason, said once below.
    explained = sorted(
        (rule for rule in rules if rule.reason and (margins or rule.interval is None)),
        key=lambda rule: (rule.reason or "", rule.metric),
    )
    for reason, group in groupby(explained, key=lambda rule: rule.reason):
        names = [
            rule.metric if rule.slice == WHOLE else f"{rule.metric} in {rule.slice}"
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
