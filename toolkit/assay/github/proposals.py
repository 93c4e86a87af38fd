"""One pull request for one branch: opened once, then kept up to date, and closed."""

from __future__ import annotations

from dataclasses import dataclass

from assay.errors import OutsideError
from assay.github.client import Client, Refused
from assay.github.fork import pull_of


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A pull request to open, or to bring up to date."""

    branch: str
    base: str
    title: str
    body: str


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """The pull request, and whether it was opened now."""

    number: int
    opened: bool


def open_number(client: Client, branch: str) -> int | None:
    """Return the number of the open pull request of this repository's ``branch``, the oldest."""
    owner = client.repository.split("/")[0]
    found = [
        pull.number
        for facts in client.pages("pulls", head=f"{owner}:{branch}", state="open")
        if (pull := pull_of(facts)).head_ref == branch and pull.head_repository == client.repository
    ]
    return min(found, default=None)


def propose(client: Client, proposal: Proposal) -> Proposed:
    """Open the branch's pull request, or change the open one's words: never a second one.

    Raises OutsideError where GitHub refuses.
    """
    number = open_number(client, proposal.branch)
    if number is not None:
        return _updated(client, number, proposal)
    asked = {
        "title": proposal.title,
        "body": proposal.body,
        "head": proposal.branch,
        "base": proposal.base,
    }
    try:
        made = client.post("pulls", asked)
    except Refused as error:
        raise OutsideError(
            f"the pull request could not be opened: {error.message}",
            remedy="Let Actions open pull requests (Settings, Actions, General), or give a "
            "GitHub App's credentials.",
        ) from None
    except OutsideError:
        # The answer to a first try may have been lost, and then there is one by now.
        number = open_number(client, proposal.branch)
        if number is None:
            raise
        return _updated(client, number, proposal)
    return Proposed(number=pull_of(made).number, opened=True)


def _updated(client: Client, number: int, proposal: Proposal) -> Proposed:
    client.patch(f"pulls/{number}", {"title": proposal.title, "body": proposal.body})
    return Proposed(number=number, opened=False)


def close(client: Client, number: int, words: str, *, mark: str) -> bool:
    """Say why, once, and close; False where a person opened it again after that was said.

    ``mark`` is an invisible line by which what was said is known again.
    """
    hidden = f"<!-- {mark} -->"
    said = [
        str(facts.get("created_at"))
        for facts in client.pages(f"issues/{number}/comments")
        if str(facts.get("body")).startswith(hidden)
    ]
    if said and _reopened_after(client, number, max(said)):
        return False
    if not said:
        client.post(f"issues/{number}/comments", {"body": f"{hidden}\n{words}"})
    client.patch(f"pulls/{number}", {"state": "closed"})
    return True


def _reopened_after(client: Client, number: int, time: str) -> bool:
    return any(
        facts.get("event") == "reopened" and str(facts.get("created_at")) > time
        for facts in client.pages(f"issues/{number}/timeline")
    )
