"""The rates of the groups behind a gap."""

from __future__ import annotations

from assay.evidence import Comparison
from assay.report import numbers
from assay.report.escape import cell_code
from assay.report.table import and_more, paragraphs, table

_MOST = 40
_PLACES = 3


def group_rates(found: Comparison) -> str:
    """Return one table of all groups whose rates are compared; empty where none are."""
    rows = [
        (
            cell_code(rate.metric, most=60),
            cell_code(rate.group, most=60) + ("" if rate.judged else ", left out of the gap"),
            numbers.count(rate.n),
            numbers.number(rate.base, _PLACES),
            numbers.number(rate.head, _PLACES),
            numbers.interval(rate.interval, _PLACES),
        )
        for rate in found.groups[:_MOST]
    ]
    level = numbers.exact_percent(found.confidence)
    header = ("Metric", "Group", "Rows", "Base", "Head", f"Head's {level} interval")
    return paragraphs(
        table(header, rows, right=(2, 3, 4)),
        and_more(len(rows), len(found.groups), "comparison.json"),
    )
