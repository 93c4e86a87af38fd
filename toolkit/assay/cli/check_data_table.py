"""What ``assay check-data`` prints: the files, each finding with rows to look at, and a count."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table

from assay.checks import severity_of
from assay.cli.console import console, on_github, printable
from assay.config import Data, Severity
from assay.evidence import DataReport, Finding
from assay.github.commands import Annotation, annotation_lines

_RANK = {Severity.BLOCK: 0, Severity.WARN: 1, Severity.OFF: 2}


def print_report(report: DataReport, data: Data, *, has_base: bool) -> None:
    """Print a data report as the rules ``data`` weigh it; in a job also as annotations."""
    found = sorted(
        ((severity_of(finding, data), finding) for finding in report.findings),
        key=lambda pair: _RANK[pair[0]],
    )
    shown = [(severity, finding) for severity, finding in found if severity is not Severity.OFF]
    out = console()
    for dataset in report.datasets:
        size = f"{dataset.rows:,} rows, {dataset.columns} columns"
        out.print(f"{dataset.name}: {printable(dataset.file)}, {size}")
    if shown:
        table = Table("", "Found", box=SIMPLE_HEAD, pad_edge=False, show_header=False)
        for severity, finding in shown:
            table.add_row(*(printable(cell) for cell in _row(severity, finding)))
        out.print(table)
    if on_github():
        _annotate(shown, data)
    blocks = sum(severity is Severity.BLOCK for severity, _ in shown)
    out.print(
        f"{printable(report.model)}: data {report.state.value}: {blocks} blocking, "
        f"{len(shown) - blocks} to note; {len(report.checks)} checks ran in {report.seconds:.1f} s"
    )
    for note in _notes(report, data, has_base=has_base):
        out.print(note)


def _row(severity: Severity, finding: Finding) -> tuple[str, ...]:
    check = finding.check if finding.source == "assay" else f"deepchecks {finding.check}"
    where = " of ".join(part for part in (", ".join(finding.columns), finding.dataset) if part)
    rows = f"\nsuch as {', '.join(finding.rows)}" if finding.rows else ""
    return str(severity), f"{check}, {where}: {finding.message}{rows}"


def _notes(report: DataReport, data: Data, *, has_base: bool) -> list[str]:
    notes = []
    if report.reason:
        notes.append(printable(" ".join(report.reason.split())))
    if report.schema_source == "inferred":
        notes.append(
            f"There is no {data.schema_file}: `assay check-data --freeze` writes one, and "
            "the schema checks hold the data to it."
        )
    if report.schema_changed:
        notes.append(f"{data.schema_file} differs from the base's, which judged.")
    if not has_base:
        notes.append("Not checked: drift from the base (no base is at hand; see --base).")
    return notes


def _annotate(shown: Sequence[tuple[Severity, Finding]], data: Data) -> None:
    files = {"train": data.train, "test": data.test}
    lines = annotation_lines(
        Annotation(
            level="error" if severity == "block" else "warning",
            title=f"Data check {finding.check}",
            message=f"{', '.join(finding.columns)}: {finding.message}".removeprefix(": "),
            file=files.get(finding.dataset),
        )
        for severity, finding in shown
    )
    click.echo("\n".join(lines))
