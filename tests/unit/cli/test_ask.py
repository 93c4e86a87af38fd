"""``assay ask``: orders to a controller from anywhere, as signed intents on a real remote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from assay.cli.edge import run
from assay.rollout.controller.clock import time_of
from assay.rollout.controller.intake import checked
from support.repositories import put_hook

from .test_deploy import V1, Desk, desk

__all__ = ["desk"]


def ask(operation: str, *more: str) -> int:
    base = ["--model", "churn", "--target", "production", "--signing-key", "key.pem"]
    return run(["ask", operation, *base, "--wait-minutes", "0", "--author", "cat", *more])


@pytest.mark.parametrize("operation", ["pause", "resume", "abort", "advance", "rollback"])
def test_an_order_is_one_that_a_controller_takes(desk: Desk, operation: str) -> None:
    before = desk.decide("production", "promoted", artifact_digest=V1)
    assert ask(operation, "--reason", "complaints") == 0
    (signed,) = desk.intents("production")
    intent = checked(signed, desk.rules("production"), datetime.now(UTC))
    assert (intent.kind, intent.author, intent.reason) == (operation, "cat", "complaints")
    assert (intent.based_on, intent.artifact_digest) == (before.digest, None)


def test_a_version_is_cleared_or_gone_back_to_by_its_digest(desk: Desk) -> None:
    assert ask("clear", "--artifact-digest", V1) == 0
    assert desk.intent("production").artifact_digest == V1
    assert ask("rollback", "--artifact-digest", V1) == 0
    assert desk.intent("production").kind == "rollback"


def test_glass_is_broken_for_an_hour(desk: Desk) -> None:
    assert ask("resume", "--reason", "outage", "--ticket", "OPS-7") == 0
    (signed,) = desk.intents("production")
    intent = checked(signed, desk.rules("production"), datetime.now(UTC))
    assert intent.ticket == "OPS-7"
    assert time_of(intent.expires) - time_of(intent.issued) == timedelta(hours=1)


def test_a_dry_run_writes_nothing(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("abort", "--dry-run") == 0
    assert "Would ask production to abort churn, in the name of cat." in capsys.readouterr().out
    assert desk.intents("production") == ()


@pytest.mark.parametrize(
    ("operation", "more", "said"),
    [
        ("clear", [], "none is named"),
        ("pause", ["--artifact-digest", V1], "takes no version"),
        ("abort", ["--ticket", "OPS-7"], "takes a --reason"),
        ("abort", ["--target", "nowhere"], "Its targets are"),
        ("destroy", [], "destroy"),
    ],
)
def test_nonsense_is_refused_and_writes_nothing(
    desk: Desk,
    capsys: pytest.CaptureFixture[str],
    operation: str,
    more: list[str],
    said: str,
) -> None:
    assert ask(operation, *more) == 2
    assert said in capsys.readouterr().err
    assert desk.intents("production") == ()


def test_a_remote_that_refuses_is_said(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    put_hook(desk.kept.bare, "update", "echo 'protected by a ruleset' >&2; exit 1")
    assert ask("pause") == 3
    assert "protected by a ruleset" in capsys.readouterr().err


def test_reconcile_names_every_target_and_a_controller_that_never_spoke(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["reconcile"]) == 0
    said = capsys.readouterr().out
    assert "churn at staging: as asked" in said
    assert "churn at production: as asked" in said
    assert ask("pause") == 0
    assert run(["reconcile"]) == 3
    assert "no controller has ever written what it sees" in capsys.readouterr().err
