"""Claims as a table for a terminal: one set of columns for all rows and for each slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.table import Table
from rich.text import Text

from assay.cli.console import printable
from assay.evidence import Rule, State
from assay.report.gates import cells
from assay.report.numbers import exact_percent

if TYPE_CHECKING:
    from rich.console import Console

WHOLE = "all"
_STYLES = {
    State.BETTER: "green",
    State.NO_WORSE: "",
    State.WORSE: "red",
    State.INCONCLUSIVE: "yellow",
    State.NOT_MEASURED: "magenta",
}
_INDENT = 2
_BETWEEN = 2
_SHORTEST = 12
_LONGEST = 40


def print_claims(console: Console, rules: Sequence[Rule], confidence: float) -> None:
    """Print the metrics over all rows, then those of each slice under its name.

    A name that leaves no room for its numbers is cut in its middle: names of one family differ
    at their ends.
    """
    columns = _Columns.of(rules, confidence, width=console.width)
    console.print()
    console.print(columns.head())
    console.print(Text("─" * min(columns.width, console.width)))
    for where, group in groupby(rules, key=lambda rule: rule.slice):
        if where != WHOLE:
            console.print(Text(shortened(where, console.width), style="bold"))
        console.print(columns.table(list(group)))
    console.print()


@dataclass(frozen=True, kw_only=True)
class _Columns:
    """The columns' heads and widths."""

    heads: tuple[str, ...]
    widths: tuple[int, ...]
    margins: bool

    @classmethod
    def of(cls, rules: Sequence[Rule], confidence: float, *, width: int) -> _Columns:
        margins = any(rule.has_margin for rule in rules)
        heads = ["Metric", "Base", "Head", f"Difference [{exact_percent(confidence)}]\n+ is better"]
        heads += [*(["Margin"] if margins else []), "State"]
        rows = [_row(rule, margins=margins) for rule in rules]
        widths = [
            max(map(cell_len, (*head.split("\n"), *(row[place] for row in rows))))
            for place, head in enumerate(heads)
        ]
        left = width - sum(widths[1:]) - _BETWEEN * (len(heads) - 1)
        sliced = any(rule.slice != WHOLE for rule in rules)
        widths[0] = min(widths[0] + (_INDENT if sliced else 0), max(_SHORTEST, left), _LONGEST)
        return cls(heads=tuple(heads), widths=tuple(widths), margins=margins)

    @property
    def width(self) -> int:
        return sum(self.widths) + _BETWEEN * (len(self.widths) - 1)

    def head(self) -> Table:
        return self._empty(headed=True)

    def table(self, rules: Sequence[Rule]) -> Table:
        table = self._empty(headed=False)
        for rule in rules:
            name, *numbers, state = _row(rule, margins=self.margins)
            indent = "" if rule.slice == WHOLE else " " * _INDENT
            shown = indent + shortened(name, self.widths[0] - len(indent))
            table.add_row(*map(Text, (shown, *numbers)), Text(state, style=_STYLES[rule.state]))
        return table

    def _empty(self, *, headed: bool) -> Table:
        table = Table(box=None, show_header=headed, pad_edge=False, padding=(0, _BETWEEN, 0, 0))
        for head, width in zip(self.heads, self.widths, strict=True):
            if head in {"Base", "Head"}:
                table.add_column(head, width=width, no_wrap=True, justify="right")
            else:
                table.add_column(head, width=width, no_wrap=True)
        return table


def _row(rule: Rule, *, margins: bool) -> list[str]:
    shown = cells(rule)
    row = [rule.metric, shown.base, shown.head, shown.difference.split(" against ")[0]]
    return [*row, *([_margin(rule)] if margins else []), rule.state.value]


def _margin(rule: Rule) -> str:
    if rule.relative_margin is not None:
        return exact_percent(rule.relative_margin)
    if rule.margin is None:
        return "–"
    return f"{rule.margin:.6g}" if rule.margin else "improve"


def shortened(name: str, most: int) -> str:
    """Return an outside name on one line, its middle cut out beyond ``most`` columns."""
    plain = printable(name).replace("\n", "\\n").replace("\t", "\\t")
    if cell_len(plain) <= most:
        return plain
    tail = (most - 1) // 2
    start = set_cell_size(plain, most - 1 - tail).rstrip()
    end = set_cell_size(plain[::-1], tail).rstrip()[::-1]
    return f"{start}…{end}"
