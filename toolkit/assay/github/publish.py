"""Carry a report to its pull request, by CML or by ourselves, and say which it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assay.config import Publisher
from assay.errors import InputError, OutsideError
from assay.github import cml
from assay.github.client import Client
from assay.github.comment import Comment, Comments, ours
from assay.github.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Published:
    """Where the comment is, who wrote it, and what a log should say about the way there."""

    url: str
    by: Publisher
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Destination:
    """The comment of one configuration (``title``) on one pull request, for one head commit."""

    number: int
    title: str
    commit: str
    server_url: str
    token: str = field(repr=False)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    temporary: Path | None = None


def client_of(settings: Settings) -> Client:
    """Return the API of the run's repository.

    Raises InputError where the repository or the token is missing.
    """
    repository, token = settings.event.repository, settings.token
    if repository is None:
        raise InputError(
            "GITHUB_REPOSITORY is not set.", remedy="Name the repository as owner/name in it."
        )
    if token is None:
        raise InputError(
            "there is no token for GitHub.",
            remedy="Pass `github-token: ${{ github.token }}`, or set GITHUB_TOKEN.",
        )
    return Client(repository=repository, token=token, api_url=settings.api_url)


def destination_of(settings: Settings, *, number: int, title: str) -> Destination:
    """Return where a run's comment goes."""
    sha = settings.event.head_sha
    if settings.token is None or sha is None:
        raise InputError(
            "a comment needs a token and a head commit, and one of them is missing.",
            remedy="Publish from a pull request's run with `github-token`.",
        )
    return Destination(
        number=number,
        title=title,
        commit=sha,
        server_url=settings.server_url,
        token=settings.token,
        environ=settings.program_environment,
        temporary=settings.temporary,
    )


def publish(
    markdown: str,
    destination: Destination,
    *,
    client: Client,
    publisher: Publisher,
    run: cml.Run | None = None,
) -> Published:
    """Create or update the comment.

    Where CML is asked for and cannot do it, or would touch another comment, Assay's own
    publisher takes over the same comment and ``notes`` says why.
    """
    if publisher is Publisher.FILE:
        return Published(url="", by=publisher)
    comments = Comments(client, destination.number)
    if publisher is Publisher.GITHUB:
        return Published(url=_own(markdown, destination, comments).url, by=publisher)
    found = comments.all()
    reason = cml.why_not_cml(
        found,
        title=destination.title,
        login=comments.login,
        server_url=destination.server_url,
    )
    if reason is None:
        try:
            url = _by_cml(markdown, destination, client.repository, run)
        except OutsideError as error:
            reason = error.message
        else:
            if not ours(found, title=destination.title, login=comments.login):
                comments.remove_duplicates(destination.title)
            return Published(url=url, by=Publisher.CML)
    written = _own(markdown, destination, comments)
    note = f"Assay wrote the comment itself instead of CML: {reason.rstrip('.')}."
    return Published(url=written.url, by=Publisher.GITHUB, notes=(note,))


def _own(markdown: str, destination: Destination, comments: Comments) -> Comment:
    return comments.publish(markdown, title=destination.title, commit=destination.commit)


def _by_cml(markdown: str, destination: Destination, repository: str, run: cml.Run | None) -> str:
    target = cml.Target(
        server_url=destination.server_url,
        repository=repository,
        number=destination.number,
        title=destination.title,
    )
    return cml.publish(
        markdown,
        target,
        token=destination.token,
        environ=destination.environ,
        temporary=destination.temporary,
        run=run,
    )
