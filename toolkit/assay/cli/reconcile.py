"""``assay reconcile``: does what was asked agree with what was decided and seen?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.options import config_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.cli.asking import Office


@click.command()
@config_option
@click.option(
    "--branch-token",
    metavar="TOKEN",
    help="A token that may read the branches. Default: the job's.",
)
@click.option(
    "--silent-minutes",
    type=click.FloatRange(10, 24 * 60),
    default=30,
    show_default=True,
    help="How long a controller may say nothing, and an intent have no answer.",
)
def reconcile(config: Path, branch_token: str | None, silent_minutes: float) -> None:
    """Compare, for every model and target, what was asked with what was decided and seen.

    Reads both branches and changes nothing. Exits 3 where a controller is silent, an intent has had
    no answer, a router or a version is not well, or the journal lags; 4 where its chain is broken.
    """
    from assay.cli.asking import open_office
    from assay.errors import OutsideError, SeveralErrors

    office = open_office(config, None, branch_token, signs=False)
    found = []
    for model, target in _ways(office):
        said = _troubles(office, model, target, timedelta(minutes=silent_minutes))
        click.echo(f"{model} at {target}: {'; '.join(said) or 'as asked'}")
        found += [OutsideError(f"{model} at {target}: {sentence}") for sentence in said]
    if len(found) > 1:
        raise SeveralErrors(tuple(found))
    if found:
        raise found[0]


def _ways(office: Office) -> Iterator[tuple[str, str]]:
    for name, model in office.config.models.items():
        for target in model.delivery.targets if model.delivery else ():
            yield name, target


def _troubles(office: Office, model: str, target: str, silent: timedelta) -> tuple[str, ...]:
    from assay.evidence import Observed
    from assay.rollout.reconcile import troubles
    from assay.state import DESIRED, JOURNAL, chain_of, observed_path, read_intents

    with office.branch(DESIRED) as desired:
        intents = read_intents(desired, target, model)
    with office.branch(JOURNAL) as journal:
        files = {
            **journal.read(f"journal/{target}/{model}/").files,
            **journal.read(f"observed/{target}/").files,
        }
    seen = files.get(observed_path(target, model))
    observed = Observed.parse(seen.decode(), file=observed_path(target, model)) if seen else None
    links = chain_of(files, target, model)
    return troubles(intents, links, observed, now=datetime.now(UTC), silent=silent)
