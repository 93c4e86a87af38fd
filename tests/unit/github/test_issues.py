"""One issue for each model and problem, whoever else writes and whatever fails."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import OutsideError
from assay.github.client import Client
from assay.github.comment import JOB_LOGIN
from assay.github.issues import LABEL, Change, Issues, Wanted, identity, issue_of
from support.github_stand_in import Answer, Asked, StandIn, stand_in


class Tracker:
    """A repository's issues behind the stand-in; ``fail`` answers in its place where it likes."""

    def __init__(self, login: str = JOB_LOGIN, kind: str = "Bot") -> None:
        self.user = {"login": login, "type": kind}
        self.issues: list[dict[str, Any]] = []
        self.comments: list[int] = []
        self.fail: Any = lambda _: None

    def add(self, body: dict[str, Any], user: dict[str, str] | None = None) -> dict[str, Any]:
        number = len(self.issues) + 1
        made = {
            "number": number,
            "user": user or self.user,
            "state": "open",
            "html_url": f"https://github.example/i/{number}",
            **body,
            "labels": [{"name": name} for name in body.get("labels", ())],
        }
        self.issues.append(made)
        return made

    def __call__(self, asked: Asked) -> Answer:
        failed: Answer | None = self.fail(asked)
        if failed is not None:
            return failed
        if asked.path == "/user":
            return Answer(status=403, document={"message": "not accessible by integration"})
        match = re.search(r"/issues/(\d+)(/comments)?$", asked.path)
        if match and match[2]:
            self.comments.append(int(match[1]))
            return Answer(status=201, document={"id": 1})
        if match:
            self.issues[int(match[1]) - 1] |= asked.body
            return Answer(document=self.issues[int(match[1]) - 1])
        if asked.method == "POST":
            return Answer(status=201, document=self.add(asked.body))
        wanted = set(asked.query["labels"].split(","))
        found = [one for one in self.issues if wanted <= {label["name"] for label in one["labels"]}]
        size, page = int(asked.query["per_page"]), int(asked.query["page"])
        return Answer(document=found[(page - 1) * size : page * size])

    def open(self) -> list[int]:
        return [one["number"] for one in self.issues if one["state"] == "open"]


def wanted(key: str = "quality:f1", *, model: str = "churn", body: str = "It fell.") -> Wanted:
    return Wanted(model=model, key=key, title=f"{model}: {key}", body=body)


def settle(server: StandIn, *problems: Wanted, model: str = "churn", **more: Any) -> list[Change]:
    client = Client(repository="octo/churn", token="t" * 20, api_url=server.url, tries=0)
    return [done.change for done in Issues(client).settle(model, problems, **more)]


def test_an_issue_is_opened_kept_up_to_date_closed_and_opened_again() -> None:
    tracker = Tracker()
    with stand_in(tracker) as server:
        assert settle(server, wanted()) == [Change.OPENED]
        assert settle(server, wanted()) == []
        assert settle(server, wanted(body="It fell more.")) == [Change.UPDATED]
        assert settle(server) == [Change.CLOSED]
        assert settle(server) == []
        assert settle(server, wanted()) == [Change.REOPENED]
    assert tracker.open() == [1]
    assert tracker.comments == [1]
    assert tracker.issues[0]["body"].startswith("It fell.\n")


def test_each_problem_of_each_model_has_its_own() -> None:
    tracker = Tracker()
    with stand_in(tracker) as server:
        settle(server, wanted(), wanted("drift:age"))
        settle(server, wanted(model="other"), model="other")
        assert settle(server, wanted("drift:age")) == [Change.CLOSED]
    assert tracker.open() == [2, 3]


def test_a_silenced_problem_leaves_its_issue_as_it_is() -> None:
    tracker = Tracker()
    with stand_in(tracker) as server:
        settle(server, wanted())
        assert settle(server, untouched=["quality:f1"]) == []
        assert settle(server, untouched=["drift:age"]) == [Change.CLOSED]


def test_a_strangers_issue_with_our_mark_is_left_alone() -> None:
    tracker = Tracker()
    with stand_in(tracker) as server:
        settle(server, wanted())
        copied = tracker.issues.pop()
        tracker.add(
            {"title": "x", "body": copied["body"], "labels": [LABEL, "assay:churn"]},
            user={"login": "mallory", "type": "User"},
        )
        assert settle(server, wanted()) == [Change.OPENED]
        assert settle(server) == [Change.CLOSED]
    assert tracker.open() == [1]


def test_two_monitors_at_once_leave_one_issue() -> None:
    tracker = Tracker()

    def other_is_first(asked: Asked) -> None:
        if asked.method == "POST" and asked.path.endswith("/issues"):
            tracker.fail = lambda _: None
            tracker.add(asked.body)

    with stand_in(tracker) as server:
        tracker.fail = other_is_first
        settle(server, wanted())
        assert settle(server, wanted()) == []
    assert tracker.open() == [1]
    assert tracker.issues[1]["state_reason"] == "not_planned"


def test_an_issue_on_any_page_is_found() -> None:
    tracker = Tracker()
    with stand_in(tracker) as server:
        for number in range(130):
            settle(
                server, wanted(f"drift:c{number}"), untouched=[f"drift:c{i}" for i in range(130)]
            )
            tracker.issues[-1]["state"] = "closed"
        assert settle(server, wanted("drift:c129")) == [Change.REOPENED]
    assert len(tracker.issues) == 130


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_github_away_at_any_request_is_made_good_by_the_next_look(method: str) -> None:
    tracker = Tracker()
    with stand_in(tracker) as server:
        if method == "PATCH":
            settle(server, wanted(body="old"))
        tracker.fail = lambda asked: (
            Answer(status=503, document={"message": "down"})
            if asked.method == method and "/issues" in asked.path
            else None
        )
        with pytest.raises(OutsideError):
            settle(server, wanted())
        tracker.fail = lambda _: None
        settle(server, wanted())
        assert settle(server, wanted()) == []
    assert tracker.open() == [1]
    assert tracker.issues[0]["body"].startswith("It fell.")


def test_the_mark_counts_at_the_end_alone() -> None:
    mark = f"<!-- assay-problem {identity('churn', 'quality:f1')} {'0' * 16} -->"
    facts = {"number": 1, "user": {"login": "x"}, "state": "open", "title": "t"}
    assert issue_of({**facts, "body": f"text\n\n{mark}\n"}) is not None
    assert issue_of({**facts, "body": f"{mark}\nmore"}) is None
    assert issue_of({**facts, "body": None}) is None


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_no_two_problems_share_an_identity(model: str, one: str, other: str) -> None:
    assert (identity(model, one) == identity(model, other)) == (one == other)
    assert identity(f"{model}x", one) != identity(model, f"x{one}")


def test_a_long_problem_is_cut_and_not_written_again_each_time() -> None:
    tracker = Tracker()
    with stand_in(tracker) as server:
        settle(server, wanted(body="x" * 100_000))
        assert settle(server, wanted(body="x" * 100_000)) == []
    assert len(tracker.issues[0]["body"]) < 65_536
