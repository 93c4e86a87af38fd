"""``assay publish-report``: the comment of a run that could not write it."""

from __future__ import annotations

import os

import click


@click.command("publish-report")
@click.option(
    "--config",
    default="assay.yaml",
    show_default=True,
    metavar="PATH",
    help="The configuration file, from the repository's root; read from the base over REST.",
)
@click.option(
    "--workflow",
    default=".github/workflows/assay.yml",
    show_default=True,
    metavar="PATH",
    help="The workflow whose runs may be published.",
)
@click.option(
    "--publisher",
    type=click.Choice(("cml", "github", "file")),
    help="Who writes the comment. Default: what the base's configuration says.",
)
def publish_report(config: str, workflow: str, publisher: str | None) -> None:
    """Publish the report of a run that could not write: a fork's, or Dependabot's.

    Runs under `on: workflow_run`, checks nothing out and runs nothing of the pull request. The
    run's artifact gives the numbers; the pull request, the rules and what is touched are asked
    of GitHub, and the report says whose code computed the numbers. A run that a newer push made
    stale is left alone.
    """
    from assay.cli.outputs import write_outputs
    from assay.gate.forked import publish_report as run
    from assay.gate.run import raise_unpublished
    from assay.github.settings import read_settings

    settings = read_settings(os.environ)
    done = run(settings, config=config, workflow=workflow, publisher=publisher, say=_say)
    if done is not None:
        raise_unpublished(done)
    write_outputs("publish-report", comment=(done.address or "") if done else "")


def _say(text: str) -> None:
    from assay.github.commands import log_line

    click.echo(log_line(text))
