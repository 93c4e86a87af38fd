"""The page itself: text first, charts beside it, and nothing that it would have to fetch."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from importlib.resources import files

from assay.report import details as folded
from assay.report.bundle import ModelEvidence, Report
from assay.report.gates import gate_table
from assay.report.lead import compared, sentence, title
from assay.report.markdown import Section, sections
from assay.report.page import comment_html
from assay.report.web.data import embedded, page_data
from assay.report.web.tables import (
    claim_table,
    confusion_table,
    curve_table,
    escaped,
    flipped_table,
    histogram_tables,
)

LIBRARIES = ("d3.min.js", "plot.umd.min.js")
SCRIPTS = ("forest.js", "claims.js", "curves.js", "examples.js", "start.js")
_PLOT_STYLE = """:where(.chart) {
  --plot-background: white;
  display: block;
  height: auto;
  height: intrinsic;
  max-width: 100%;
}
:where(.chart text),
:where(.chart tspan) {
  white-space: pre;
}"""
"""What Observable Plot puts into each chart of this class, for the policy's hash."""
_SHOWN_APART = re.compile(
    r"title|verdict|what was compared|gates|slices that moved|history"
    r"|(all metrics|all slices|confusion matrix|ROC curve|calibration)( of .*)?"
)
_CELL = re.compile(r'<(t[dh]) style="text-align:(left|right|center)">')
_CLASSES = {"left": "", "right": ' class="number"', "center": ""}


def report_page(report: Report) -> str:
    """Return ``report.html``: the same evidence gives the same bytes."""
    style = _asset("report.css")
    scripts = [_asset(name) for name in (*LIBRARIES, *SCRIPTS)]
    body = "\n".join(
        (
            _head_section(report),
            _forest_section(report),
            _claims_section(report),
            *(_model_section(model, report) for model in report.touched),
            _text_sections(report),
        )
    )
    name = html.escape(_plain(title(report)), quote=True)
    return "\n".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, scripts)}">',
            f"<title>{name}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>",
            body,
            "</main>",
            f'<script type="application/json" id="data">{embedded(page_data(report))}</script>',
            *(f"<script>{script}</script>" for script in scripts),
            f"<!--\nD3 and Observable Plot stand above under these licences.\n\n{_licences()}\n-->",
            "</body>\n</html>\n",
        )
    )


def _asset(name: str) -> str:
    return files("assay.report.web").joinpath("assets", name).read_text(encoding="utf-8")


def _licences() -> str:
    return "\n".join(_asset(name) for name in ("LICENSE.d3", "LICENSE.plot"))


