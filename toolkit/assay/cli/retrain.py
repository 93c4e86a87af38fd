"""``assay retrain``: whether a model is trained anew, the pull request of it, and its end."""

from __future__ import annotations

import os
from pathlib import Path

import click

from assay.cli.credentials import data_option

FOLDER = Path(".assay/retrain")


@click.command()
@click.argument(
    "operation",
    type=click.Choice(("decide", "propose", "settle")),
    default="decide",
    envvar="ASSAY_OPERATION",
)
@click.option(
    "--config",
    default="assay.yaml",
    show_default=True,
    metavar="PATH",
    help="The configuration file; in a job the default branch's is read over REST, by its path "
    "from the repository's root.",
)
@click.option("--model", metavar="NAME", help="Which model. Default: each with `retrain:`.")
@click.option(
    "--reason", metavar="TEXT", help="decide: why a person asks for it; nobody asks without one."
)
@click.option(
    "--look",
    type=click.Path(path_type=Path),
    help="decide: the monitor.json that was made last, or a folder of <model>/monitor.json.",
)
@click.option(
    "--timeout-minutes",
    type=click.IntRange(1, 7 * 24 * 60),
    default=480,
    show_default=True,
    help="decide: how long nobody else may start one, where no end is heard of.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=FOLDER,
    show_default=True,
    help="Where <model>/retrain.json is written, and read by propose.",
)
@click.option(
    "--patch",
    type=click.Path(path_type=Path, file_okay=False),
    default=FOLDER / "patch",
    show_default=True,
    help="propose: what `assay train --patch` left.",
)
@click.option(
    "--workflow",
    default=".github/workflows/pull-request.yml",
    show_default=True,
    metavar="PATH",
    help="settle: the workflow whose verdict counts.",
)
@click.option(
    "--app-id", metavar="NUMBER", help="propose: the GitHub App that opens the pull request."
)
@click.option(
    "--app-key",
    metavar="PEM",
    help="propose: its private key, as the variable ASSAY_APP_KEY; never on a command line.",
)
@click.option(
    "--remote",
    default="origin",
    show_default=True,
    metavar="NAME",
    help="Outside a job: the remote that keeps the branch assay/desired.",
)
@click.option(
    "--branch-token",
    metavar="TOKEN",
    help="A token that may write assay/desired past its ruleset. Default: the job's.",
)
@data_option
def retrain(
    operation: str,
    config: str,
    model: str | None,
    reason: str | None,
    look: Path | None,
    timeout_minutes: int,
    folder: Path,
    patch: Path,
    workflow: str,
    app_id: str | None,
    app_key: str | None,
    remote: str,
    branch_token: str | None,
    data_credentials: str | None,
) -> None:
    """Decide whether a model is trained anew, propose what came of it, or close what is no better.

    `decide` looks at what `retrain:` names: somebody who asks, new rows, the age, live quality and
    drift. In a job it reserves the training on assay/desired; at a terminal it only says what it
    would do. `propose` pushes the new dvc.lock to assay/retrain/MODEL and opens, or brings up to
    date, the one pull request of it. `settle` runs once the gate has judged (workflow_run).

    \b
    Examples:
      assay retrain decide --model churn
      assay retrain decide --model churn --reason "the returns were late" --look monitor.json
    """
    from assay.cli.credentials import take_credentials
    from assay.cli.desired import Place
    from assay.git import Repository
    from assay.github.settings import read_settings

    take_credentials(data_credentials, None, name="data-credentials")
    settings = read_settings(os.environ)
    folder_of = Path(config).resolve().parent
    place = Place(
        settings=settings,
        environment=os.environ,
        repository=None if settings.in_actions else Repository.find(folder_of, os.environ),
        remote=remote,
        branch_token=branch_token,
    )
    if operation == "decide":
        from assay.cli.retrain_decide import Wanted, decide

        wanted = Wanted(
            config=config, model=model, reason=reason, look=look, lease=timeout_minutes * 60
        )
        decide(place, wanted, folder)
    elif operation == "propose":
        from assay.cli.retrain_propose import App, propose

        app = App(id=app_id, key=app_key) if app_id and app_key else None
        propose(place, folder, patch, model=model, app=app)
    else:
        from assay.cli.retrain_settle import settle

        settle(place, workflow)
