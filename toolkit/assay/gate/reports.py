"""The files a report is read from: for people and for machines, beside the verdict."""

from __future__ import annotations

from pathlib import Path

from assay.evidence import write_atomically
from assay.report.bundle import Report
from assay.report.junit import junit
from assay.report.openmetrics import openmetrics
from assay.report.web.document import report_page

COMMENT = "report.md"
PAGE = "report.html"
METRICS = "metrics.prom"
JUNIT = "junit.xml"


def write_reports(folder: Path, report: Report, comment: str) -> Path:
    """Write report.md, report.html, metrics.prom and junit.xml; return the first one's path."""
    target = folder / COMMENT
    write_atomically(target, comment)
    write_atomically(folder / PAGE, report_page(report))
    write_atomically(folder / METRICS, openmetrics(report.verdict))
    write_atomically(folder / JUNIT, junit(report.verdict))
    return target
