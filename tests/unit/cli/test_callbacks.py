"""What GitHub is told of a decision: the pull request that shipped it, and of a broken glass."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.cli.callbacks import posts_of
from assay.evidence import Intent
from assay.state import Link
from support.controllers import V1, V2, V3, Rig, intent_of
from support.fake_target import FakeTarget

HOSTILE = "urgent](https://x) <img src=x> @team `"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(folder=tmp_path, target=FakeTarget(bad=(V3,)))


def keep(rig: Rig, intent: Intent) -> None:
    folder = rig.folder / "state/intents"
    folder.mkdir(exist_ok=True)
    (folder / f"{intent.id}.json").write_text(intent.to_json())


def posts(rig: Rig, link: Link) -> list[tuple[str, dict[str, str]]]:
    return posts_of(rig.folder / "state", link, "production")


def test_the_pull_request_that_shipped_a_version_is_told_what_became_of_it(rig: Rig) -> None:
    rig.deploy(V1)
    keep(rig, rig.send("deploy", V3, pull_request=7))
    rig.settle()
    told = {link.facts["kind"]: posts(rig, link) for link in rig.links}
    assert told["accepted"] == told["promoted"] == told["stepped"] == []
    ((path, body),) = told["rolled-back"]
    assert path == "issues/7/comments"
    assert f"`{V3[:12]}` was taken back on `production`." in body["body"]


def test_a_broken_glass_opens_an_issue_with_everything_escaped(rig: Rig) -> None:
    rig.deploy(V1)
    keep(rig, rig.send("deploy", V2, reason=HOSTILE, ticket="T-1"))
    rig.settle()
    found = [post for link in rig.links for post in posts(rig, link)]
    ((path, body),) = found
    assert path == "issues"
    assert "broke the glass" in body["body"]
    assert "\\<img" in body["body"]
    assert " <img" not in body["body"]
    assert " @team" not in body["body"]


def test_a_decision_about_an_unknown_intent_tells_nobody(rig: Rig) -> None:
    rig.deploy(V1)
    (rig.folder / "state/intents").mkdir()
    (rig.folder / "state/intents/torn.json").write_text("{")
    keep(rig, intent_of(9, digest="9" * 64, pull_request=1))
    assert [post for link in rig.links for post in posts(rig, link)] == []
