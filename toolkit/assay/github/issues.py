"""One issue for each model and problem: opened, kept up to date, closed when it passes.

An issue is found by a mark at the end of its body, among those with our label that we ourselves
opened: a stranger's issue with the same mark is left alone. A problem that comes back opens its old
issue again. Everything follows from what GitHub has and what the look says, so a second run with
the same look changes nothing, and a look that could not be told is told by the next one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from assay.errors import OutsideError
from assay.github.client import Client
from assay.github.comment import JOB_LOGIN

LABEL = "assay-monitor"
MOST_CHARACTERS = 60_000
"""GitHub refuses a body above 65,536."""
_MARK = re.compile(r"\n<!-- assay-problem ([0-9a-f]{32}) ([0-9a-f]{16}) -->\s*\Z")


class Change(StrEnum):
    """What was done to an issue."""

    OPENED = "opened"
    REOPENED = "reopened"
    UPDATED = "updated"
    CLOSED = "closed"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The issue of a problem that is there; ``body`` is Markdown, escaped."""

    model: str
    key: str
    title: str
    body: str

    @property
    def identity(self) -> str:
        """What the issue is found by."""
        return identity(self.model, self.key)


@dataclass(frozen=True, kw_only=True)
class Done:
    """One change, and where it can be seen."""

    change: Change
    number: int
    title: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Issue:
    """An issue of ours, as GitHub lists it; ``content`` is the digest of what it says."""

    number: int
    author: str
    bot: bool
    open: bool
    title: str
    url: str
    identity: str
    content: str


def identity(model: str, key: str) -> str:
    """Return what tells a problem of a model from all others, whatever its name holds."""
    return hashlib.sha256(f"{model}\0{key}".encode()).hexdigest()[:32]


class Issues:
    """The issues of one repository, through one client (``issues: write``)."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._login = client.login()

    def settle(
        self, model: str, wanted: Iterable[Wanted], *, untouched: Iterable[str] = ()
    ) -> tuple[Done, ...]:
        """Make the issues of ``model`` those that are wanted; return what was changed.

        Problems whose keys are ``untouched`` are silenced: their issues stay as they are.
        Raises OutsideError where GitHub is away, after the client's own tries.
        """
        known = self._known(model)
        there = {one.identity: one for one in wanted}
        done = [change for one in there.values() if (change := self._keep(one, known)) is not None]
        left = {identity(model, key) for key in untouched}
        for name, issue in known.items():
            if issue.open and name not in there and name not in left:
                done.append(self._close(issue))
        return tuple(done)

    def _known(self, model: str) -> dict[str, Issue]:
        """Return our issues of a model, the oldest of each problem; close what is double."""
        found: dict[str, Issue] = {}
        labels = f"{LABEL},{_model_label(model)}"
        listed = self._client.pages("issues", labels=labels, state="all", direction="asc")
        issues = (issue_of(facts) for facts in listed if "pull_request" not in facts)
        ours = [one for one in issues if one is not None and self._wrote(one)]
        for issue in sorted(ours, key=lambda one: one.number):
            first = found.setdefault(issue.identity, issue)
            if first is not issue and issue.open:
                self._close(issue, why=f"This is #{first.number}, opened twice at one time.")
        return found

    def _wrote(self, issue: Issue) -> bool:
        """Whether we opened it; an app's token cannot ask who it is, and opens as a bot."""
        if self._login is not None:
            return issue.author == self._login
        return issue.bot or issue.author == JOB_LOGIN

    def _keep(self, wanted: Wanted, known: Mapping[str, Issue]) -> Done | None:
        issue = known.get(wanted.identity)
        body, content = _marked(wanted)
        if issue is None:
            return self._open(wanted, body)
        if issue.open and (issue.title, issue.content) == (wanted.title, content):
            return None
        change = Change.UPDATED if issue.open else Change.REOPENED
        self._client.patch(
            f"issues/{issue.number}", {"title": wanted.title, "body": body, "state": "open"}
        )
        return Done(change=change, number=issue.number, title=wanted.title, url=issue.url)

    def _open(self, wanted: Wanted, body: str) -> Done:
        labels = [LABEL, _model_label(wanted.model)]
        facts = self._client.post("issues", {"title": wanted.title, "body": body, "labels": labels})
        if not isinstance(facts, dict) or not isinstance(facts.get("number"), int):
            raise OutsideError("GitHub did not open the issue, and did not say why.")
        number, url = facts["number"], str(facts.get("html_url") or "")
        # Another run may have opened one meanwhile: the older one stays.
        first = self._known(wanted.model).get(wanted.identity)
        if first is not None and first.number != number:
            return Done(
                change=Change.UPDATED, number=first.number, title=wanted.title, url=first.url
            )
        return Done(change=Change.OPENED, number=number, title=wanted.title, url=url)

    def _close(self, issue: Issue, *, why: str | None = None) -> Done:
        reason = "completed" if why is None else "not_planned"
        words = why or "The last look at production did not find this any more."
        self._client.patch(f"issues/{issue.number}", {"state": "closed", "state_reason": reason})
        self._client.post(f"issues/{issue.number}/comments", {"body": words})
        return Done(change=Change.CLOSED, number=issue.number, title=issue.title, url=issue.url)


def issue_of(facts: Mapping[str, Any]) -> Issue | None:
    """Read one issue from GitHub's answer; None where it has no mark of ours at its end."""
    body, user = facts.get("body"), facts.get("user")
    mark = _MARK.search(body) if isinstance(body, str) else None
    number = facts.get("number")
    if mark is None or not isinstance(number, int) or not isinstance(user, dict):
        return None
    return Issue(
        number=number,
        author=str(user.get("login")),
        bot=user.get("type") == "Bot",
        open=facts.get("state") == "open",
        title=str(facts.get("title")),
        url=str(facts.get("html_url") or ""),
        identity=mark[1],
        content=mark[2],
    )


def _marked(wanted: Wanted) -> tuple[str, str]:
    """Return the body with its mark, and the digest of what it says."""
    said = wanted.body[:MOST_CHARACTERS].rstrip()
    content = hashlib.sha256(said.encode()).hexdigest()[:16]
    return f"{said}\n\n<!-- assay-problem {wanted.identity} {content} -->\n", content


def _model_label(model: str) -> str:
    return f"assay:{model}"[:50]
