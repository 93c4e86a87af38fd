"""``assay gate``: the last job's one step, and the same judgement on a laptop."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.options import evidence_option, exit_zero_option, json_option

if TYPE_CHECKING:
    from assay.evidence import Verdict


@click.command()
@evidence_option
@click.option(
    "--artifacts",
    type=click.Path(path_type=Path, file_okay=False),
    help="Downloaded artifacts of the run's jobs, put together into the evidence folder first.",
)
@click.option(
    "--needs", metavar="JSON", help="The needs context of the job: each job it needed is audited."
)
@click.option(
    "--publisher",
    type=click.Choice(("cml", "github", "file")),
    help="Who writes the comment. Default: what the configuration says; file outside a job.",
)
@click.option(
    "--checks-token", metavar="TOKEN", help="A token with checks: write, for check_run: true."
)
@json_option
@exit_zero_option
def gate(
    evidence: Path,
    artifacts: Path | None,
    needs: str | None,
    publisher: str | None,
    checks_token: str | None,
    as_json: bool,
    exit_zero: bool,
) -> None:
    """Judge the evidence of every model, report, and publish.

    Compares head and base of each touched model, judges all of them by the rules in plan.json, and
    writes comparison.json, verdict.json, report.md, report.html, metrics.prom and junit.xml into
    the evidence folder. Under GitHub Actions it also writes the job summary, updates the comment
    and sets the outputs. It runs nothing of the consumer's, so it can hold the write token. Exits
    1 where the verdict is fail.

    \b
    assay plan && assay train --side base && assay test && assay train && assay check-data
    assay gate
    """
    from assay.cli.console import console, printable
    from assay.cli.outputs import write_outputs
    from assay.errors import VerdictFailed
    from assay.evidence import Outcome
    from assay.gate.run import Request, run_gate
    from assay.github.settings import read_settings

    settings = read_settings(os.environ)
    request = Request(
        evidence=evidence,
        artifacts=artifacts,
        needs=needs,
        publisher=publisher,
        checks_token=checks_token,
    )
    done = run_gate(request, settings, say=click.echo)
    write_outputs("gate", verdict=done.verdict.state.value, comment=done.comment or "")
    if as_json:
        click.echo(done.verdict.to_json(), nl=False)
    else:
        _annotate(done.verdict)
        out = console()
        said = printable(f"{done.verdict.state.value}: {done.verdict.sentence}")
        # In a log one line stays one, to be searched and copied.
        out.print(said, soft_wrap=not out.is_terminal)
        out.print(f"report: {done.report}", soft_wrap=True)
    if done.verdict.state is Outcome.FAIL and not exit_zero:
        raise VerdictFailed(done.verdict.sentence)


def _annotate(verdict: Verdict) -> None:
    from assay.cli.console import on_github
    from assay.gate.annotations import verdict_annotations

    if not on_github():
        return
    from assay.github.commands import annotation_lines

    for line in annotation_lines(verdict_annotations(verdict)):
        click.echo(line)