def _policy(style: str, scripts: list[str]) -> str:
    """Allow exactly what stands in the page, by its hash, and no request."""
    run = " ".join(_hash(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {run}; style-src {_hash(style)} {_hash(_PLOT_STYLE)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _plain(markdown: str) -> str:
    """The text of a line of Markdown."""
    return html.unescape(re.sub(r"<[^>]*>", "", comment_html(markdown))).strip()


def _html(markdown: str) -> str:
    """Markdown as HTML whose alignment is a class: the policy lets no style attribute in."""
    made = _CELL.sub(lambda match: f"<{match[1]}{_CLASSES[match[2]]}>", comment_html(markdown))
    made = re.sub(r"<(/?)h4>", r"<\1h3>", made)
    made = made.replace("<th></th>", "<td></td>").replace("<pre>", '<pre tabindex="0">')
    return made.replace(
        "<table>", '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>'
    ).replace("</table>", "</table></div>")


def _head_section(report: Report) -> str:
    return (
        f'<header class="verdict {report.verdict.state.value}">\n'
        f"<h1>{html.escape(_plain(title(report)))}</h1>\n"
        f"{_html(sentence(report))}</header>"
    )


def _forest_section(report: Report) -> str:
    return (
        '<section aria-labelledby="gates"><h2 id="gates">What decided, and the gates</h2>\n'
        '<figure class="needs-script" id="forest" hidden><div class="plot"></div><figcaption>'
        "Head minus base with its interval; to the right is better. The dashed line is no "
        "difference, the short mark the margin."
        "</figcaption></figure>\n"
        "<noscript><p>The charts need JavaScript; the tables hold the same numbers.</p></noscript>"
        f"\n{_html(gate_table(report))}\n{_html(compared(report))}</section>"
    )


def _claims_section(report: Report) -> str:
    return (
        '<section aria-labelledby="claims-title"><h2 id="claims-title">Metrics and slices</h2>\n'
        '<form class="needs-script controls" id="filters" hidden></form>\n'
        '<p id="shown" role="status"></p>\n'
        '<figure class="needs-script" id="slice-forest" hidden><div class="plot"></div>'
        "<figcaption>The first claims of the table, as they are filtered and sorted."
        f"</figcaption></figure>\n{claim_table(report)}</section>"
    )


def _model_section(model: ModelEvidence, report: Report) -> str:
    found = model.comparison
    name = escaped(model.plan.name)
    parts = []
    if found is not None:
        parts += [_curve_part(model), _confusion_part(model), _flipped_part(model)]
    parts.append(_drift_part(model))
    body = "\n".join(part for part in parts if part)
    if not body:
        return ""
    of = f": <code>{name}</code>" if report.several else ""
    return (
        f'<section class="model" data-model="{name}" aria-label="Predictions of {name}">'
        f"<h2>Predictions{of}</h2>\n{body}</section>"
    )


def _curve_part(model: ModelEvidence) -> str:
    found = model.comparison
    if found is None or not found.details.curves:
        return ""
    tables = "\n".join(
        f"<h4>{name}</h4>\n{body}"
        for name, body in (
            ("ROC curve", _html(folded.roc(found))),
            ("Precision and recall", curve_table(found, "pr", "Recall", "Precision")),
            ("Calibration", _html(folded.calibration(found))),
            ("Scores", curve_table(found, "scores", "Middle of the bin", "Share of rows")),
        )
        if body
    )
    return (
        '<h3>Curves</h3>\n<div class="needs-script curves" hidden></div>\n'
        f"<details><summary>The curves as tables</summary>\n{tables}</details>"
    )


def _confusion_part(model: ModelEvidence) -> str:
    found = model.comparison
    table = confusion_table(found) if found else ""
    if not table:
        text = folded.confusion(found) if found else ""
        return f"<h3>Confusion matrix</h3>\n{_html(text)}" if text else ""
    return (
        '<h3>Confusion matrix</h3>\n<fieldset class="needs-script controls confusion-view" hidden>'
        f"<legend>Show</legend></fieldset>\n{table}"
    )


def _flipped_part(model: ModelEvidence) -> str:
    found = model.comparison
    table = flipped_table(found) if found else ""
    if not found or not table:
        return ""
    lost, won = found.details.base_only_right, found.details.head_only_right
    counted = (
        f"<p>{lost:,} rows were lost (only the base is right) and {won:,} won (only the head is "
        "right); at most 50 of each are listed.</p>"
        if lost is not None and won is not None
        else ""
    )
    return (
        f"<h3>Examples that flipped</h3>\n{counted}\n"
        f'<form class="needs-script controls flipped-filter" hidden></form>\n{table}'
    )


def _drift_part(model: ModelEvidence) -> str:
    tables = histogram_tables(model.data.findings) if model.data else []
    if not tables:
        return ""
    figures = "\n".join(
        f'<figure class="drift" data-place="{place}"><figcaption>{name}</figcaption>'
        f'<div class="needs-script plot" hidden></div><details><summary>As a table</summary>'
        f"{table}</details></figure>"
        for place, (name, table) in enumerate(tables)
    )
    return f'<h3>Columns that drifted</h3>\n<div class="drifts">{figures}</div>'


def _text_sections(report: Report) -> str:
    """What the comment says beyond the parts above, in its order."""
    rest = [
        section
        for section in sections(report)
        if section.body and not _SHOWN_APART.fullmatch(section.name.replace("`", ""))
    ]
    return (
        '<section aria-labelledby="rest"><h2 id="rest">The rest of the report</h2>\n'
        + "\n".join(_text(section) for section in rest)
        + "</section>"
    )


def _text(section: Section) -> str:
    return f'<div class="text">\n{_html(section.body)}</div>'
