"""A delivery that waits: for a person's word, for the target before it, for the tests there."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from assay.evidence import StagingPart, StagingReport
from assay.evidence.staging import outcome_of
from assay.packaging.keys import new_key
from assay.rollout.asking import Ask, request, serves_alone, still_waits
from assay.rollout.controller.intake import checked
from assay.state import link_of
from support.chains import decision_line
from support.desks import CONFIG, KEY, V1, V2, Desk, desk_in


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = desk_in(tmp_path, monkeypatch)
    text = CONFIG.replace("  trust:", "  approval: [staging]\n  trust:")
    (made.root / "assay.yaml").write_text(text)
    return made


@pytest.fixture
def outputs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[str, str]]:
    """What the last command told its job; the file is emptied with every look."""
    file = desk.root / "outputs"
    monkeypatch.setenv("GITHUB_OUTPUT", str(file))

    def read() -> dict[str, str]:
        lines = file.read_text().splitlines()
        file.unlink()
        found = {}
        for at, line in enumerate(lines):
            if "<<" in line:
                found[line.partition("<<")[0]] = lines[at + 1]
            elif "=" in line:
                name, _, value = line.partition("=")
                found[name] = value
        return found

    return read


def reported(folder: Path, state: str, digest: str) -> Path:
    part = StagingPart.model_validate({"name": "smoke", "state": state, "sentence": "so"})
    made = StagingReport(
        model="churn",
        target="staging",
        artifact_digest=digest,
        state=outcome_of((part,)),
        parts=(part,),
    )
    made.write(folder / "assay-staging-churn-staging")
    return folder


def promote_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A controller of staging that promotes whatever it is asked for."""
    running = [0.0]

    def decide(seconds: float) -> None:
        running[0] += seconds
        asked = desk.intent("staging")
        for kind in ("accepted", "promoted"):
            desk.decide("staging", kind, intent=asked.id, artifact_digest=asked.artifact_digest)

    clock = SimpleNamespace(sleep=decide, monotonic=lambda: running[0])
    monkeypatch.setattr("assay.cli.asking.time", clock)


