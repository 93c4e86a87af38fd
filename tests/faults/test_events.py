"""Malformed events and runner variables, through ``assay plan``."""

from __future__ import annotations

import copy
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from faults.conftest import Case, Place
from support.malformed import SMALL
from support.repositories import Sandbox

SHA = "0123456789abcdef0123456789abcdef01234567"
PULL_REQUEST: dict[str, Any] = {
    "pull_request": {
        "number": 7,
        "title": "A change",
        "user": {"login": "octo"},
        "head": {"sha": SHA, "ref": "change", "repo": {"full_name": "octo/churn"}},
        "base": {"ref": "main", "repo": {"full_name": "octo/churn"}},
    },
    "repository": {"default_branch": "main"},
    "sender": {"login": "octo"},
}
RUNNER = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_EVENT_NAME": "pull_request",
    "GITHUB_REPOSITORY": "octo/churn",
    "GITHUB_RUN_ID": "1",
    "GITHUB_REF": "refs/pull/7/merge",
}
EVENT = "event.json"


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two commits, to be copied."""
    sandbox = Sandbox.make(tmp_path_factory.mktemp("event") / "work")
    sandbox.commit({"assay.yaml": SMALL, ".gitignore": "/event.json\n"})
    sandbox.commit({"a": "b"})
    return sandbox.root


def event(changes: dict[str, Any] | str | bytes, *says: str, code: int = 2, **environ: str) -> Case:
    """An event in which the dotted paths of ``changes`` have other values, or another file."""
    content: str | bytes
    if isinstance(changes, dict):
        payload = copy.deepcopy(PULL_REQUEST)
        for path, value in changes.items():
            *parents, last = path.split(".")
            place = payload
            for part in parents:
                place = place.setdefault(part, {})
            place[last] = value
        content = json.dumps(payload)
    else:
        content = changes
    variables = {**RUNNER, "GITHUB_EVENT_PATH": EVENT, **environ}
    return Case(argv=("plan",), files={EVENT: content}, environ=variables, says=says, code=code)


def kind(name: str, changes: dict[str, Any], *says: str) -> Case:
    return event(changes, *says, GITHUB_EVENT_NAME=name)


NOT_THE_RUNNERS = "GITHUB_EVENT_PATH must name the event file"
CASES = {
    "no variable": event({}, "GITHUB_EVENT_PATH is not", GITHUB_EVENT_PATH=""),
    "no file": event({}, "No such file", NOT_THE_RUNNERS, GITHUB_EVENT_PATH="no.json"),
    "a folder": event({}, "Is a directory", NOT_THE_RUNNERS, GITHUB_EVENT_PATH="."),
    "empty": event("", "file=event.json", "is not JSON", NOT_THE_RUNNERS),
    "cut off": event('{"pull_request":', "file=event.json", "is not JSON"),
    "a list": event("[]", "is not a JSON object", NOT_THE_RUNNERS),
    "HTML": event("<html>", "is not JSON"),
    "bytes": event(b"\xff\x00\x01", "is not JSON"),
    "too deep": event("[" * 100_000, "is not JSON"),
    "a number of 5000 digits": event('{"a": ' + "9" * 5000 + "}", "is not JSON"),
    "no pull request": event({"pull_request": None}, "pull_request.", "not nothing"),
    "a pull request of text": event({"pull_request": "7"}, "pull_request."),
    "no number": event({"pull_request.number": None}, "should be a positive whole number"),
    "number as text": event({"pull_request.number": "7; ls"}, "not str '7; ls'"),
    "number below 1": event({"pull_request.number": -1}, "not int '-1'"),
    "number that is true": event({"pull_request.number": True}, "not bool 'True'"),
    "huge number": event({"pull_request.number": 10**30}, "should be a positive whole number"),
    "no commit": event({"pull_request.head.sha": None}, "head.sha should be a full commit id"),
    "short commit": event({"pull_request.head.sha": "abc"}, "not str 'abc'"),
    "commit that is an option": event({"pull_request.head.sha": "--output=x"}, "'--output=x'"),
    "commit and a line": event({"pull_request.head.sha": SHA + "\n"}, "a full commit id"),
    "no branch": event({"pull_request.head.ref": ""}, "head.ref should be a text"),
    "no base branch": event({"pull_request.base.ref": 3}, "base.ref should be a text"),
    "a repository that is a path": event(
        {"pull_request.head.repo.full_name": "../../etc"}, "should be a repository's owner/name"
    ),
    "no SHA of the run": event({}, "GITHUB_SHA is ''", "under act", GITHUB_SHA=""),
    "a short SHA of the run": event({}, "GITHUB_SHA is 'abc'", GITHUB_SHA="abc"),
    "no repository": event({}, "GITHUB_REPOSITORY is missing", GITHUB_REPOSITORY=""),
    "a repository of three": event({}, "Write it as owner/name", GITHUB_REPOSITORY="a/b/c"),
    "a run that is no number": event({}, "GITHUB_RUN_ID is 'x'", GITHUB_RUN_ID="x"),
    "an API that is none": event({}, "GITHUB_API_URL is", GITHUB_API_URL="javascript:alert(1)"),
    "an API with a password": event({}, "GITHUB_API_URL is", GITHUB_API_URL="https://a:b@c.d"),
    "pull_request_target": kind("pull_request_target", {}, "is refused", "Use `on: pull_request`"),
    "a deleted branch": kind("push", {"deleted": True}, "nothing to judge", "Limit `on: push`"),
    "a push without commits": kind("push", {}, "the event's after should be a full commit id"),
    "a merge group of text": kind("merge_group", {"merge_group": "x"}, "merge_group.head_sha"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_malformed_event(name: str, place: Place, repository: Path) -> None:
    shutil.copytree(repository, place.root, dirs_exist_ok=True)
    place.patch.setenv("GITHUB_SHA", SHA)
    place.demand(CASES[name])


def test_an_event_of_gigabytes_is_not_read(place: Place, repository: Path) -> None:
    shutil.copytree(repository, place.root, dirs_exist_ok=True)
    place.write({EVENT: ""})
    os.truncate(place.root / EVENT, 3 * 2**30)
    code, out, _ = place.run(
        "plan", environ={**RUNNER, "GITHUB_EVENT_PATH": EVENT, "GITHUB_SHA": SHA}
    )
    assert code == 2
    assert "the event file has 3,221,225,472 bytes" in out


def test_a_commit_that_was_not_fetched(place: Place, repository: Path) -> None:
    shutil.copytree(repository, place.root, dirs_exist_ok=True)
    place.patch.setenv("GITHUB_SHA", SHA)
    place.demand(event({}, "fetch-depth: 0", code=3))
