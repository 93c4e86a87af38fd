"""Where the branch ``assay/desired`` is: on GitHub in a job, else on the clone's remote."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import AssayError, InputError, OutsideError

if TYPE_CHECKING:
    from assay.git import Repository
    from assay.github.settings import Settings
    from assay.state import Snapshot, StateBranch


@dataclass(frozen=True, kw_only=True)
class Place:
    """Who asks: the settings of the run, its clone if it has one, and the environment of git.

    ``branch_token`` is used in place of the job's own, for the branch alone.
    """

    settings: Settings
    environment: Mapping[str, str]
    repository: Repository | None = None
    remote: str = "origin"
    branch_token: str | None = field(default=None, repr=False)


@contextmanager
def opened(place: Place) -> Iterator[StateBranch]:
    """Open the branch on GitHub in a job, elsewhere on the clone's remote.

    Raises InputError where there is no remote.
    """
    from assay.state import Remote, open_desired

    settings = place.settings
    token = place.branch_token or settings.token
    if settings.in_actions and token and settings.event.repository:
        remote = Remote(
            address=f"{settings.server_url}/{settings.event.repository}.git",
            environment=place.environment,
            server_url=settings.server_url,
            token=token,
        )
    else:
        known = place.repository
        address = known.remote_url(place.remote, as_used=True) if known else None
        if address is None:
            raise InputError(
                f"this clone has no remote {place.remote!r}, and assay/desired is kept on one.",
                remedy="Name another with --remote, or add it: git remote add origin ADDRESS.",
            )
        remote = Remote(address=address, environment=place.environment)
    with open_desired(remote, temporary=settings.temporary) as branch:
        yield branch


def reader(place: Place, say: Callable[[str], object]) -> Callable[[str], Snapshot]:
    """Return a function that reads the branch: on the remote, else as the clone last knew it."""

    def read(prefix: str) -> Snapshot:
        try:
            with opened(place) as branch:
                return branch.read(prefix)
        except (InputError, OutsideError) as error:
            found = _known_here(place, prefix)
            if found is None:
                raise
            say(f"The ledger is as this clone last fetched it: {error}")
            return found

    return read


def _known_here(place: Place, prefix: str) -> Snapshot | None:
    from assay.state import known_here

    root: Path | None = place.repository.root if place.repository else None
    if root is None:
        return None
    with known_here(root, place.environment, temporary=place.settings.temporary) as branches:
        for branch in branches:
            try:
                found = branch.read(prefix)
            except AssayError:
                continue
            if found.commit is not None:
                return found
    return None
