"""``assay report``: the report of evidence that was judged already."""

from __future__ import annotations

import os
from pathlib import Path

import click

from assay.cli.console import say_aside
from assay.cli.options import evidence_option


@click.command()
@evidence_option
@click.option(
    "--publisher",
    type=click.Choice(("cml", "github", "file")),
    help="Who writes the comment. Default: what the configuration says; file outside a job.",
)
def report(evidence: Path, publisher: str | None) -> None:
    """Render the report of an evidence folder, and publish it.

    Reads plan.json, verdict.json and each model's documents as they are, and writes beside them
    report.md (the comment, whose path it prints), report.html (the page with charts),
    metrics.prom (OpenMetrics) and junit.xml. Nothing is compared or judged again: `assay gate`
    does that. In a job that may write it also updates the comment and the job summary.
    """
    from assay.cli.outputs import write_outputs
    from assay.gate.publish import Publishing, publish
    from assay.gate.reports import write_reports
    from assay.gate.run import raise_unpublished, report_of
    from assay.gate.stored import read_stored
    from assay.github.settings import read_settings

    settings = read_settings(os.environ)
    plan, models, verdict = read_stored(evidence)
    publishing = Publishing.of(plan, settings, publisher=publisher, checks_token=None)
    made = report_of(plan, verdict, models, publishing)
    published = publish(made, publishing, say=say_aside)
    target = write_reports(evidence, made, published.markdown)
    click.echo(target)
    write_outputs("report", report=target.as_posix())
    raise_unpublished(published)
