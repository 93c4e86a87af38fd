"""What was asked beside what was decided and seen, on the clock of a schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from assay.evidence import Observed
from assay.rollout.controller.clock import moment_of
from assay.rollout.reconcile import troubles
from assay.state import Link, Signed, link_of
from support.chains import decision_line
from support.controllers import V1, intent_of, signed

NOW = datetime(2026, 11, 1, 12, 40, tzinfo=UTC)
SILENT = timedelta(minutes=30)


def observed(**changes: object) -> Observed:
    facts = {
        "target": "production",
        "model": "churn",
        "epoch": 1,
        "seq": 1,
        "applied_generation": 3,
        "acknowledged": True,
        "weights": (),
        "health": {V1: True},
        "wall_time": moment_of(NOW - timedelta(minutes=5)),
        **changes,
    }
    return Observed.model_validate(facts)


def decided(**facts: object) -> tuple[Link, ...]:
    wall = moment_of(NOW - timedelta(minutes=9))
    return (link_of(decision_line(None, **{"wall_time": wall, **facts}), None),)


def asked(**facts: object) -> tuple[Signed, ...]:
    return (signed(intent_of(1, "deploy", V1, **facts)),)


def test_all_is_well_where_each_intent_was_answered_and_the_controller_speaks() -> None:
    answered = decided(intent=f"{1:032x}")
    assert troubles(asked(), answered, observed(), now=NOW, silent=SILENT) == ()
    assert troubles((), (), None, now=NOW, silent=SILENT) == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"wall_time": moment_of(NOW - timedelta(minutes=31))}, "said nothing for 31 minutes"),
        ({"acknowledged": False}, "does not run generation 3"),
        ({"health": {V1: False}}, "is not healthy"),
        ({"seq": 7}, "up to number 7 were made, and the journal has 1"),
    ],
    ids=["silent", "router", "version", "lag"],
)
def test_what_a_controller_sees_is_held_to_what_it_decided(
    changes: dict[str, object], said: str
) -> None:
    (sentence,) = troubles((), decided(), observed(**changes), now=NOW, silent=SILENT)
    assert said in sentence


def test_what_was_seen_as_a_decision_was_made_shows_what_was_before_it() -> None:
    """The observation that is pushed with a decision was seen before the router could take it."""
    links = decided(wall_time=moment_of(NOW - timedelta(minutes=5, seconds=2)))
    early = observed(acknowledged=False, health={V1: False})
    assert troubles((), links, early, now=NOW, silent=SILENT) == ()
    later = early.model_copy(update={"wall_time": moment_of(NOW)})
    assert len(troubles((), links, later, now=NOW, silent=SILENT)) == 2


def test_an_intent_without_an_answer_is_named_after_a_while() -> None:
    (sentence,) = troubles(asked(), decided(), observed(), now=NOW, silent=SILENT)
    assert "intent 1 (deploy, asked for by octo) has had no answer for 40 minutes" in sentence
    later = NOW + timedelta(hours=1)
    recent = observed(wall_time=moment_of(later))
    assert troubles(asked(), decided(), recent, now=later, silent=SILENT) == (), "it has expired"
    early = NOW - timedelta(minutes=20)
    assert troubles(asked(), decided(), observed(), now=early, silent=SILENT) == ()


def test_what_is_no_intent_is_the_controllers_to_reject() -> None:
    nonsense = (Signed(generation=1, content=b"\xff{", signature=b""),)
    assert troubles(nonsense, decided(), observed(), now=NOW, silent=SILENT) == ()


def test_a_controller_that_never_spoke_is_named() -> None:
    (sentence,) = troubles((), decided(), None, now=NOW, silent=SILENT)
    assert "no controller has ever written" in sentence
