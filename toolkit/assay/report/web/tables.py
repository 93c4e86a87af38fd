"""The page's own tables: claims to filter, the confusion matrix, flipped rows, histograms."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from assay.evidence import Comparison, Finding, FlippedRow, Rule
from assay.report import numbers, words
from assay.report.bundle import Report
from assay.report.details import MOST_CLASSES
from assay.report.escape import clean
from assay.report.gates import cells, difference_header
from assay.report.web.data import MOST_HISTOGRAMS, claims


def escaped(value: str, *, most: int = 120) -> str:
    """Return outside text for an element or a quoted attribute of HTML."""
    return html.escape(clean(value, most=most), quote=True) or "(empty)"


def claim_table(report: Report) -> str:
    """Return every claim as a row; the script hides and sorts them by their place."""
    rules = claims(report)
    if not rules:
        return "<p>No metric was judged.</p>"
    header = [("Model", "model")] if report.several else []
    header += [("Metric", "metric"), ("Slice", "slice"), ("Rows", "n"), ("Base", ""), ("Head", "")]
    header += [(difference_header(rules), "difference"), ("Margin", ""), ("State", "state")]
    heads = "".join(_head_cell(name, key) for name, key in header)
    rows = "\n".join(
        _claim_row(rule, place, several=report.several) for place, rule in enumerate(rules)
    )
    total = sum(rule.searched is None for rule in report.verdict.rules)
    more = (
        f"<p>And {total - len(rules):,} more claims in verdict.json.</p>"
        if total > len(rules)
        else ""
    )
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="All claims">'
        f'<table id="claims"><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table></div>'
        f"{more}"
    )


def _head_cell(name: str, key: str) -> str:
    kind = "" if key in {"model", "metric", "slice", "state"} else ' class="number"'
    sorts = f' data-key="{key}"' if key else ""
    return f'<th scope="col"{kind}{sorts}>{html.escape(name)}</th>'


def _claim_row(rule: Rule, place: int, *, several: bool) -> str:
    printed = cells(rule)
    said = words.state(rule).replace("*", "")
    model = f"<td>{escaped(rule.model)}</td>" if several else ""
    direction = html.escape(words.direction(rule))
    weight = ' class="decides"' if rule.decides else ""
    return (
        f'<tr data-place="{place}"{weight}>{model}'
        f"<td><code>{escaped(rule.metric)}</code>{direction}</td>"
        f"<td><code>{escaped(rule.slice)}</code></td>"
        f'<td class="number">{numbers.count(rule.n)}</td>'
        f'<td class="number">{printed.base}</td><td class="number">{printed.head}</td>'
        f'<td class="number">{printed.difference}</td><td class="number">{printed.margin}</td>'
        f'<td><span class="state {rule.state.value}">{said}</span></td></tr>'
    )


def confusion_table(found: Comparison) -> str:
    """Return the matrix of labels by predictions, base → head; empty where there are too many."""
    details = found.details
    size = len(details.classes)
    base, head = details.confusion_base, details.confusion_head
    if not 0 < size <= MOST_CLASSES or any(len(side) != size for side in (base, head)):
        return ""
    names = [escaped(name, most=40) for name in details.classes]
    heads = "".join(f'<th scope="col">predicted <code>{name}</code></th>' for name in names)
    rows = "".join(
        f'<tr><th scope="row">label <code>{name}</code></th>'
        + "".join(
            _confusion_cell(base[label][guess], head[label][guess], right=label == guess)
            for guess in range(size)
        )
        + "</tr>"
        for label, name in enumerate(names)
    )
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="Confusion matrix">'
        '<table class="confusion"><caption>Rows by label and prediction, base → head</caption>'
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _confusion_cell(base: int, head: int, *, right: bool) -> str:
    kind = "number right" if right else "number"
    return (
        f'<td class="{kind}" data-base="{base}" data-head="{head}">'
        f"{numbers.count(base)} → {numbers.count(head)}</td>"
    )


def curve_table(found: Comparison, kind: str, x: str, y: str) -> str:
    """Return the points of both sides' curves of a kind, side by side; empty without any."""
    sides = [
        (curve.side, list(zip(curve.x, curve.y, strict=False)))
        for curve in found.details.curves
        if curve.kind == kind
    ]
    heads = "".join(
        f'<th scope="col" class="number">{name}, {html.escape(side)}</th>'
        for side, _ in sides
        for name in (x, y)
    )
    rows = "\n".join(
        "<tr>" + "".join(_point_cells(point) for point in points) + "</tr>"
        for points in zip_longest(*(points for _, points in sides))
    )
    if not rows:
        return ""
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{x} and {y}">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table></div>"
    )


def _point_cells(point: tuple[float, float] | None) -> str:
    shown = ("–", "–") if point is None else map(numbers.percent, point)
    return "".join(f'<td class="number">{value}</td>' for value in shown)


def flipped_table(found: Comparison) -> str:
    """Return the rows that one side alone has right, those lost first."""
    lost, won = found.details.lost, found.details.won
    if not lost and not won:
        return ""
    scored = any(row.base_score is not None for row in (*lost, *won))
    names = ["Row", "Change", "Label", "Base", "Head"]
    names += ["Score, base", "Score, head"] if scored else []
    heads = "".join(f'<th scope="col">{name}</th>' for name in names)
    rows = "\n".join(
        _flipped_row(row, kind, scored=scored)
        for kind, side in (("lost", lost), ("won", won))
        for row in side
    )
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="Examples that flipped">'
        f'<table class="flipped"><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table>'
        "</div>"
    )


def _flipped_row(row: FlippedRow, kind: str, *, scored: bool) -> str:
    texts = (row.label, row.base, row.head)
    said = {"lost": "lost: only the base is right", "won": "won: only the head is right"}[kind]
    scores: Sequence[float | None] = (row.base_score, row.head_score) if scored else ()
    return (
        f'<tr data-kind="{kind}"><td><code>{escaped(row.id)}</code></td><td>{said}</td>'
        + "".join(f"<td><code>{escaped(value, most=60)}</code></td>" for value in texts)
        + "".join(
            f'<td class="number">{"–" if score is None else f"{score:.4g}"}</td>'
            for score in scores
        )
        + "</tr>"
    )


def histogram_tables(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """Return a title and a table of shares for each column that drifted."""
    drawn = [finding for finding in findings if finding.histogram is not None]
    return [
        (_histogram_title(finding), _histogram_table(finding))
        for finding in drawn[:MOST_HISTOGRAMS]
    ]


def _histogram_title(finding: Finding) -> str:
    columns = ", ".join(escaped(name, most=60) for name in finding.columns[:4])
    return f"<code>{columns}</code>, {escaped(finding.dataset, most=60)}"


def _histogram_table(finding: Finding) -> str:
    shown = finding.histogram
    if shown is None:
        return ""
    totals = sum(shown.reference) or 1, sum(shown.current) or 1
    rows = "".join(
        f'<tr><th scope="row">{escaped(cell, most=60)}</th>'
        f'<td class="number">{numbers.percent(before / totals[0])}</td>'
        f'<td class="number">{numbers.percent(after / totals[1])}</td></tr>'
        for cell, before, after in zip(shown.cells, shown.reference, shown.current, strict=True)
    )
    return (
        '<table><thead><tr><th scope="col">Values</th><th scope="col">Before</th>'
        f'<th scope="col">After</th></tr></thead><tbody>{rows}</tbody></table>'
    )
