"""``assay act``: a consumer's real workflow file, run on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.console import console, printable

if TYPE_CHECKING:
    from assay.act.result import JobResult, RunResult
    from assay.act.run import Outcome


def _pairs(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    pairs = {}
    for value in values:
        name, equals, rest = value.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{value[:80]!r} is not NAME=VALUE.")
        pairs[name] = rest
    return pairs


@click.command()
@click.argument("workflow", default="pull-request.yml")
@click.option(
    "--event",
    type=click.Choice(("pull_request", "push", "merge_group", "workflow_dispatch")),
    default="pull_request",
    show_default=True,
    help="What starts the run.",
)
@click.option("--head", metavar="BRANCH", help="The branch to run. Default: the work tree.")
@click.option(
    "--base", metavar="BRANCH", help="The branch it goes onto. Default: the default branch."
)
@click.option("--default-branch", default="main", show_default=True, help="Of the repository.")
@click.option("--fork", metavar="OWNER/NAME", help="Treat the head as coming from this fork.")
@click.option(
    "--input",
    "inputs",
    multiple=True,
    callback=_pairs,
    metavar="NAME=VALUE",
    help="An input of workflow_dispatch; may be given several times.",
)
@click.option(
    "--secret-from",
    "secrets",
    multiple=True,
    metavar="NAME",
    help="Give the workflow the secret NAME, from the environment variable of that name.",
)
@click.option(
    "--times",
    type=click.IntRange(1, 10),
    default=1,
    show_default=True,
    help="Run a pull request's workflow this often: the comment is posted, then updated.",
)
@click.option(
    "--offline/--online",
    default=True,
    show_default=True,
    help="Offline puts stand-ins in place of third parties' actions; online fetches the real ones.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep everything in this new folder. Default: .assay/act/<time>.",
)
@click.option("--timeout", type=float, default=3600, show_default=True, help="Seconds for a run.")
def act(
    workflow: str,
    event: str,
    head: str | None,
    base: str | None,
    default_branch: str,
    fork: str | None,
    inputs: dict[str, str],
    secrets: tuple[str, ...],
    times: int,
    offline: bool,
    keep: Path | None,
    timeout: float,
) -> None:
    """Run a workflow file of this repository with act, against this toolkit's working tree.

    WORKFLOW is a path, or a name under .github/workflows. A GitHub API of its own runs on this
    machine meanwhile, so a comment is really posted and updated. Prints each job, the comment, and
    where the evidence lies. Exits 0 where the workflow passed and 1 where it failed.

    \b
    assay act                                 the working tree as a pull request onto main
    assay act --head my-branch --times 2      a branch; the comment is posted, then updated
    assay act --fork stranger/model           the same from a fork, with a read-only token
    assay act --event push --head main        what runs after the merge

    act knows no permissions, concurrency and environments: GitHub may still refuse a run for those.
    """
    from assay.act.run import Trigger, run_workflow
    from assay.act.site import Settings

    scratch = keep or _fresh_folder()
    settings = Settings(
        repository=Path.cwd(),
        environ=os.environ,
        scratch=scratch,
        default_branch=default_branch,
        offline=offline,
        secrets=_secrets(secrets),
        timeout=timeout,
        say=lambda text: console(stderr=True).print(text),
    )
    trigger = Trigger(event=event, head=head, base=base, fork=fork, inputs=inputs, times=times)
    outcome = run_workflow(workflow, settings, trigger)
    _print(outcome, scratch)
    click.get_current_context().exit(0 if outcome.last.result == "success" else 1)


def _fresh_folder() -> Path:
    import time

    return Path(".assay", "act", time.strftime("%Y%m%d-%H%M%S") + f"-{os.getpid()}")


def _secrets(names: tuple[str, ...]) -> dict[str, str]:
    missing = [name for name in names if name not in os.environ]
    if missing:
        raise click.BadParameter(f"the environment has no {', '.join(missing)}.")
    return {name: os.environ[name] for name in names}


def _print(outcome: Outcome, scratch: Path) -> None:
    screen = console()
    run = outcome.last
    for job in run.jobs:
        screen.print(f"{job.result:<8} {job.seconds:6.1f} s  {printable(job.path)}")
        failed = [step for step in job.steps if step.result == "failure"]
        for step in failed:
            allowed = " (its job went on)" if job.result == "success" else ""
            screen.print(f"         failed step: {printable(step.name)}{allowed}")
        if failed and job.result != "success":
            screen.print(_tail(job))
    for item in run.annotations:
        place = ":".join(filter(None, (item.properties.get("file"), item.properties.get("line"))))
        screen.print(printable(f"{item.level}: {place + ': ' if place else ''}{item.message}"))
    for comment in outcome.comments:
        name = scratch / f"comment-{comment.id}.md"
        name.write_text(comment.body, encoding="utf-8")
        heading = next((x for x in comment.body.splitlines() if x.startswith("### ")), "")
        if heading:
            screen.print(printable(heading.removeprefix("### ")), soft_wrap=True)
        screen.print(f"comment by {comment.author}: {name}", soft_wrap=True)
        screen.print(f"  to see it: assay preview {name}", soft_wrap=True)
    _print_evidence(run, scratch)


def _tail(job: JobResult, lines: int = 15) -> str:
    return printable("\n".join(f"         | {line}" for line in job.log.splitlines()[-lines:]))


def _print_evidence(run: RunResult, scratch: Path) -> None:
    screen = console()
    for artifact in run.artifacts:
        screen.print(f"artifact {printable(artifact.name)}: {artifact.archive}", soft_wrap=True)
    ended = f"{run.workflow}: {run.result} in {run.seconds:.0f} s; everything is in {scratch}"
    screen.print(ended, soft_wrap=True)