def test_the_targets_after_an_approval_wait_with_it_and_go_on_when_it_is_given(
    desk: Desk,
    outputs: Callable[[], dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert desk.deploy("staging") == 0
    assert outputs()["state"] == "awaiting-approval"
    assert desk.deploy("production") == 0
    assert outputs()["state"] == "awaiting-approval"
    assert "it waits at staging" in capsys.readouterr().out
    assert desk.intents("staging") == desk.intents("production") == ()

    promote_at_once(desk, monkeypatch)
    more = ("--approve", "--author", "cat", "--wait-minutes", "1")
    assert desk.deploy("staging", "", *more) == 0
    said = outputs()
    assert (said["state"], json.loads(said["onward"])) == ("promoted", ["production"])

    assert desk.deploy("production", "", "--onward", "--author", "cat") == 0
    (signed,) = desk.intents("production")
    intent = checked(signed, desk.rules("production"), datetime.now(UTC))
    assert (intent.author, intent.approver, intent.artifact_digest) == ("octo", None, V1)


def test_an_approval_at_the_target_before_is_none_here(
    desk: Desk, outputs: Callable[[], dict[str, str]]
) -> None:
    text = CONFIG.replace("  trust:", "  approval: [staging, production]\n  trust:")
    (desk.root / "assay.yaml").write_text(text)
    assert desk.deploy("staging") == desk.deploy("production", V1, "--approver", "cat") == 0
    desk.decide("staging", "promoted", artifact_digest=V1)
    outputs()
    assert desk.deploy("production", "", "--onward", "--author", "cat") == 0
    assert outputs()["state"] == "awaiting-approval"
    assert desk.intents("production") == ()


def test_what_was_promoted_already_is_not_asked_for_again(
    desk: Desk, outputs: Callable[[], dict[str, str]]
) -> None:
    desk.decide("staging", "promoted", artifact_digest=V1)
    assert desk.deploy("staging") == 0
    assert outputs() == {"state": "promoted", "intent": "", "onward": ""}
    assert desk.intents("staging") == ()


def test_what_was_refused_where_it_waited_does_not_come_here(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.deploy("staging") == 0
    desk.decide("staging", "rejected", artifact_digest=V1)
    assert desk.deploy("production") == 2
    assert "was not promoted at staging" in capsys.readouterr().err
    assert desk.deploy("production", "", "--onward") == 2
    assert "nothing of churn waits" in capsys.readouterr().err


def test_what_another_key_left_waiting_holds_nothing(desk: Desk) -> None:
    (desk.root / "key.pem").write_bytes(new_key()[0])
    assert desk.deploy("staging") == 0
    (desk.root / "key.pem").write_bytes(KEY)
    assert desk.deploy("production") == 2


@pytest.mark.parametrize(
    ("state", "digest", "code"), [("passed", V1, 0), ("failed", V1, 2), ("passed", V2, 2)]
)
def test_where_staging_is_tested_its_report_of_this_version_is_demanded(
    desk: Desk, capsys: pytest.CaptureFixture[str], state: str, digest: str, code: int
) -> None:
    desk.decide("staging", "promoted", artifact_digest=V1)
    reports = reported(desk.root / "reports", state, digest)
    assert desk.deploy("production", V1, "--staging", str(reports)) == code
    assert len(desk.intents("production")) == (code == 0)
    assert code == 0 or "Run Deliver again" in capsys.readouterr().err


def test_what_must_be_tested_first_does_not_go_on_by_an_approval_alone(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.deploy("staging") == 0
    assert desk.deploy("production", V1, "--staging", str(desk.root / "none")) == 0
    assert "then run Deliver again, which tests it there" in capsys.readouterr().out
    desk.decide("staging", "promoted", artifact_digest=V1)
    assert desk.deploy("production", "", "--onward") == 2


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.deploy("staging", V1, "--dry-run") == 0
    assert "waits at staging" in capsys.readouterr().out
    assert desk.deploy("staging", "", "--approve", "--author", "cat") == 2
    assert desk.deploy("staging", V1, "--approver", "cat", "--dry-run") == 0
    assert "Would ask staging for churn 111111111111" in capsys.readouterr().out
    assert desk.intents("staging") == ()


ASKED_AT = datetime(2026, 1, 1, tzinfo=UTC)
WANTED = Ask(
    kind="deploy",
    repository="octo/churn",
    target="staging",
    model="churn",
    artifact_digest=V1,
    author="octo",
)


@pytest.mark.parametrize(
    ("kind", "hours", "digest", "waits"),
    [
        (None, 1, V1, True),
        (None, 24 * 7, V1, False),
        (None, 1, V2, False),
        ("accepted", 1, V1, True),
        ("rejected", 1, V1, False),
        ("promoted", 1, V1, False),
    ],
)
def test_a_request_waits_until_it_is_old_or_answered(
    kind: str | None, hours: int, digest: str, waits: bool
) -> None:
    asked = request(WANTED, now=ASKED_AT)
    facts = {"wall_time": "2026-01-01T00:30:00Z", "artifact_digest": V1}
    links = [link_of(decision_line(None, kind=kind, sentence="So.", **facts), None)] if kind else []
    assert still_waits(asked, digest, links, ASKED_AT + timedelta(hours=hours)) is waits


@pytest.mark.parametrize(
    ("told", "alone"),
    [
        ([], False),
        ([("promoted", V1)], True),
        ([("promoted", V1), ("accepted", V2)], False),
        ([("promoted", V1), ("promoted", V2)], False),
        ([("promoted", V1), ("rejected", V2)], True),
        ([("promoted", V1), ("rolled-back", V1)], False),
    ],
)
def test_only_the_version_that_was_promoted_last_serves_alone(
    told: list[tuple[str, str]], alone: bool
) -> None:
    links = []
    for kind, digest in told:
        last = links[-1] if links else None
        line = decision_line(
            last, kind=kind, sentence="So.", wall_time="now", artifact_digest=digest
        )
        links.append(link_of(line, last))
    assert serves_alone(links, V1) is alone
