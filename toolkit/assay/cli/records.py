"""Where the records of delivery are: both branches, on the clone's remote or elsewhere."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from assay.errors import InputError

if TYPE_CHECKING:
    from assay.cli.chosen import Chosen
    from assay.rollout.controller.service import Branches
    from assay.state import Remote

remote_option = click.option(
    "--remote",
    default="origin",
    show_default=True,
    metavar="NAME",
    help="The remote that keeps assay/desired and assay/journal, where the configuration names no "
    "repository for them.",
)
branch_token_option = click.option(
    "--branch-token",
    metavar="TOKEN",
    default=None,
    help="A token that may write those branches past their ruleset.",
)
whose_option = click.option(
    "--repository",
    default=None,
    metavar="OWNER/NAME",
    help="Whose intents and bundles count. Default: what the remote's address says.",
)
bundles_option = click.option(
    "--bundles",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="A folder that holds bundles by artifact digest. Default: the MLflow registry.",
)
_SLUG = re.compile(r"([A-Za-z0-9._-]+/[A-Za-z0-9._-]+?)(?:\.git)?/?$")


def records_remote(chosen: Chosen, remote: str, token: str | None) -> Remote:
    """Return where the branches are; raises InputError where there is no such remote."""
    from assay.state import Remote

    address = chosen.delivery.state_repository or _address_of(chosen, remote)
    if address is None:
        raise InputError(
            f"this clone has no remote {remote!r}, and decisions are kept on one.",
            remedy="Name another with --remote, or delivery.state_repository in the configuration.",
        )
    parts = urlsplit(address)
    server = f"{parts.scheme}://{parts.hostname}" if parts.hostname else None
    if server is not None and parts.port:
        server = f"{server}:{parts.port}"
    return Remote(
        address=address,
        environment=dict(os.environ),
        server_url=server if token else None,
        token=token,
    )


@contextmanager
def open_records_of(chosen: Chosen, remote: str, token: str | None) -> Iterator[Branches]:
    """Open both branches."""
    from assay.rollout.controller.service import Branches
    from assay.state import DESIRED, JOURNAL, open_records

    where = records_remote(chosen, remote, token)
    with open_records(where, DESIRED) as desired, open_records(where, JOURNAL) as journal:
        yield Branches(desired=desired, journal=journal)


def repository_of(chosen: Chosen, given: str | None, remote: str) -> str:
    """Return whose intents and bundles count, owner/name: as given, or as the remote says.

    Raises InputError where neither says so.
    """
    if given is not None:
        return given
    address = _address_of(chosen, remote)
    parts = urlsplit(address or "")
    path = parts.path if parts.hostname else (address or "").partition(":")[2]
    found = _SLUG.search(path)
    if found is None:
        raise InputError(
            "whose models may be served here is not known: the remote's address does not say.",
            remedy="Name it: --repository owner/name.",
        )
    return found[1]


def _address_of(chosen: Chosen, remote: str) -> str | None:
    from assay.git import Repository

    try:
        repository = Repository.find(chosen.root, os.environ)
    except InputError:
        return None
    return repository.remote_url(remote, as_used=True)
