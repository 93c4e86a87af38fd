"""``assay publish-report``: the comment of a run that could not write it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from assay.cli.console import say

if TYPE_CHECKING:
    from assay.evidence import Plan
    from assay.gate.forked import Facts


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
    default=".github/workflows/pull-request.yml",
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
    from assay.gate.forked import Wanted
    from assay.gate.forked import publish_report as run
    from assay.gate.run import raise_unpublished
    from assay.github.settings import read_settings

    settings = read_settings(os.environ)
    wanted = Wanted(config=config, workflow=workflow, publisher=publisher)
    done = run(settings, wanted, make_plan=plan_of, say=say)
    if done is not None:
        raise_unpublished(done)
    write_outputs("publish-report", comment=(done.address or "") if done else "")


def plan_of(facts: Facts) -> Plan:
    """Make the plan of a pull request from what GitHub says of it.

    A head whose configuration is invalid is judged by the base's, as ever; its own run said so.
    Raises InputError where there is no base's to judge by.
    """
    from assay.config import parse_config
    from assay.errors import AssayError
    from assay.git import Revision
    from assay.training.plan import Ends, make_plan

    texts = [text for text in (facts.head_text, facts.base_text) if text is not None]
    try:
        head_config = parse_config(texts[0], file=facts.config_file)
    except AssayError:
        if facts.base_text is None:
            raise
        head_config = parse_config(facts.base_text, file=facts.config_file)
    ends = Ends(
        head=Revision(commit=facts.head.commit, tree=facts.head.tree),
        base=Revision(commit=facts.base.commit, tree=facts.base.tree),
    )
    return make_plan(
        facts.event,
        ends,
        config_file=facts.config_file,
        head_config=head_config,
        base_config_text=facts.base_text,
        changed_paths=facts.changed_paths,
    )
