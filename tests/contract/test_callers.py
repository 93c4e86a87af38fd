"""What the workflows of a consumer, and those that the pages show, hand to ours."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.files import (
    CALLERS,
    ROOT,
    SLUG,
    jobs,
    load,
    name_of,
)

CALLER = re.compile(r"^```yaml\n(name: .*?)^```$", re.MULTILINE | re.DOTALL)


def _granted(permissions: dict[str, str]) -> dict[str, int]:
    return {scope: ("none", "read", "write").index(level) for scope, level in permissions.items()}


def _asked(body: dict[str, Any]) -> dict[str, int]:
    called = ROOT / body["uses"].split("@")[0].removeprefix(f"{SLUG}/")
    asked: dict[str, int] = {}
    for inner in jobs(called).values():
        for scope, level in _granted(inner["permissions"]).items():
            asked[scope] = max(level, asked.get(scope, 0))
    return asked


@pytest.mark.parametrize("path", CALLERS, ids=name_of)
def test_a_caller_grants_what_the_called_jobs_ask_and_no_more(path: Path) -> None:
    for job, body in jobs(path).items():
        assert _granted(body["permissions"]) == _asked(body), job


def test_the_callers_that_the_pages_show_grant_what_the_called_jobs_ask() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    shown = [block for page in pages for block in CALLER.findall(page.read_text(encoding="utf-8"))]
    assert shown
    for block in shown:
        for body in yaml.safe_load(block)["jobs"].values():
            if "uses" in body:
                assert _granted(body["permissions"]) == _asked(body)


@pytest.mark.parametrize("path", CALLERS, ids=name_of)
def test_a_caller_is_short_and_never_skips_the_required_job(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 25
    trigger = load(path)["on"]
    for job in jobs(path).values():
        assert "if" not in job
    pull_request = trigger.get("pull_request") if isinstance(trigger, dict) else None
    assert not isinstance(pull_request, dict) or not {"paths", "paths-ignore"} & set(pull_request)


@pytest.mark.parametrize("path", CALLERS, ids=name_of)
def test_a_caller_hands_over_only_inputs_that_exist(path: Path) -> None:
    for body in jobs(path).values():
        call = load(ROOT / body["uses"].split("@")[0].removeprefix(f"{SLUG}/"))["on"][
            "workflow_call"
        ]
        assert set(body.get("with", {})) <= set(call.get("inputs", {}))
        assert set(body.get("secrets", {})) <= set(call.get("secrets", {}))
