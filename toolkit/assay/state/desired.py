"""The branch ``assay/desired``: what workflows write, the test-set ledger among it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from assay.git import authorised, open_branch
from assay.state.branch import StateBranch

DESIRED = "assay/desired"
_HERE = (f"refs/remotes/origin/{DESIRED}", f"refs/heads/{DESIRED}")


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A git remote and how to speak to it.

    ``environment`` is the whole environment git gets; with a ``token`` it is sent to
    ``server_url`` as GitHub takes it, and no credential helper is asked.
    """

    address: str = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    server_url: str | None = None
    token: str | None = field(default=None, repr=False)

    @property
    def variables(self) -> dict[str, str]:
        """The environment, with the token in it."""
        if self.token is None or self.server_url is None:
            return dict(self.environment)
        basic = base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
        return authorised(self.environment, self.server_url, basic)


@contextmanager
def open_desired(remote: Remote, *, temporary: Path | None = None) -> Iterator[StateBranch]:
    """Open the branch on ``remote``."""
    with open_records(remote, DESIRED, temporary=temporary) as branch:
        yield branch


@contextmanager
def open_records(
    remote: Remote, name: str, *, temporary: Path | None = None
) -> Iterator[StateBranch]:
    """Open a branch of records on ``remote`` by its short name."""
    ref = f"refs/heads/{name}"
    with open_branch(remote.address, ref, remote.variables, temporary=temporary) as branch:
        yield StateBranch(branch=branch)


@contextmanager
def known_here(
    root: Path, environment: Mapping[str, str], *, temporary: Path | None = None
) -> Iterator[tuple[StateBranch, ...]]:
    """Open what the clone at ``root`` knows of the branch: as last fetched, then its own."""
    address = root.absolute().as_posix()
    with (
        open_branch(address, _HERE[0], environment, temporary=temporary) as fetched,
        open_branch(address, _HERE[1], environment, temporary=temporary) as own,
    ):
        yield StateBranch(branch=fetched), StateBranch(branch=own)
