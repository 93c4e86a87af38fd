"""Which versions lie in a commit's history: its ancestors, and the newest of its tags."""

from __future__ import annotations

from assay.errors import OutsideError
from assay.git.command import (
    LOCAL_SECONDS,
    Finished,
    git_arguments,
    git_environment,
    message_of,
)
from assay.git.repository import Repository


def leads_to(repository: Repository, commit: str, later: str) -> bool:
    """Whether ``commit`` is ``later`` or an ancestor of it, as far as history was fetched."""
    names = [repository.resolve(name).commit for name in (commit, later)]
    return _git(repository, "merge-base", "--is-ancestor", *names).code == 0


def newest_tag(repository: Repository, pattern: str, commit: str) -> str | None:
    """Return the tag of ``commit``'s history that matches the glob and sorts last by version.

    v1.10 comes after v1.9, and v2.0 after v2.0-rc1. None where no tag matches. Raises
    OutsideError where git fails.
    """
    found = _git(
        repository, "-c", "versionsort.suffix=-", "tag", "--list", "--sort=-version:refname",
        "--merged", repository.resolve(commit).commit, "--end-of-options", pattern,
    )  # fmt: skip
    if found.code:
        raise OutsideError(f"git cannot list tags: {message_of(found)}.")
    return found.stdout.decode(errors="replace").split("\n")[0] or None


def _git(repository: Repository, *arguments: str) -> Finished:
    environment = git_environment(repository.environment)
    return repository.run(git_arguments(arguments), repository.root, environment, LOCAL_SECONDS)
