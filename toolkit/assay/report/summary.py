"""The same report where more, or less, room is: the job summary and the check run."""

from __future__ import annotations

from dataclasses import replace

from assay.report.bundle import Report
from assay.report.markdown import render

SUMMARY_BUDGET = 1_000_000
"""A step's summary may have one mebibyte; the rest is left to other steps' text."""
CHECK_BUDGET = 65_000
"""GitHub refuses a check run's summary above 65,535 bytes."""


def job_summary(report: Report) -> str:
    """Return the whole report for the job's page: nothing but the history is left out."""
    return render(replace(report, history=()), budget=SUMMARY_BUDGET)


def check_summary(report: Report) -> str:
    """Return the report in the bytes that a check run takes."""
    return render(replace(report, history=()), budget=CHECK_BUDGET)
