"""The one comment of a configuration on a pull request: found, updated, or created once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from assay.errors import OutsideError
from assay.github.client import Client
from assay.github.watermark import has_watermark, with_watermark

JOB_LOGIN = "github-actions[bot]"
"""Whose name a job's own token writes under; such a token cannot ask who it is."""


@dataclass(frozen=True, kw_only=True)
class Comment:
    """A comment as GitHub lists it."""

    id: int
    author: str
    body: str
    url: str


def comment_of(facts: dict[str, Any]) -> Comment:
    """Read one comment from GitHub's answer; raises OutsideError where it is none."""
    user = facts.get("user")
    number, body, url = facts.get("id"), facts.get("body"), facts.get("html_url")
    author = user.get("login") if isinstance(user, dict) else ""
    if not isinstance(number, int) or not isinstance(author, str):
        raise OutsideError("GitHub listed a comment without id or author.")
    return Comment(
        id=number,
        author=author,
        body=body if isinstance(body, str) else "",
        url=url if isinstance(url, str) else "",
    )


def ours(comments: Iterable[Comment], *, title: str, login: str) -> tuple[Comment, ...]:
    """Return the comments that ``login`` wrote with the mark of ``title``, the oldest first.

    A stranger's comment with the same mark is none of them: who edits it would put words into
    the stranger's mouth, and the stranger could change them again.
    """
    found = [one for one in comments if one.author == login and has_watermark(one.body, title)]
    return tuple(sorted(found, key=lambda comment: comment.id))


class Comments:
    """The comments of one pull request, through one client."""

    def __init__(self, client: Client, number: int) -> None:
        self._client = client
        self._number = number
        self._login = client.login() or JOB_LOGIN

    @property
    def login(self) -> str:
        """Whose comments are ours, as far as is known before the first is written."""
        return self._login

    def all(self) -> list[Comment]:
        """Return every comment, the oldest first."""
        found = self._client.pages(f"issues/{self._number}/comments")
        return sorted((comment_of(facts) for facts in found), key=lambda comment: comment.id)

    def previous(self, title: str) -> Comment | None:
        """Return the comment that :meth:`publish` would update."""
        return next(iter(ours(self.all(), title=title, login=self._login)), None)

    def publish(self, markdown: str, *, title: str, commit: str) -> Comment:
        """Update our comment in place, or create it; never leave two."""
        body = with_watermark(markdown, title, commit=commit)
        previous = self.previous(title)
        if previous is not None:
            return self._update(previous, body)
        facts = self._client.post(f"issues/{self._number}/comments", {"body": body})
        return self._settle(comment_of(facts), body, title)

    def remove_duplicates(self, title: str) -> None:
        """Delete all of our comments but the oldest: two runs may have created one each."""
        for duplicate in ours(self.all(), title=title, login=self._login)[1:]:
            self._client.delete(f"issues/comments/{duplicate.id}")

    def _update(self, comment: Comment, body: str) -> Comment:
        facts = self._client.patch(f"issues/comments/{comment.id}", {"body": body})
        return comment_of(facts)

    def _settle(self, created: Comment, body: str, title: str) -> Comment:
        """Keep the oldest of our comments: another run may have created one meanwhile.

        Only now is it certain whose token this is, so an app's earlier comment is found here.
        """
        first = ours(self.all(), title=title, login=created.author)
        if not first or first[0].id == created.id:
            return created
        self._client.delete(f"issues/comments/{created.id}")
        return self._update(first[0], body)
