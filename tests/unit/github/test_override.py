"""A label accepts only by the right person, after the head's last push."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from assay.config import Override as Rule
from assay.github.client import Client
from assay.github.override import Decision, LabelEvent, decide, find_override, parse_time
from support.github_stand_in import Answer, Asked, stand_in

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
RULE = Rule(label="accept-model")


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def labeled(minutes: float, by: str = "octo", label: str = "accept-model") -> LabelEvent:
    return LabelEvent(kind="labeled", at=at(minutes), by=by, label=label)


def unlabeled(minutes: float) -> LabelEvent:
    return LabelEvent(kind="unlabeled", at=at(minutes), by="octo", label="accept-model")


def forced(minutes: float) -> LabelEvent:
    return LabelEvent(kind="head_ref_force_pushed", at=at(minutes), by="octo")


def judge(
    *events: LabelEvent,
    moved: datetime | None = START,
    role: str = "write",
    rule: Rule = RULE,
) -> Decision:
    return decide(events, rule=rule, head_moved_at=moved, permission_of=lambda _: role)


def test_a_label_after_the_push_accepts_and_names_who() -> None:
    decision = judge(labeled(5))
    assert decision.override is not None
    assert decision.override.by == "octo"
    assert decision.override.at == "2026-11-20T09:05:00Z"
    assert decision.override.label == "accept-model"


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([], "is not set"),
        ([labeled(5, label="other")], "is not set"),
        ([labeled(5), unlabeled(6)], "is not set"),
        ([labeled(-5)], "before the head's last push"),
        ([labeled(0)], "before the head's last push"),
        ([labeled(5), forced(7)], "before the head's last push"),
        ([labeled(5), unlabeled(6), labeled(-7)], "is not set"),
    ],
)
def test_what_does_not_accept_says_why(events: list[LabelEvent], words: str) -> None:
    decision = judge(*events)
    assert decision.override is None
    assert words in decision.reason


def test_the_last_to_set_it_counts() -> None:
    decision = judge(labeled(1, by="octo"), unlabeled(2), labeled(3, by="hubot"))
    assert decision.override is not None
    assert decision.override.by == "hubot"


def test_without_the_time_of_the_push_nothing_is_accepted() -> None:
    assert judge(labeled(5), moved=None).override is None


@pytest.mark.parametrize(
    ("role", "least", "accepted"),
    [
        ("read", "write", False),
        ("triage", "write", False),
        ("none", "write", False),
        ("odd", "write", False),
        ("write", "write", True),
        ("write", "maintain", False),
        ("maintain", "maintain", True),
        ("maintain", "admin", False),
        ("admin", "write", True),
    ],
)
def test_the_permission_is_checked(role: str, least: Any, accepted: bool) -> None:
    rule = Rule(label="accept-model", permission=least)
    decision = judge(labeled(5), role=role, rule=rule)
    assert (decision.override is not None) == accepted
    assert accepted or role in decision.reason


@pytest.mark.parametrize("value", [None, 5, "", "yesterday", "2026-11-20T09:00:00", []])
def test_a_time_without_a_zone_is_none(value: object) -> None:
    assert parse_time(value) is None


def timeline(asked: Asked) -> Answer:
    if asked.path.endswith("/timeline"):
        return Answer(
            document=[
                {"event": "committed", "author": {"date": "2030-01-01T00:00:00Z"}},
                {"event": "commented", "created_at": "2026-11-20T09:01:00Z"},
                {
                    "event": "labeled",
                    "created_at": "2026-11-20T09:05:00Z",
                    "actor": {"login": "octo"},
                    "label": {"name": "accept-model"},
                },
            ]
        )
    if asked.path.endswith("/permission"):
        return Answer(document={"permission": "write", "role_name": "maintain"})
    return Answer(document={"workflow_runs": [{"created_at": "2026-11-20T09:02:00Z"}]})


def find(respond: Any, event_time: str | None = None) -> Decision:
    with stand_in(respond) as server:
        client = Client(repository="octo/churn", token="t" * 20, api_url=server.url, tries=0)
        return find_override(
            client,
            number=7,
            head_sha="a" * 40,
            rule=Rule(label="accept-model", permission="maintain"),
            event_time=event_time,
        )


def test_github_is_asked_for_all_of_it() -> None:
    assert find(timeline).override is not None


@pytest.mark.parametrize(
    ("event_time", "accepted"),
    [("2026-11-20T09:00:00Z", True), ("2026-11-20T09:06:00Z", False), (None, False)],
)
def test_a_token_that_may_not_read_runs_uses_the_events_time(
    event_time: str | None, accepted: bool
) -> None:
    def respond(asked: Asked) -> Answer:
        if asked.path.endswith("/actions/runs"):
            return Answer(status=403, document={"message": "not accessible by integration"})
        return timeline(asked)

    assert (find(respond, event_time).override is not None) == accepted


def test_a_branch_that_comes_back_to_an_old_head_needs_the_label_anew() -> None:
    # The head ran at 09:02, another was labelled at 09:05, and the branch came back at 09:06.
    assert find(timeline, "2026-11-20T09:04:00Z").override is not None
    decision = find(timeline, "2026-11-20T09:06:00Z")
    assert decision.override is None
    assert "before the head's last push" in decision.reason


def test_who_is_no_collaborator_accepts_nothing() -> None:
    def respond(asked: Asked) -> Answer:
        if asked.path.endswith("/permission"):
            return Answer(status=404, document={"message": "Not Found"})
        return timeline(asked)

    decision = find(respond)
    assert decision.override is None
    assert "permission none" in decision.reason
