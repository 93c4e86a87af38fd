"""docs/honesty: a page for people, and every cell as CSV, from what was counted."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence

from honesty.coverage import FEWEST_DISCORDANT, MOST_COVERAGE, Coverage, asked_to_be_narrow
from honesty.grid import ROWS, Cell
from honesty.metrics import METRICS
from honesty.regimes import LEAST_COVERAGE, MOST_MISSED
from honesty.simulation import Results, counted


def percent(share: float) -> str:
    """A share for people."""
    return f"{100 * share:.1f} %"


_MADE = (
    "Made by `{command}`; [cells.csv](cells.csv) has every cell. The worlds that the test sets "
    "come from are in `tests/honesty`, and [statistics.md](../statistics.md) has the formulas."
)
_PROMISED = (
    "Promised of every 95 % interval that is given: it holds the truth at least "
    f"{percent(LEAST_COVERAGE)} of the time and misses it at most {percent(MOST_MISSED)} of the "
    f"time on either side. Where at least {FEWEST_DISCORDANT} rows are discordant in every label "
    f"that the metric uses, it also holds the truth at most {percent(MOST_COVERAGE)} of the time, "
    "so that no width is wasted; this is counted over all test sets, because the regime rules "
    "refuse those that would be missed most, and the judged ones alone are covered more often "
    "than any honest interval is. A cell breaks a promise where its Monte Carlo bound does "
    "(Clopper and Pearson, one run of the suite in 1,000 by chance, divided by the number of "
    "cells). In a *gated* cell less than half of the test sets are judged: those are selected by "
    "what the regime rules look at, so misses are counted against all test sets there."
)
_WORST = (
    "Gated cells are counted apart. *Where*: the rows; the prevalence of the positive or "
    "the rarest class (0/1 scores: the base's mean; grades: the share below 5; regression: "
    "the law of the errors; rankings: where the relevant item mostly is); the discordant "
    "rows, and the share of those that the head wins. *Above*: the interval lies above the "
    "truth, so the head looks better than it is, which is also how often a model passes "
    "that is worse by exactly the margin; *below*: the other way round. *Most* is the "
    f"highest coverage of the judged where at most {percent(MOST_COVERAGE)} of all is promised."
)
_UNJUDGED = (
    "*Not judged*: the share of test sets that came out `inconclusive` by a regime or "
    "`not-measured`, for each number of rows, and the commonest reason. *Width*: over that of the "
    "raw normal interval (the same formula without pseudo-rows, skewness and Student's t), all "
    "judged test sets of a discordance together. With almost no discordant row the raw interval "
    "is almost a point, and wrong."
)


def header(results: Results) -> str:
    """What was run, in one line; a test holds the committed one to the suite and to the CSV."""
    counts = {found.drawn for (name, _), found in results.items() if counted(name)}
    rows = {found.drawn for (name, _), found in results.items() if not counted(name)}
    return (
        f"{len({name for name, _ in results})} metrics, {len(results):,} cells; "
        f"{between(counts)} test sets a cell where counts are drawn, "
        f"{between(rows)} where rows are."
    )


def between(numbers: set[int]) -> str:
    """The one number, or the least and the most."""
    if not numbers:
        return "no"
    least, most = min(numbers), max(numbers)
    return f"{most:,}" if least == most else f"{least:,} to {most:,}"


def page(results: Results, command: str) -> str:
    """The Markdown page."""
    faults = [
        f"- {name}, {cell}: {fault}"
        for (name, cell), coverage in results.items()
        for fault in coverage.faults(METRICS[name], cell, len(results))
    ]
    lines = [
        "# Do the intervals cover the truth?",
        "",
        header(results),
        "",
        _MADE.format(command=command),
        "",
        _PROMISED,
        "",
        f"**Broken promises: {len(faults) or 'none'}.**",
        "",
        *faults,
        *([""] if faults else []),
        *_summary(results),
        *_unjudged(results),
        *_outside(results),
    ]
    return "\n".join(lines) + "\n"


def _of(results: Results, name: str) -> list[tuple[Cell, Coverage]]:
    """The cells of one metric in which something is promised."""
    return [
        (cell, coverage)
        for (metric, cell), coverage in results.items()
        if metric == name and METRICS[name].outside(cell) is None
    ]


def _summary(results: Results) -> list[str]:
    lines = [
        "## Worst cells",
        "",
        _WORST,
        "",
        "| metric | cells | gated | lowest coverage | where | above | below | most |",
        "|---|---:|---:|---:|---|---:|---:|---:|",
    ]
    for name, metric in METRICS.items():
        cells = _of(results, name)
        seen = [(cell, found) for cell, found in cells if not found.gated]
        if not seen:
            continue
        worst, lowest = min(seen, key=lambda each: each[1].share)
        above = max(found.above / found.judged for _, found in seen)
        below = max(found.below / found.judged for _, found in seen)
        narrow = [found.share for cell, found in seen if asked_to_be_narrow(metric, cell)]
        most = percent(max(narrow)) if narrow else "–"
        lines.append(
            f"| {name} | {len(cells)} | {len(cells) - len(seen)} | {percent(lowest.share)} "
            f"| {worst} | {percent(above)} | {percent(below)} | {most} |"
        )
    return [*lines, ""]


def _unjudged(results: Results) -> list[str]:
    lines = [
        "## Not judged, and how wide the others are",
        "",
        _UNJUDGED,
        "",
        "| metric | not judged at " + " | ".join(f"{n:,}" for n in ROWS) + " | reason "
        "| width at 0.1 % | 1 % | 6 % | 20 % |",
        "|---|" + "---:|" * len(ROWS) + "---|" + "---:|" * 4,
    ]
    for name in METRICS:
        cells = _of(results, name)
        if not cells:
            continue
        shares = []
        for n in ROWS:
            some = [found for cell, found in cells if cell.n == n]
            drawn = sum(found.drawn for found in some)
            shares.append(1 - sum(found.judged for found in some) / drawn if drawn else 1.0)
        reasons: Counter[str] = sum((found.reasons for _, found in cells), Counter())
        reason = reasons.most_common(1)[0][0] if reasons else ""
        lines.append(
            f"| {name} | "
            + " | ".join(percent(share) for share in shares)
            + f" | {reason} | "
            + " | ".join(_width(cells, d) for d in sorted({cell.discordance for cell, _ in cells}))
            + " |"
        )
    return [*lines, ""]


def _width(cells: Sequence[tuple[Cell, Coverage]], discordance: float) -> str:
    some = [found for cell, found in cells if cell.discordance == discordance]
    raw = sum(found.raw for found in some)
    return f"{sum(found.width for found in some) / raw:.2f}" if raw else "–"


def _outside(results: Results) -> list[str]:
    lines = []
    for name, metric in METRICS.items():
        cells = [
            (cell, found)
            for (each, cell), found in results.items()
            if each == name and metric.outside(cell) is not None and found.judged
        ]
        if cells:
            worst, found = min(cells, key=lambda each: each[1].share)
            drawn = sum(each.drawn for _, each in cells)
            judged = sum(each.judged for _, each in cells) / drawn
            lines.append(
                f"| {name} | {metric.outside(worst)} | {percent(judged)} "
                f"| {percent(found.share)} | {worst} |"
            )
    if not lines:
        return []
    return [
        "## Where nothing is promised",
        "",
        "| metric | why | judged | lowest coverage | where |",
        "|---|---|---:|---:|---|",
        *lines,
        "",
    ]


def table(results: Results) -> str:
    """Every cell as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        (
            "metric",
            *("rows", "kind", "discordance", "won"),
            *("drawn", "judged", "above", "below", "width", "narrow", "reason"),
        )
    )
    for (name, cell), found in results.items():
        reason = found.reasons.most_common(1)
        writer.writerow(
            [
                name,
                cell.n,
                cell.kind,
                cell.discordance,
                cell.won,
                found.drawn,
                found.judged,
                found.above,
                found.below,
                f"{found.width / found.raw:.3g}" if found.raw else "",
                int(asked_to_be_narrow(METRICS[name], cell)),
                reason[0][0] if reason else "",
            ]
        )
    return out.getvalue()
