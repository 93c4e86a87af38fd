"""The environment and the event become one typed object, or one error that names the place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.errors import InputError
from assay.github.settings import read_settings

HEAD, BASE, MERGE = "a" * 40, "b" * 40, "c" * 40


def pull_request(**changes: Any) -> dict[str, Any]:
    event: dict[str, Any] = {
        "pull_request": {
            "number": 7,
            "title": "A better model",
            "user": {"login": "octo"},
            "head": {"ref": "better", "sha": HEAD, "repo": {"full_name": "octo/churn"}},
            "base": {"ref": "main", "sha": BASE, "repo": {"full_name": "octo/churn"}},
        },
        "sender": {"login": "octo"},
        "repository": {"default_branch": "main"},
    }
    for path, value in changes.items():
        target = event
        *parents, last = path.split("__")
        for part in parents:
            target = target[part]
        target[last] = value
    return event


def environ(tmp_path: Path, name: str, event: object, **more: str) -> dict[str, str]:
    file = tmp_path / "event.json"
    file.write_text(event if isinstance(event, str) else json.dumps(event))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": name,
        "GITHUB_EVENT_PATH": str(file),
        "GITHUB_REPOSITORY": "octo/churn",
        "GITHUB_SHA": MERGE,
        "GITHUB_REF": "refs/pull/7/merge",
        "GITHUB_RUN_ID": "12",
        "GITHUB_RUN_ATTEMPT": "2",
        "GITHUB_ACTOR": "octo",
        "GITHUB_TOKEN": "ghs_0123456789abcdef",
    } | more


def test_a_pull_request_compares_its_merge_commit_with_the_first_parent(tmp_path: Path) -> None:
    settings = read_settings(environ(tmp_path, "pull_request", pull_request()))
    assert settings.revisions is not None
    assert (settings.revisions.head, settings.revisions.base) == (MERGE, f"{MERGE}^1")
    assert settings.event.head_sha == HEAD
    assert settings.event.number == 7
    assert settings.event.run_url == "https://github.com/octo/churn/actions/runs/12"
    assert settings.event.can_write


def test_the_token_is_in_no_repr(tmp_path: Path) -> None:
    settings = read_settings(environ(tmp_path, "pull_request", pull_request()))
    assert settings.token is not None
    assert settings.token not in repr(settings)


@pytest.mark.parametrize(
    ("changes", "more"),
    [
        ({"pull_request__head__repo": {"full_name": "stranger/churn"}}, {}),
        ({"pull_request__head__repo": None}, {}),
        ({}, {"GITHUB_ACTOR": "dependabot[bot]"}),
        ({}, {"GITHUB_TOKEN": ""}),
    ],
    ids=["fork", "deleted fork", "dependabot", "no token"],
)
def test_a_read_only_token_cannot_write(
    tmp_path: Path, changes: dict[str, Any], more: dict[str, str]
) -> None:
    settings = read_settings(environ(tmp_path, "pull_request", pull_request(**changes), **more))
    assert not settings.event.can_write


def test_pull_request_target_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="pull_request_target is refused") as caught:
        read_settings(environ(tmp_path, "pull_request_target", pull_request()))
    assert "workflow_run" in str(caught.value)


def test_a_merge_group_names_both_commits(tmp_path: Path) -> None:
    event = {
        "merge_group": {
            "head_sha": HEAD,
            "base_sha": BASE,
            "head_ref": "refs/heads/gh-readonly-queue/main/pr-7-x",
            "base_ref": "refs/heads/main",
        }
    }
    settings = read_settings(environ(tmp_path, "merge_group", event))
    assert settings.revisions is not None
    assert (settings.revisions.head, settings.revisions.base) == (HEAD, BASE)
    assert settings.event.base_branch == "main"


@pytest.mark.parametrize(("before", "base"), [(BASE, BASE), ("0" * 40, f"{HEAD}^1")])
def test_a_push_compares_with_what_was_there(tmp_path: Path, before: str, base: str) -> None:
    event = {"ref": "refs/heads/main", "before": before, "after": HEAD, "deleted": False}
    settings = read_settings(environ(tmp_path, "push", event))
    assert settings.revisions is not None
    assert settings.revisions.base == base


@pytest.mark.parametrize(
    ("ref", "base", "merge_base_with"),
    [("refs/heads/main", f"{MERGE}^1", None), ("refs/heads/x", None, "origin/main")],
)
def test_a_dispatch_on_the_default_branch_takes_the_first_parent(
    tmp_path: Path, ref: str, base: str | None, merge_base_with: str | None
) -> None:
    event = {"repository": {"default_branch": "main"}}
    settings = read_settings(environ(tmp_path, "workflow_dispatch", event, GITHUB_REF=ref))
    assert settings.revisions is not None
    assert settings.revisions.base == base
    assert settings.revisions.merge_base_with == merge_base_with


def test_a_workflow_run_names_the_run_that_started_it(tmp_path: Path) -> None:
    event = {
        "workflow_run": {
            "id": 5,
            "run_attempt": 1,
            "event": "pull_request",
            "path": ".github/workflows/assay.yml@main",
            "conclusion": "success",
            "head_sha": HEAD,
            "head_branch": "better",
            "head_repository": {"full_name": "stranger/churn"},
            "repository": {"full_name": "octo/churn"},
        }
    }
    settings = read_settings(environ(tmp_path, "workflow_run", event))
    assert settings.revisions is None
    assert settings.triggering is not None
    assert settings.triggering.path == ".github/workflows/assay.yml"
    assert settings.triggering.head_repository == "stranger/churn"


def test_outside_actions_the_run_is_local() -> None:
    settings = read_settings({"GITHUB_TOKEN": "x"})
    assert (settings.event.name, settings.event.can_write) == ("local", False)
    assert settings.revisions is None


BAD_EVENTS: list[tuple[str, object]] = [
    ("is not JSON", "{"),
    ("is not JSON", "[" * 100_000),
    ("is not JSON", "\x00\x01"),
    ("is not a JSON object", "[]"),
    ("is not a JSON object", '"text"'),
    ("pull_request.number", {}),
    ("pull_request.number", {"pull_request": []}),
    ("pull_request.number", pull_request(pull_request__number="7; rm -rf /")),
    ("pull_request.number", pull_request(pull_request__number=-1)),
    ("pull_request.number", pull_request(pull_request__number=True)),
    ("pull_request.head.sha", pull_request(pull_request__head__sha="main")),
    ("pull_request.head.sha", pull_request(pull_request__head__sha=HEAD[:-1])),
    ("pull_request.head.sha", pull_request(pull_request__head__sha=HEAD + "\n")),
    ("pull_request.head.ref", pull_request(pull_request__head__ref=None)),
    ("pull_request.title", pull_request(pull_request__title=["x"])),
    (
        "pull_request.head.repo.full_name",
        pull_request(pull_request__head__repo={"full_name": "../../x"}),
    ),
]


@pytest.mark.parametrize(("place", "event"), BAD_EVENTS, ids=range(len(BAD_EVENTS)))
def test_a_malformed_event_is_an_input_error(tmp_path: Path, place: str, event: object) -> None:
    with pytest.raises(InputError, match=place) as caught:
        read_settings(environ(tmp_path, "pull_request", event))
    assert caught.value.exit_code == 2
    assert caught.value.where is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GITHUB_REPOSITORY", "octo"),
        ("GITHUB_REPOSITORY", "octo/churn\n::set-output name=x::y"),
        ("GITHUB_REPOSITORY", ""),
        ("GITHUB_SHA", "HEAD"),
        ("GITHUB_SHA", ""),
        ("GITHUB_RUN_ID", "1e3"),
        ("GITHUB_RUN_ID", "٣"),
        ("GITHUB_API_URL", "file:///etc/passwd"),
        ("GITHUB_API_URL", "https://token@evil.example"),
        ("GITHUB_SERVER_URL", "github.com"),
        ("GITHUB_EVENT_PATH", ""),
        ("GITHUB_EVENT_PATH", "/nonexistent/event.json"),
    ],
)
def test_a_malformed_variable_is_an_input_error(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(InputError) as caught:
        read_settings(environ(tmp_path, "pull_request", pull_request(), **{name: value}))
    assert name in str(caught.value) or "event" in str(caught.value)


def test_a_huge_event_is_refused(tmp_path: Path) -> None:
    variables = environ(tmp_path, "pull_request", "")
    with (tmp_path / "event.json").open("wb") as stream:
        stream.truncate(26 * 1024 * 1024)
    with pytest.raises(InputError, match="bytes"):
        read_settings(variables)


def test_a_title_with_a_lone_surrogate_can_be_written(tmp_path: Path) -> None:
    event = json.dumps(pull_request()).replace("A better model", r"x\ud800y")
    settings = read_settings(environ(tmp_path, "pull_request", event))
    assert settings.event.title is not None
    settings.event.title.encode()
